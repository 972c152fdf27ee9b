"""What an app sees, part of `build.py bench`: web5-py and web5-js in one Chromium, against one reference dwn-server.

Writes and queries, and a sync to another device by way of the server. Milliseconds.
"""

from __future__ import annotations

import statistics
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, async_playwright

from tests.bench.stage import CHROMIUM, BenchError, Call, embedded_defaults, open_device, say, site_with_bench
from tests.chromium import FLAGS
from tests.interop.dwn_server import reference_dwn_server

HERE = Path(__file__).parent
SIDES = {"ours": "web5-py", "peer": "web5-js"}


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        stored: records on the device while it is queried.
        synced: records of a push and of a pull.
        queries: how often the newest are asked for.
        created: records that are made in a row, and at once.
        listed: records of a list that stays true.
        tabs: how often another tab is opened.
    """

    stored: int
    synced: int
    queries: int
    created: int
    listed: int
    tabs: int


SIZES = {
    "full": Sizes(stored=1000, synced=500, queries=20, created=300, listed=10_000, tabs=5),
    "quick": Sizes(stored=22, synced=6, queries=2, created=6, listed=100, tabs=1),
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
    def __init__(self, browser: Browser, origin: str, dwn_server: str, sizes: Sizes, figures: Figures) -> None:
        self._browser = browser
        self._origin = origin
        self._dwn_server = dwn_server
        self._sizes = sizes
        self._figures = figures

    async def run(self) -> None:
        for side in SIDES:
            await self._steps(side)
        await self._library()

    async def _library(self) -> None:
        """Do what the peer has nothing to compare with: many creates, a list that stays true, another tab."""
        sizes, add = self._sizes, self._figures.add
        context = await self._browser.new_context()
        page = f"{self._origin}/bench-ours.html"
        call = await open_device(context, page)
        await call("connect", endpoints=[self._dwn_server], store="library")
        for gathered, how in ((False, "one after the other"), (True, "at once")):
            say(f"app: web5-py, {sizes.created} creates, {how}")
            ms = (await call("creates", count=sizes.created, gathered=gathered))["ms"]
            add(f"{sizes.created} creates, {how}", "ours", ms)
        await call("write", count=20)
        each = []
        for _ in range(sizes.tabs):
            other = await open_device(context, page)
            connected = (await other("connect", endpoints=[self._dwn_server], store="library"))["ms"]
            each.append(connected + (await other("newest", repeat=1, limit=20))["each"][0])
        add("another tab: connected, newest 20", "ours", statistics.median(each))
        say(f"app: web5-py, a list of {sizes.listed:,}")
        live = await call("live", stored=sizes.listed)
        add(f"live() of {sizes.listed:,}, first state", "ours", live["first"])
        add(f"live() of {sizes.listed:,}, after a change", "ours", statistics.median(live["after"]))
        await context.close()

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
        await Bench(browser, origin, dwn_server, sizes, figures).run()
