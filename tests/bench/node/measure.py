"""What a remote node does a second, part of `build.py bench`: ours and dwn-server, on SQLite and on PostgreSQL.

Signed messages are made before the clock runs, and sent by clients that each wait for an answer before the next, over a
connection of their own. The clients share the machine with the servers, so that a faster one would show more. An event
is timed from the moment at which its write is sent to that at which it has come over the subscriber's socket.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench.node.clients import Client, did_key_person, request, row
from tests.bench.node.events import measure_events
from tests.bench.stage import say
from tests.browser.processes import Server, free_port
from tests.interop.dwn_server import reference_dwn_server
from tests.postgres import PostgresServer
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.ports.clock import SystemClock

CLOCK = SystemClock()
DATA = b"x" * 120
LARGE = 1_000_000
NEWEST = {"filter": {"dataFormat": "text/plain"}, "date_sort": "createdDescending", "pagination": {"limit": 20}}


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        messages: of each kind, by all clients together.
        large: of each kind with data of 1 MB.
        clients: numbers of clients.
        records: that one tenant has, who is then asked for the newest, a fifth as often as for other messages.
        sockets: that are subscribed, each to a tenant of its own.
        events: that reach them.
    """

    messages: int
    large: int
    clients: Sequence[int]
    records: int
    sockets: int
    events: int


SIZES = {
    "full": Sizes(messages=1600, large=64, clients=(1, 8, 64), records=10_000, sockets=1000, events=2000),
    "quick": Sizes(messages=12, large=2, clients=(2,), records=30, sockets=4, events=8),
}


@dataclass
class Figures:
    """Rows of what was done, by which server, for how many clients."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def text(self) -> str:
        """The table."""
        head = f"{'':16} {'server':24} {'clients':>8} {'a second':>10} {'p50, ms':>10} {'p99, ms':>10}"
        lines = [
            f"{row['name']:16} {row['server']:24} {row['clients']:8} {row['per_second']:10.0f}"
            f" {row['p50']:10.1f} {row['p99']:10.1f}"
            for row in self.rows
        ]
        return "\n".join([head, *lines])

    def as_json(self) -> list[dict[str, Any]]:
        return self.rows


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = await asyncio.to_thread(PostgresServer)
        stack.callback(postgres.close)
        database = ["--database", postgres.database()]
        ours = await stack.enter_async_context(_served(["--data", str(folder / "ours")]))
        first = await stack.enter_async_context(_served(database))
        second = await stack.enter_async_context(_served(database))
        peer = await stack.enter_async_context(reference_dwn_server(data_dir=folder / "peer"))
        with_postgres = reference_dwn_server(data_dir=folder / "peer-postgres", database=postgres.database())
        other = await stack.enter_async_context(with_postgres)
        servers = {
            "ours, SQLite": [ours],
            "ours, PostgreSQL": [first],
            "ours, PostgreSQL, two": [first, second],
            "dwn-server, SQLite": [peer],
            "dwn-server, PostgreSQL": [other],
        }
        for clients in sizes.clients:
            for name, urls in servers.items():
                say(f"node: {name}, {clients} clients")
                await _work(name, urls, clients, max(1, sizes.messages // clients), DATA, figures)
                await _work(name, urls, clients, max(1, sizes.large // clients), bytes(LARGE), figures)
        await _many_records(servers, sizes, figures)
        for name, urls in servers.items():
            say(f"node: {name}, {sizes.sockets} sockets")
            figures.rows.append(await measure_events(name, urls, sizes.sockets, sizes.events))


_ROOM = ["--connections", "4000", "--connections-per-address", "4000"]
"""For the sockets, which come from few addresses."""


@asynccontextmanager
async def _served(where: list[str]) -> AsyncIterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["-m", "web5.node", "serve", "--port", str(port), "--no-gateway", *_ROOM, *where]
    server = Server(command, f"{url}/health", says=sys.stderr)
    await server.start()
    try:
        yield url
    finally:
        await server.stop()


async def _work(name: str, urls: list[str], clients: int, count: int, data: bytes, figures: Figures) -> None:
    """Measure writes, reads and, of small data, queries."""
    people = [await did_key_person() for _ in range(clients)]
    writes = [[await _write(whose, data) for _ in range(count)] for whose in people]
    reads = [
        [request(whose, await compose.records_read(whose.signer, CLOCK, filter={"recordId": id})) for id, _ in sent]
        for whose, sent in zip(people, writes, strict=True)
    ]
    size = "" if data is DATA else ", 1 MB"
    await _timed(f"write{size}", name, urls, [[sent for _, sent in some] for some in writes], figures)
    await _timed(f"read{size}", name, urls, reads, figures)
    if data is DATA:
        queries = [
            [request(whose, await compose.records_query(whose.signer, CLOCK, **NEWEST)) for _ in range(count)]
            for whose in people
        ]
        await _timed("query", name, urls, queries, figures)


async def _many_records(servers: dict[str, list[str]], sizes: Sizes, figures: Figures) -> None:
    """Measure queries for the newest of many records."""
    whose = await did_key_person()
    stock = [(await _write(whose, DATA))[1] for _ in range(sizes.records)]
    for first in {urls[0] for urls in servers.values()}:
        say(f"node: {sizes.records} records to {first}")
        await _timed("", "", [first], [stock[number::8] for number in range(8)], Figures())
    for clients in sizes.clients:
        for name, urls in servers.items():
            queries = [
                [request(whose, await compose.records_query(whose.signer, CLOCK, **NEWEST)) for _ in range(count)]
                for count in [max(1, sizes.messages // 5 // clients)] * clients
            ]
            await _timed(f"query of {sizes.records}", name, urls, queries, figures)


async def _timed(what: str, name: str, urls: list[str], requests: list[list[bytes]], figures: Figures) -> None:
    """Send the requests of each client, and add their row."""
    async with AsyncExitStack() as stack:
        opened = []
        for number in range(len(requests)):
            opened.append(await Client.open(urls[number % len(urls)]))
            stack.push_async_callback(opened[-1].close)
        took: list[float] = []
        began = time.perf_counter()
        await asyncio.gather(*(one.send(some, took) for one, some in zip(opened, requests, strict=True)))
        figures.rows.append(row(what, name, len(requests), took, time.perf_counter() - began))


async def _write(whose: Person, data: bytes) -> tuple[str, bytes]:
    message = await compose.records_write(whose.signer, CLOCK, data=data, data_format="text/plain")
    return message["recordId"], request(whose, message, data)
