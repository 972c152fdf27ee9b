"""A node under a steady load: its memory by the minute, with a fitted slope, and how soon events reach their sockets.

    python -m tests.bench.node.soak --minutes 10 --sockets 1000 --rate 50 --database URL

It starts a node of its own. Sockets are subscribed, each to a tenant of its own; then so many records a second are
written to these, evenly, and now and then the newest are asked for. An event is timed from the moment at which its
write is sent to that at which it has come over the socket. The slope of memory is that of a line through the samples
after the first fifth of the time, in which caches and Python's own store fill; the error beside it is that of the line
alone. What grows more slowly than that is not seen, so a short run says little about an hour: take ten minutes.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.node.clients import Client, request, row
from tests.bench.node.events import WRITERS, Subscriber
from tests.bench.node.sizes import MB, disk_of, memory_of
from tests.interop.node.serving import EmbeddedServer
from web5.dwn import compose
from web5.ports.clock import SystemClock

CLOCK = SystemClock()
NEWEST = {"filter": {"dataFormat": "text/plain"}, "date_sort": "createdDescending", "pagination": {"limit": 20}}
ASKED_EVERY = 10
"""Writes after which a writer asks for the newest once."""

SAMPLES = 120
QUICK = {"minutes": 0.1, "sockets": 8, "rate": 20.0}


class NoSlope(Exception):
    """Too few samples for a line."""


@dataclass
class Minute:
    """What was seen in one minute.

    Parameters:
        took: seconds until each event had come.
        memory: bytes at its end, without files that others could have too; `most`: that there ever were.
    """

    took: list[float] = field(default_factory=list)
    memory: int = 0
    most: int = 0
    disk: int = 0

    def line(self, number: int) -> str:
        events = row("", "", 0, self.took or [math.nan], 1)
        return (
            f"{number:6} {len(self.took):8} {events['p50']:9.1f} {events['p99']:9.1f} {self.memory / MB:12.1f}"
            f" {self.most / MB:12.1f} {self.disk / MB:12.1f}"
        )


HEAD = f"{'minute':>6} {'events':>8} {'p50, ms':>9} {'p99, ms':>9} {'memory, MB':>12} {'most, MB':>12} {'disk, MB':>12}"


@dataclass
class Soak:
    """A whole run: the samples of memory are (seconds, bytes)."""

    minutes: list[Minute] = field(default_factory=list)
    samples: list[tuple[float, int]] = field(default_factory=list)
    idle: int = 0

    @property
    def slope(self) -> tuple[float, float]:
        """Bytes an hour, and the standard error of that.

        Raises:
            NoSlope: there are too few samples.
        """
        end = self.samples[-1][0] if self.samples else 0.0
        return fitted([one for one in self.samples if one[0] >= end / 5])

    def summary(self) -> str:
        took = [one for minute in self.minutes for one in minute.took]
        events, seconds = row("", "", 0, took, 1), self.samples[-1][0]
        slope, error = self.slope
        return (
            f"{len(took)} events in {seconds / 60:.1f} minutes, p50 {events['p50']:.1f} ms, p99 {events['p99']:.1f} ms;"
            f" memory {self.idle / MB:.1f} MB before, {self.samples[-1][1] / MB:.1f} MB at the end, slope"
            f" {slope / MB:+.2f} MB an hour (± {error / MB:.2f}), {slope * seconds / 3600 / MB:+.2f} MB in this run"
        )


def fitted(samples: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """The slope of the line through samples, by least squares, and its standard error; an hour.

    Raises:
        NoSlope: there are fewer than three.
    """
    if len(samples) < 3:
        raise NoSlope(f"{len(samples)} samples are too few for a line")
    count = len(samples)
    middle, mean = sum(at for at, _ in samples) / count, sum(size for _, size in samples) / count
    spread = sum((at - middle) ** 2 for at, _ in samples)
    slope = sum((at - middle) * (size - mean) for at, size in samples) / spread
    rest = sum((size - mean - slope * (at - middle)) ** 2 for at, size in samples)
    return 3600 * slope, 3600 * math.sqrt(rest / (count - 2) / spread)


async def measure(minutes: float, sockets: int, rate: float, database: str | None) -> Soak:
    """Run a node under load, and print each minute (each fifth of less than five)."""
    soak, seconds = Soak(), 60 * minutes
    every = min(60.0, seconds / 5)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
        room = ["--connections", "4000", "--connections-per-address", "4000", "--paths", "/", "--no-gateway"]
        server = EmbeddedServer(folder, None, *room, *(["--database", database] if database else []))
        await stack.enter_async_context(server)
        subscribers: list[Subscriber] = []
        for number in range(sockets):
            subscribers.append(await Subscriber.open(server.url, number))
            stack.push_async_callback(subscribers[-1].close)
        listening = [asyncio.create_task(one.listen()) for one in subscribers]
        stack.callback(lambda: [one.cancel() for one in listening])
        soak.idle, _ = memory_of(server.process.pid)
        began = time.monotonic()
        soak.minutes.append(Minute())

        async def write(number: int) -> None:
            mine = subscribers[number::WRITERS]
            client = await Client.open(server.url)
            stack.push_async_callback(client.close)
            turn, pause = 0, min(WRITERS, sockets) / rate
            first = began + pause * number / WRITERS  # not all at once
            while time.monotonic() < began + seconds:
                whose = mine[turn % len(mine)]
                soak.minutes[-1].took.append(await whose.write(client, turn))
                if turn % ASKED_EVERY == 0:
                    query = await compose.records_query(whose.whose.signer, CLOCK, **NEWEST)
                    await client.send([request(whose.whose, query)], [])
                turn += 1
                # Behind its time, it goes on at once, as fast as the node lets it.
                await asyncio.sleep(max(0.0, first + turn * pause - time.monotonic()))

        async def watch() -> None:
            for number in range(1, SAMPLES + 1):
                await asyncio.sleep(max(0.0, began + number * seconds / SAMPLES - time.monotonic()))
                memory, most = memory_of(server.process.pid)
                soak.samples.append((time.monotonic() - began, memory))
                if number * seconds / SAMPLES >= every * len(soak.minutes) or number == SAMPLES:
                    ended = soak.minutes[-1]
                    ended.memory, ended.most, ended.disk = memory, most, disk_of(folder, database)
                    print(ended.line(len(soak.minutes)), flush=True)
                    if number < SAMPLES:
                        soak.minutes.append(Minute())

        print(HEAD)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(watch())
            for number in range(min(WRITERS, sockets)):
                tasks.create_task(write(number))
    return soak


def main() -> int:
    """Measure as the arguments say; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.node.soak", description="a node under steady load")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--sockets", type=int, default=1000, help="each of a tenant of its own")
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--database", help="an empty PostgreSQL database instead of a folder")
    parser.add_argument("--quick", action="store_true", help=f"as little as {QUICK}")
    given = parser.parse_args()
    size = QUICK if given.quick else {"minutes": given.minutes, "sockets": given.sockets, "rate": given.rate}
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    soak = asyncio.run(measure(size["minutes"], int(size["sockets"]), size["rate"], given.database))
    print(soak.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main())
