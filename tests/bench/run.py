"""`build.py bench`: web5-py and web5-js side by side, in one Chromium, against one reference dwn-server, in one run.

Prints one table (medians and ratios) and leaves the raw figures in .build/bench.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, BrowserType, Page, Route, async_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "pysrc")]

from tests.bench.engine import measure as engine  # noqa: E402
from tests.bench.sync import measure as sync  # noqa: E402
from tests.interop.dwn_server import reference_dwn_server  # noqa: E402

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = os.environ.get("WEB5_CHROMIUM", "/usr/bin/chromium")
PEER_BUNDLE = ROOT / "tests/interop/node_modules/@web5/api/dist/browser.mjs"
PEER_GATEWAY = "https://diddht.tbddev.org"
WORKER = {"interpreter": "./boot/interpreter.mjs", "sync_main_only": True, "packages_cache": "passthrough"}
READY_LISTENER = """
    const events = new BroadcastChannel('web5-events');
    events.onmessage = ({ data }) => {
      const event = typeof data === 'string' ? JSON.parse(data) : data;
      if (event.type === 'boot' && event.step === 'ready') globalThis.nodeReady ??= performance.now();
    };
"""

SETTLE_SECONDS = 1.5
"""Between visits: the page before ends its worker, and Chromium writes the compiled code to disk."""

Call = Callable[..., Awaitable[dict[str, Any]]]


@dataclass
class Row:
    """One line of the table; milliseconds, lower is better."""

    name: str
    ours: float
    peer: float | None

    @property
    def ratio(self) -> str:
        return f"{self.peer / self.ours:.1f}x" if self.peer else ""


class Bench:
    def __init__(self, chromium: BrowserType, browser: Browser, origin: str, dwn_server: str, gateway: str) -> None:
        self._chromium = chromium
        self._browser = browser
        self._origin = origin
        self._dwn_server = dwn_server
        self._gateway = gateway

    async def context(self) -> BrowserContext:
        """A device: its own storage and cache."""
        return await self._prepared(await self._browser.new_context())

    @asynccontextmanager
    async def profile(self) -> AsyncIterator[BrowserContext]:
        """A device with a profile on disk: only there Chromium keeps compiled code from one visit to the next.

        Nothing is routed here, because that turns Chromium's cache off.
        """
        with tempfile.TemporaryDirectory() as folder:
            context = await self._chromium.launch_persistent_context(
                folder, executable_path=CHROMIUM, args=CHROMIUM_FLAGS
            )
            yield context
            await context.close()

    async def _prepared(self, context: BrowserContext) -> BrowserContext:
        """web5-js' gateway address is built in, so it is led to ours."""

        async def to_our_gateway(route: Route) -> None:
            request = route.request
            response = await context.request.fetch(
                request.url.replace(PEER_GATEWAY, self._gateway),
                method=request.method,
                data=request.post_data_buffer,
                headers={"content-type": "application/octet-stream"},
            )
            await route.fulfill(response=response)

        await context.route(f"{PEER_GATEWAY}/**", to_our_gateway)
        return context

    async def ours(self, context: BrowserContext) -> Call:
        page = await context.new_page()
        page.on("console", _print_errors)
        await page.goto(f"{self._origin}/bench-ours.html")
        await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)

        async def call(name: str, **args: Any) -> dict[str, Any]:
            result: str = await page.evaluate("([name, args]) => bench(name, args)", [name, json.dumps(args)])
            return json.loads(result)  # type: ignore[no-any-return]

        return call

    async def peer(self, context: BrowserContext) -> Call:
        page = await context.new_page()
        page.on("console", _print_errors)
        await page.goto(f"{self._origin}/bench-peer.html")
        await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)

        async def call(name: str, **args: Any) -> dict[str, Any]:
            result: dict[str, Any] = await page.evaluate("([name, args]) => bench(name, args)", [name, args])
            return result

        return call

    async def steps(
        self, name: str, open_page: Callable[[BrowserContext], Awaitable[Call]], sizes: Sizes
    ) -> dict[str, float]:
        """Write, query, push on one device; pull on another that imports the identity."""
        figures: dict[str, float] = {}
        first = await self.context()
        call = await open_page(first)
        await call("connect", endpoints=[self._dwn_server])
        writes: list[float] = []
        _say(f"{name}: {sizes.synced} writes")
        writes += (await call("write", count=sizes.synced))["each"]
        _say(f"{name}: push of {sizes.synced}")
        figures["push"] = (await call("sync", direction="push"))["ms"]
        identity = await call("export_identity")
        second = await self.context()
        other = await open_page(second)
        await other("connect", endpoints=[self._dwn_server])
        await other("import_identity", portable_identity=identity)
        _say(f"{name}: pull of {sizes.synced}")
        figures["pull"] = (await other("sync", direction="pull"))["ms"]
        arrived = (await other("count"))["count"]
        if arrived != sizes.synced:
            raise SystemExit(
                f"{name}: only {arrived} of {sizes.synced} records arrived, so its pull time means nothing"
            )
        await second.close()
        _say(f"{name}: {sizes.stored - sizes.synced} more writes, then queries")
        writes += (await call("write", count=sizes.stored - sizes.synced))["each"]
        figures["write"] = statistics.median(writes)
        figures["newest"] = statistics.median((await call("newest", repeat=sizes.repeat, limit=20))["each"])
        await first.close()
        return figures

    async def boots(self, repeat: int) -> dict[str, float]:
        """Page load to shell painted and to node ready, cold (new device and cache) and warm (later visits)."""

        async def node_ready(page: Page) -> float:
            await page.goto(self._origin)
            await page.wait_for_function("globalThis.nodeReady !== undefined", timeout=60_000)
            return float(await page.evaluate("nodeReady"))

        return await self._visits(repeat, node_ready)

    async def peer_boots(self, repeat: int) -> dict[str, float]:
        async def node_ready(page: Page) -> float:
            await page.goto(f"{self._origin}/bench-peer.html")
            await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)
            await page.evaluate("endpoints => bench('connect', { endpoints }).catch(() => 0)", [self._dwn_server])
            return float(await page.evaluate("performance.now()"))

        return await self._visits(repeat, node_ready, needs_gateway=True)

    async def _visits(
        self, repeat: int, node_ready: Callable[[Page], Awaitable[float]], *, needs_gateway: bool = False
    ) -> dict[str, float]:
        seen: dict[str, list[float]] = {}
        for _ in range(repeat):
            async with self.profile() as context:
                if needs_gateway:
                    await self._prepared(context)
                await context.add_init_script(READY_LISTENER)
                for visit in ("cold", "warm", "warm"):
                    page = await context.new_page()
                    seen.setdefault(f"ready {visit}", []).append(await node_ready(page))
                    seen.setdefault(f"visible {visit}", []).append(await _painted(page))
                    await page.close()
                    await asyncio.sleep(SETTLE_SECONDS)
        return {name: statistics.median(values) for name, values in seen.items()}


