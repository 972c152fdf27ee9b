"""What an app sees, part of `build.py bench`: web5-py and web5-js in one Chromium, against one reference dwn-server.

Writes and queries, a sync to another device by way of the server, and how soon a page is there. Milliseconds.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, BrowserType, Page, async_playwright

from tests.bench.stage import CHROMIUM, BenchError, Call, embedded_defaults, open_device, say, site_with_bench
from tests.chromium import FLAGS
from tests.interop.dwn_server import reference_dwn_server

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
SIDES = {"ours": "web5-py", "peer": "web5-js"}
VISITS = {"cold": "first launch", "warm": "second visit"}


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        stored: records on the device while it is queried.
        synced: records of a push and of a pull.
        queries: how often the newest are asked for.
        launches: new profiles, each visited once cold and then warm.
        warm_visits: of each.
    """

    stored: int
    synced: int
    queries: int
    launches: int
    warm_visits: int = 2


SIZES = {
    "full": Sizes(stored=1000, synced=500, queries=20, launches=5),
    "quick": Sizes(stored=22, synced=6, queries=2, launches=1, warm_visits=1),
}


@dataclass
class Figures:
    """Everything that was measured: milliseconds by row and side; lower is better."""

    values: dict[str, dict[str, float]] = field(default_factory=dict)

    def add(self, name: str, side: str, ms: float) -> None:
        self.values.setdefault(name, {})[side] = ms

    def text(self) -> str:
        """The table."""
        lines = [f"{'':34} {'web5-py':>10} {'web5-js':>10} {'ratio':>8}"]
        for name, values in self.values.items():
            ours, peer = values.get("ours"), values.get("peer")
            ratio = f"{peer / ours:.1f}x" if ours and peer else ""
            cells = " ".join(f"{value:10.1f}" if value is not None else " " * 10 for value in (ours, peer))
            lines.append(f"{name:34} {cells} {ratio:>8}".rstrip())
        return "\n".join([*lines, "milliseconds; medians, but push and pull, which are whole runs"])

    def as_json(self) -> list[dict[str, Any]]:
        return [{"name": name, **values} for name, values in self.values.items()]


class Bench:
    def __init__(
        self, chromium: BrowserType, browser: Browser, origin: str, dwn_server: str, sizes: Sizes, figures: Figures
    ) -> None:
        self._chromium = chromium
        self._browser = browser
        self._origin = origin
        self._dwn_server = dwn_server
        self._sizes = sizes
        self._figures = figures

    async def run(self) -> None:
        for side in SIDES:
            await self._steps(side)
        for side, ready in {"ours": self._our_node, "peer": self._their_node}.items():
            say(f"app: {SIDES[side]}, page load to node ready")
            await self._launches(side, ready)

    # -- records

    async def _device(self, side: str) -> tuple[BrowserContext, Call]:
        """A page of one side with storage and cache of its own."""
        context = await self._browser.new_context()
        call = await open_device(context, f"{self._origin}/bench-{side}.html")
        await call("connect", endpoints=[self._dwn_server])
        return context, call

    async def _steps(self, side: str) -> None:
        """Write, query, push on one device; pull on another that imports the identity."""
        sizes = self._sizes

        def tell(what: str) -> None:
            say(f"app: {SIDES[side]}, {what}")

        first, call = await self._device(side)
        tell(f"{sizes.synced} writes")
        writes: list[float] = (await call("write", count=sizes.synced))["each"]
        tell(f"push of {sizes.synced}")
        self._figures.add(f"push of {sizes.synced} records", side, (await call("sync", direction="push"))["ms"])
        identity = await call("export_identity")
        second, other = await self._device(side)
        await other("import_identity", portable_identity=identity)
        tell(f"pull of {sizes.synced}")
        pulled = (await other("sync", direction="pull"))["ms"]
        arrived = (await other("count"))["count"]
        if arrived != sizes.synced:
            raise BenchError(f"{SIDES[side]}: {arrived} of {sizes.synced} records arrived, its pull time means nothing")
        self._figures.add(f"pull of {sizes.synced} records", side, pulled)
        await second.close()
        tell(f"{sizes.stored - sizes.synced} more writes, then queries")
        writes += (await call("write", count=sizes.stored - sizes.synced))["each"]
        self._figures.add("durable local write, median", side, statistics.median(writes))
        each = (await call("newest", repeat=sizes.queries, limit=20))["each"]
        self._figures.add(f"newest 20 of {sizes.stored:,}, with text", side, statistics.median(each))
        await first.close()

    # -- launches

    async def _our_node(self, page: Page) -> float:
        await page.goto(self._origin)
        await page.wait_for_function("globalThis.nodeReady !== undefined", timeout=60_000)
        return float(await page.evaluate("nodeReady"))

    async def _their_node(self, page: Page) -> float:
        await page.goto(f"{self._origin}/bench-peer.html")
        await page.wait_for_function("globalThis.bench !== undefined", timeout=60_000)
        connect = "endpoints => bench('connect', JSON.stringify({ endpoints })).catch(() => 0)"
        await page.evaluate(connect, [self._dwn_server])
        return float(await page.evaluate("performance.now()"))

    async def _launches(self, side: str, ready: Callable[[Page], Awaitable[float]]) -> None:
        """Page load to shell painted and to node ready, cold (new device and cache) and warm (later visits)."""
        visible: dict[str, list[float]] = {visit: [] for visit in VISITS}
        node_ready: dict[str, list[float]] = {visit: [] for visit in VISITS}
        for _ in range(self._sizes.launches):
            async with self._profile() as context:
                await context.add_init_script(READY_LISTENER)
                for visit in ("cold", *("warm",) * self._sizes.warm_visits):
                    page = await context.new_page()
                    node_ready[visit].append(await ready(page))
                    visible[visit].append(await _painted(page))
                    await page.close()
                    await asyncio.sleep(SETTLE_SECONDS)
        for visit in VISITS:
            self._figures.add(f"page visible, {visit}", side, statistics.median(visible[visit]))
        for visit, words in VISITS.items():
            self._figures.add(f"node ready, {visit} ({words})", side, statistics.median(node_ready[visit]))

    @asynccontextmanager
    async def _profile(self) -> AsyncIterator[BrowserContext]:
        """A device with a profile on disk: only there Chromium keeps compiled code from one visit to the next."""
        with tempfile.TemporaryDirectory() as folder:
            context = await self._chromium.launch_persistent_context(folder, executable_path=CHROMIUM, args=FLAGS)
            try:
                yield context
            finally:
                await context.close()


async def _painted(page: Page) -> float:
    return float(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"))


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table, one after the other."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(embedded_defaults(site_with_bench(folder, HERE), folder / "data"))
        dwn_server = await stack.enter_async_context(
            reference_dwn_server(data_dir=folder / "dwn-server", gateway_url=f"{origin}/dht")
        )
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.push_async_callback(browser.close)
        await Bench(playwright.chromium, browser, origin, dwn_server, sizes, figures).run()
