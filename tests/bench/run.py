"""`build.py bench`: web5-py and web5-js side by side, in one Chromium, against one reference dwn-server, in one run.

Prints three tables: what an app sees, sync, and the engines alone. Raw figures are left in .build/bench*.json.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, BrowserType, Page, async_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "pysrc")]

from tests.bench.engine import measure as engine  # noqa: E402
from tests.bench.stage import (  # noqa: E402
    CHROMIUM,
    Call,
    embedded_defaults,
    open_device,
    say,
    site_with_bench,
)
from tests.bench.sync import measure as sync  # noqa: E402
from tests.chromium import FLAGS  # noqa: E402
from tests.interop.dwn_server import reference_dwn_server  # noqa: E402

READY_LISTENER = """
    const events = new BroadcastChannel('web5-events');
    events.onmessage = ({ data }) => {
      const event = typeof data === 'string' ? JSON.parse(data) : data;
      if (event.type === 'boot' && event.step === 'ready') globalThis.nodeReady ??= performance.now();
    };
"""

SETTLE_SECONDS = 1.5
"""Between visits: the page before ends its worker, and Chromium writes the compiled code to disk."""

HERE = Path(__file__).parent


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
    def __init__(self, chromium: BrowserType, browser: Browser, origin: str, dwn_server: str) -> None:
        self._chromium = chromium
        self._browser = browser
        self._origin = origin
        self._dwn_server = dwn_server

    @asynccontextmanager
    async def profile(self) -> AsyncIterator[BrowserContext]:
        """A device with a profile on disk: only there Chromium keeps compiled code from one visit to the next."""
        with tempfile.TemporaryDirectory() as folder:
            context = await self._chromium.launch_persistent_context(folder, executable_path=CHROMIUM, args=FLAGS)
            yield context
            await context.close()

    async def device(self, side: str) -> tuple[BrowserContext, Call]:
        """A page of one side with storage and cache of its own."""
        context = await self._browser.new_context()
        return context, await open_device(context, f"{self._origin}/bench-{side}.html")

    async def steps(self, name: str, side: str, sizes: Sizes) -> dict[str, float]:
        """Write, query, push on one device; pull on another that imports the identity."""
        figures: dict[str, float] = {}
        first, call = await self.device(side)
        await call("connect", endpoints=[self._dwn_server])
        writes: list[float] = []
        say(f"{name}: {sizes.synced} writes")
        writes += (await call("write", count=sizes.synced))["each"]
        say(f"{name}: push of {sizes.synced}")
        figures["push"] = (await call("sync", direction="push"))["ms"]
        identity = await call("export_identity")
        second, other = await self.device(side)
        await other("connect", endpoints=[self._dwn_server])
        await other("import_identity", portable_identity=identity)
        say(f"{name}: pull of {sizes.synced}")
        figures["pull"] = (await other("sync", direction="pull"))["ms"]
        arrived = (await other("count"))["count"]
        if arrived != sizes.synced:
            raise SystemExit(
                f"{name}: only {arrived} of {sizes.synced} records arrived, so its pull time means nothing"
            )
        await second.close()
        say(f"{name}: {sizes.stored - sizes.synced} more writes, then queries")
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
            connect = "endpoints => bench('connect', JSON.stringify({ endpoints })).catch(() => 0)"
            await page.evaluate(connect, [self._dwn_server])
            return float(await page.evaluate("performance.now()"))

        return await self._visits(repeat, node_ready)

    async def _visits(self, repeat: int, node_ready: Callable[[Page], Awaitable[float]]) -> dict[str, float]:
        seen: dict[str, list[float]] = {}
        for _ in range(repeat):
            async with self.profile() as context:
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


async def measure(sizes: Sizes) -> list[Row]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(embedded_defaults(site_with_bench(folder, HERE), folder / "data"))
        dwn_server = await stack.enter_async_context(
            reference_dwn_server(data_dir=folder / "dwn-server", gateway_url=f"{origin}/dht")
        )
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        bench = Bench(playwright.chromium, browser, origin, dwn_server)
        say("page load to node ready, ours")
        our_boots = await bench.boots(sizes.repeat // 4 or 1)
        say("page load to node ready, web5-js")
        peer_boots = await bench.peer_boots(sizes.repeat // 4 or 1)
        ours = await bench.steps("web5-py", "ours", sizes)
        peer = await bench.steps("web5-js", "peer", sizes)
        await browser.close()
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
    tables = {"app": _app_table, "sync": _sync_table, "engine": _engine_table}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a fraction of the records, for a look")
    parser.add_argument("--every-size", action="store_true", help="also what takes the reference many minutes")
    parser.add_argument("--only", choices=tables, help="one of the tables")
    options = parser.parse_args()
    for name, show in tables.items():
        if options.only in (None, name):
            show(options)


def _app_table(options: argparse.Namespace) -> None:
    sizes = Sizes(stored=200, synced=100, repeat=8) if options.quick else Sizes(stored=1000, synced=500, repeat=20)
    rows = asyncio.run(measure(sizes))
    print(f"{'':34} {'web5-py':>10} {'web5-js':>10} {'ratio':>8}")
    for row in rows:
        peer = f"{row.peer:10.1f}" if row.peer is not None else f"{'':10}"
        print(f"{row.name:34} {row.ours:10.1f} {peer} {row.ratio:>8}")
    print("milliseconds; medians, but push and pull, which are whole runs")
    _leave("bench.json", [row.__dict__ for row in rows])


def _sync_table(options: argparse.Namespace) -> None:
    sizes = sync.QUICK if options.quick else sync.FULL
    figures = asyncio.run(sync.measure(replace(sizes, every_size=options.every_size)))
    print(figures.table())
    _leave("bench-sync.json", figures.as_json())


def _engine_table(options: argparse.Namespace) -> None:
    say("the engines alone")
    print(engine.table(asyncio.run(engine.measure(quick=options.quick, every_size=options.every_size))))


def _leave(name: str, raw: Any) -> None:
    """The raw figures, for later."""
    (ROOT / ".build").mkdir(exist_ok=True)
    (ROOT / ".build" / name).write_text(json.dumps(raw, indent=2))


if __name__ == "__main__":
    main()