@dataclass(frozen=True)
class Sizes:
    stored: int
    synced: int
    repeat: int


async def _painted(page: Page) -> float:
    return float(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"))


def _print_errors(message: Any) -> None:
    if message.type == "error":
        print(f"  page: {message.text}", file=sys.stderr)


@asynccontextmanager
async def _embedded_defaults(site: Path, data: Path) -> AsyncIterator[str]:
    """Site and gateway as `build.py serve` starts them; their address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "web5.node.serve", "--port", "0", "--site", str(site), "--data", str(data)),
        env={**os.environ, "PYTHONPATH": str(ROOT / "pysrc")},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield line.removeprefix("Serving ").strip().rstrip("/").replace("127.0.0.1", "localhost")
    finally:
        process.terminate()
        await process.wait()


def _say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def _site_with_bench(folder: Path) -> Path:
    """A copy of the built site with the two bench pages; the build gives vendored folders hashed names."""
    site = folder / "site"
    shutil.copytree(ROOT / "dist/site", site)
    here = Path(__file__).parent
    pyscript = next(site.glob("pyscript-*")).name
    (site / "bench-ours.html").write_text((here / "ours.html").read_text().replace("pyscript/", f"{pyscript}/"))
    page = json.loads((site / "page.json").read_text())
    (site / "bench-page.json").write_text(json.dumps({**page, "files": {}}))
    (site / "bench-worker.json").write_text(json.dumps(WORKER))
    shutil.copy(here / "peer.html", site / "bench-peer.html")
    for script in (here / "ours.py", here / "peer.js"):
        shutil.copy(script, site)
    shutil.copy(PEER_BUNDLE, site / "web5.mjs")
    return site


@asynccontextmanager
async def _stage() -> AsyncIterator[tuple[Bench, Path, str]]:
    """A browser, our site with the bench pages, a reference dwn-server; a scratch folder and the gateway's URL."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(_embedded_defaults(_site_with_bench(folder), folder / "data"))
        gateway = f"{origin}/dht"
        dwn_server = await stack.enter_async_context(
            reference_dwn_server(data_dir=folder / "dwn-server", gateway_url=gateway)
        )
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield Bench(playwright.chromium, browser, origin, dwn_server, gateway), folder, gateway
        await browser.close()


async def measure(sizes: Sizes) -> list[Row]:
    async with _stage() as (bench, _, _):
        _say("page load to node ready, ours")
        our_boots = await bench.boots(sizes.repeat // 4 or 1)
        _say("page load to node ready, web5-js")
        peer_boots = await bench.peer_boots(sizes.repeat // 4 or 1)
        ours = await bench.steps("web5-py", bench.ours, sizes)
        peer = await bench.steps("web5-js", bench.peer, sizes)
    return [
        Row("durable local write, median", ours["write"], peer["write"]),
        Row(f"newest 20 of {sizes.stored:,}, with text", ours["newest"], peer["newest"]),
        Row(f"push of {sizes.synced} records", ours["push"], peer["push"]),
        Row(f"pull of {sizes.synced} records", ours["pull"], peer["pull"]),
        Row("page visible, cold", our_boots["visible cold"], peer_boots["visible cold"]),
        Row("page visible, warm", our_boots["visible warm"], peer_boots["visible warm"]),
        Row("node ready, cold (first launch)", our_boots["ready cold"], peer_boots["ready cold"]),
        Row("node ready, warm (second visit)", our_boots["ready warm"], peer_boots["ready warm"]),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fifth of the records, for a look")
    parser.add_argument(
        "--every-size", action="store_true", help="also what takes many minutes: 10,000 and 100,000 records"
    )
    parser.add_argument("--only", choices=("app", "sync", "engine"), help="one of the tables")
    options = parser.parse_args()
    if options.only in (None, "app"):
        _app_table(options.quick)
    if options.only in (None, "sync"):
        print(sync.table(asyncio.run(_sync(options.quick, options.every_size)), ROOT / ".build/bench-sync.json"))
    if options.only in (None, "engine"):
        _say("the engines alone")
        print(engine.table(asyncio.run(engine.measure(quick=options.quick, every_size=options.every_size))))


async def _sync(quick: bool, every_size: bool) -> list[sync.Row]:
    async with _stage() as (bench, folder, gateway):
        many = 10_000 if every_size else None
        sizes = sync.Sizes(200, 10, many) if quick else sync.Sizes(1000, 20, many)
        return await sync.measure(bench, folder, gateway, sizes)


def _app_table(quick: bool) -> None:
    sizes = Sizes(stored=200, synced=100, repeat=8) if quick else Sizes(stored=1000, synced=500, repeat=20)
    rows = asyncio.run(measure(sizes))
    print(f"{'':34} {'web5-py':>10} {'web5-js':>10} {'ratio':>8}")
    for row in rows:
        peer = f"{row.peer:10.1f}" if row.peer is not None else f"{'':10}"
        print(f"{row.name:34} {row.ours:10.1f} {peer} {row.ratio:>8}")
    print("milliseconds; medians, but push and pull, which are whole runs")
    (ROOT / ".build").mkdir(exist_ok=True)
    (ROOT / ".build/bench.json").write_text(json.dumps([row.__dict__ for row in rows], indent=2))


if __name__ == "__main__":
    main()
