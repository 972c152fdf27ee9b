"""Sync, part of `build.py bench`: web5-py and web5-js in one Chromium, one after the other, against one reference
dwn-server, which is next door and then 50 ms away.

The server is filled from here, with signed messages, and counted at a proxy. Neither side syncs anything but the one
identity that its devices share.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from tests.bench.stage import CHROMIUM, BenchError, Call, embedded_defaults, open_device, say, site_with_bench
from tests.bench.sync.author import Author, author
from tests.bench.sync.figures import Figures, Place
from tests.bench.sync.proxy import Counts, Proxy, proxy
from tests.chromium import FLAGS
from tests.interop.dwn_server import reference_dwn_server
from web5.sync.plan.push import WIDTH

HERE = Path(__file__).parent
NAMES = {"ours": "web5-py", "peer": "web5-js"}
ROUNDS_AN_HOUR = 30
"""Of an interval of two minutes, which is the default of both; it is also the safety net of ours when it is live."""

SEEN_SECONDS = 60


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        small, large: records of a first sync; the small size is also that of a push.
        pushes: how often push and replay are measured in turn, next door.
        edits: seen on another device.
        idle_rounds: that are counted.
        idle_seconds: that a live socket is watched; a dwn-server pings every 30.
        round_trips: how far away the server is, in seconds there and back.
        every_size: web5-js takes part in the large size too, which takes minutes.
    """

    small: int
    large: int
    pushes: int
    edits: int
    idle_rounds: int
    idle_seconds: int
    round_trips: tuple[float, ...] = (0.0, 0.05)
    every_size: bool = False


FULL = Sizes(small=1000, large=10_000, pushes=3, edits=20, idle_rounds=10, idle_seconds=65)
SIZES = {
    "full": FULL,
    "every": replace(FULL, every_size=True),
    "quick": Sizes(small=8, large=16, pushes=1, edits=2, idle_rounds=1, idle_seconds=1, round_trips=(0.0,)),
}


