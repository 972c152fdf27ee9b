"""What tenants take of a machine: memory and disk of a node on one core, with a bound on its memory.

    python -m tests.bench.node.sizes --tenants 1000 --records 100 --memory 1000 --database URL

It starts a node of its own on one core, has each tenant write its records, and reads what the process has in memory
(`/proc`) and what lies on the disk, after each tenth of them; then so many sockets are subscribed. The run ends with an
error where the node has more memory than it may: a limit of the system would count what is only reserved. Nothing is
extrapolated: the last line is the slope of what was seen in the second half, so that few tenants say little, whose disk
is the log that SQLite writes ahead. On a machine that does other things memory and disk are right, and the time is not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.bench.node.clients import Client, request
from tests.bench.node.events import Subscriber
from tests.interop.node.serving import EmbeddedServer
from tests.unit.dwn.persons import person
from web5.dwn import compose
from web5.ports.clock import SystemClock

CLOCK = SystemClock()
CLIENTS = 8
STEPS = 10
MB = 1_000_000


class TooLarge(Exception):
    """A node that takes more memory than it may."""


@dataclass(frozen=True)
class Size:
    """The size of a node with so many tenants; bytes.

    Parameters:
        memory: that its process has, without files that others could have too.
        most: the most that it has ever had.
        disk: its folder, or its database.
    """

    tenants: int
    sockets: int
    memory: int
    most: int
    disk: int

    def line(self) -> str:
        return (
            f"{self.tenants:8} {self.sockets:8} {self.memory / MB:12.1f} {self.most / MB:12.1f} {self.disk / MB:12.1f}"
        )


HEAD = f"{'tenants':>8} {'sockets':>8} {'memory, MB':>12} {'most, MB':>12} {'disk, MB':>12}"


def memory_of(pid: int) -> tuple[int, int]:
    fields = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return tuple(int(fields[name].split()[0]) * 1024 for name in ("RssAnon", "VmHWM"))  # type: ignore[return-value]


def disk_of(folder: Path, database: str | None) -> int:
    if database is None:
        return sum(file.stat().st_blocks * 512 for file in folder.rglob("*") if file.is_file())
    with psycopg.connect(database) as connection:
        [(size,)] = connection.execute("SELECT pg_database_size(current_database())")
        return int(size)


async def _tenants(url: str, count: int, records: int, data: bytes) -> None:
    """Have some more tenants write all of their records."""

    async def write(number: int) -> None:
        client = await Client.open(url)
        for _ in range(number, count, CLIENTS):
            whose = await person()
            for _ in range(records):
                message = await compose.records_write(whose.signer, CLOCK, data=data, data_format="text/plain")
                await client.send([request(whose, message, data)], [])
        await client.close()

    await asyncio.gather(*map(write, range(min(CLIENTS, count))))


async def measure(tenants: int, records: int, data: int, sockets: int, memory: int, database: str | None) -> list[Size]:
    """Measure a node, and print each size as it is found.

    Raises:
        TooLarge: it took more memory than it may.
    """
    sizes: list[Size] = []
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "data"
        room = ["--connections", "100000", "--connections-per-address", "100000", "--paths", "/"]
        server = EmbeddedServer(folder, None, *room, *(["--database", database] if database else []))
        core = min(os.sched_getaffinity(0))
        ours = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {core})  # a child has its parent's
        try:
            await server.start()
        finally:
            os.sched_setaffinity(0, ours - {core} or ours)
        stack.push_async_callback(server.stop)

        def look(count: int, open_sockets: int) -> None:
            now, most = memory_of(server.process.pid)
            sizes.append(Size(count, open_sockets, now, most, disk_of(folder, database)))
            print(sizes[-1].line(), flush=True)
            if memory and most > memory * MB:
                raise TooLarge(f"with {count} tenants and {open_sockets} sockets it had {most / MB:.0f} MB")

        print(HEAD)
        look(0, 0)
        made = 0
        for step in range(1, STEPS + 1):
            wanted = tenants * step // STEPS
            await _tenants(server.url, wanted - made, records, os.urandom(data))
            made = wanted
            look(made, 0)
        for number in range(sockets):
            subscriber = await Subscriber.open(server.url, number)
            stack.push_async_callback(subscriber.close)
        look(made, sockets)
    return sizes


def slopes(sizes: Sequence[Size]) -> str:
    """What one more tenant, and one more socket, took."""
    half, last, ended = sizes[len(sizes) // 2], sizes[-2], sizes[-1]
    tenants, sockets = max(1, last.tenants - half.tenants), max(1, ended.sockets)
    return (
        f"a tenant: {(last.disk - half.disk) / tenants / 1000:.1f} kB of disk,"
        f" {(last.memory - half.memory) / tenants / 1000:.1f} kB of memory;"
        f" a socket: {(ended.memory - last.memory) / sockets / 1000:.1f} kB of memory"
    )


def main() -> int:
    """Measure as the arguments say; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.node.sizes", description="sizes of a node")
    parser.add_argument("--tenants", type=int, default=1000)
    parser.add_argument("--records", type=int, default=100, help="of each tenant")
    parser.add_argument("--data", type=int, default=1000, help="bytes of each record")
    parser.add_argument("--sockets", type=int, default=1000, help="each of a tenant of its own")
    parser.add_argument("--memory", type=int, default=1000, help="the most, in MB; 0: any")
    parser.add_argument("--database", help="an empty PostgreSQL database instead of a folder")
    given = parser.parse_args()
    try:
        sizes = asyncio.run(
            measure(given.tenants, given.records, given.data, given.sockets, given.memory, given.database)
        )
    except TooLarge as error:
        print(error)
        return 1
    print(slopes(sizes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