class SyncBench:
    """One server that devices reach through a proxy, and another, like it, for replays."""

    figures: Figures

    def __init__(self, browser: Browser, origin: str, near: Author, line: Proxy, spare: Proxy, sizes: Sizes) -> None:
        self._browser = browser
        self._origin = origin
        self._author = near
        self._line = line
        self._spare = spare
        self._sizes = sizes
        self._filled: dict[int, dict[str, Any]] = {}
        self._random = random.Random(4)

    async def run(self, figures: Figures) -> None:
        """Measure everything."""
        self.figures = figures
        for count in (self._sizes.small, self._sizes.large):
            say(f"sync: a server with {count:,} records")
            self._filled[count] = await self._author.identity()
            await self._author.fill(self._filled[count], self._line.upstream, count)
        for round_trip in self._sizes.round_trips:
            self._line.round_trip = self._spare.round_trip = round_trip
            for side in NAMES:
                place = Place(side, round_trip)
                await self._first_syncs(place)
                await self._pushes(place)
                await self._edits(place)
        self._line.round_trip = 0.0
        for side in NAMES:
            await self._idle(side)

    @asynccontextmanager
    async def _device(self, side: str, identity: dict[str, Any]) -> AsyncIterator[Call]:
        context = await self._browser.new_context()
        try:
            call = await open_device(context, f"{self._origin}/bench-{side}.html")
            await call("open", identity=identity)
            yield call
        finally:
            await context.close()

    def _say(self, place: Place, what: str) -> None:
        say(f"sync: {NAMES[place.side]}, {place.round_trip * 1000:.0f} ms away: {what}")

    # -- many records

    async def _first_syncs(self, place: Place) -> None:
        with_large = place.side == "ours" or self._sizes.every_size
        for count in (self._sizes.small, self._sizes.large)[: 1 + with_large]:
            self._say(place, f"first sync of {count:,}")
            async with self._device(place.side, self._filled[count]) as call:
                before = self._line.counts()
                done = await call("sync", direction="pull")
                spent = self._line.counts() - before
                arrived = (await call("count"))["count"]
                if arrived != count:
                    raise BenchError(f"{NAMES[place.side]}: {arrived} of {count} records arrived")
            if place.side == "ours":
                _check_progress(done["progress"], count)
                for part, ms in done["phases"].items():
                    self.figures.add(place, f"first sync of {count:,}: {part}, ms a record", ms / count)
            self._record(place, f"first sync of {count:,}", done["ms"] / 1000, count, spent)

    async def _pushes(self, place: Place) -> None:
        count, seconds, shares = self._sizes.small, [], []
        spent = Counts()
        for _ in range(self._sizes.pushes if place.side == "ours" else 1):
            self._say(place, f"push of {count:,}")
            async with self._device(place.side, await self._author.identity()) as call:
                await call("write", count=count)
                before = self._line.counts()
                pushed = await call("sync", direction="push")
                spent = self._line.counts() - before
                seconds.append(pushed["ms"] / 1000)
                if place.side == "ours":
                    if pushed["unsettled"]:
                        raise BenchError(f"{pushed['unsettled']} of {count} records were not pushed")
                    replayed = await call("replay", url=self._spare.url, width=WIDTH)
                    shares.append(replayed["ms"] / pushed["ms"])
        self._record(place, f"push of {count:,}", statistics.median(seconds), count, spent)
        if shares:
            self.figures.add(place, "push rate, of a bare replay's", statistics.median(shares))

    def _record(self, place: Place, what: str, seconds: float, count: int, spent: Counts) -> None:
        self.figures.add(place, f"{what}, s", seconds)
        self.figures.add(place, f"{what}, requests a record", spent.requests / count)
        self.figures.add(place, f"{what}, preflights", spent.preflights)
        self.figures.add(place, f"{what}, bytes a record", (spent.sent + spent.received) / count)

    # -- one record

    async def _edits(self, place: Place) -> None:
        self._say(place, f"{self._sizes.edits} edits, seen on another device")
        identity = await self._author.identity()
        async with self._device(place.side, identity) as here, self._device(place.side, identity) as there:
            await there("watch")
            modes = {(await device("start"))["mode"] for device in (here, there)}
            record = await here("create", text="first")
            await there("seen", text="first")
            waits = []
            for number in range(self._sizes.edits):
                # An interval's phase must not decide.
                await asyncio.sleep(self._random.uniform(0.5, 1.5))
                at = (await here("edit", id=record["id"], text=f"edit {number}"))["at"]
                async with asyncio.timeout(SEEN_SECONDS):
                    waits.append((await there("seen", text=f"edit {number}"))["at"] - at)
            for device in (here, there):
                await device("stop")
        self.figures.modes[place] = ", ".join(modes)
        self.figures.add(place, "edit seen elsewhere, p50, s", statistics.median(waits))
        self.figures.add(place, "edit seen elsewhere, p95, s", statistics.quantiles(waits, n=20)[-1])

    # -- nothing

    async def _idle(self, side: str) -> None:
        place, rounds = Place(side, 0.0), self._sizes.idle_rounds
        self._say(place, "idle")
        async with self._device(side, self._filled[self._sizes.small]) as call:
            for _ in range(2):
                await call("sync", direction=None)
            before = self._line.counts()
            for _ in range(rounds):
                await call("sync", direction=None)
            polled = (self._line.counts() - before).times(ROUNDS_AN_HOUR / rounds)
            self._record_idle(place, "an idle hour, every 2 minutes", polled)
            if side == "ours":
                await call("start")
                before = self._line.counts()
                for _ in range(rounds):
                    await call("sync", direction=None)
                visits = (self._line.counts() - before).times(ROUNDS_AN_HOUR / rounds)
                before = self._line.counts()
                await asyncio.sleep(self._sizes.idle_seconds)
                socket = (self._line.counts() - before).times(3600 / self._sizes.idle_seconds)
                self._record_idle(place, "an idle hour, live", visits + socket)
                self._record_idle(place, "an idle hour, live, the socket alone", socket)

    def _record_idle(self, place: Place, what: str, hour: Counts) -> None:
        self.figures.add(place, f"{what}, requests", hour.requests)
        self.figures.add(place, f"{what}, kB", (hour.sent + hour.received) / 1000)


def _check_progress(told: list[tuple[int, int]], count: int) -> None:
    """What was told of a first sync has to be true: all of it from the first word on, and growing to the end."""
    done = [done for done, _ in told]
    if {total for _, total in told} != {count} or done != sorted(done) or done[-1] != count:
        raise BenchError(f"the progress of a first sync of {count} was not true: {told[:5]} … {told[-5:]}")
    if len(set(done)) < count / 500:
        raise BenchError(f"the progress of a first sync of {count} was told in {len(set(done))} steps only")


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table, one after the other."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await enter(embedded_defaults(site_with_bench(folder, HERE), folder / "data"))
        gateway = f"{origin}/dht"
        line, spare = [
            await enter(proxy(await enter(reference_dwn_server(data_dir=folder / name, gateway_url=gateway))))
            for name in ("dwn-server", "spare-dwn-server")
        ]
        near = await enter(author(folder / "author", gateway, line.url))
        playwright = await enter(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.push_async_callback(browser.close)
        await SyncBench(browser, origin, near, line, spare, sizes).run(figures)
