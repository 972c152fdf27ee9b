"""What a remote node does a second, part of `build.py bench`: ours on SQLite and on PostgreSQL, and dwn-server.

Signed messages are made before the clock runs, and sent by clients that each wait for an answer before the next, over a
connection of their own. The clients share the machine with the servers, so that a faster one would show more.
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
from urllib.parse import urlsplit

from tests.bench.stage import BenchError, say
from tests.browser.processes import Server, free_port
from tests.interop.dwn_server import reference_dwn_server
from tests.postgres import PostgresServer
from tests.unit.dwn.persons import Person, person
from web5.dwn import compose
from web5.dwn.wire import rpc
from web5.ports.clock import SystemClock

CLOCK = SystemClock()
DATA = b"x" * 120
PEER = "dwn-server, SQLite"


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        messages: of each kind, by all clients together.
        clients: numbers of clients.
    """

    messages: int
    clients: Sequence[int]


SIZES = {"full": Sizes(messages=640, clients=(1, 8, 64)), "quick": Sizes(messages=12, clients=(2,))}


@dataclass
class Figures:
    """Rows of what was done, by which server, for how many clients."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def text(self) -> str:
        """The table."""
        head = f"{'':8} {'':24} {'clients':>8} {'a second':>10} {'p50, ms':>10} {'p99, ms':>10}"
        lines = [
            f"{row['name']:8} {row['server']:24} {row['clients']:8} {row['per_second']:10.0f}"
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
        servers = {
            "ours, SQLite": [ours],
            "ours, PostgreSQL": [first],
            "ours, PostgreSQL, two": [first, second],
            PEER: [peer],
        }
        for clients in sizes.clients:
            for name, urls in servers.items():
                say(f"node: {name}, {clients} clients")
                await _work(name, urls, clients, max(1, sizes.messages // clients), figures)


@asynccontextmanager
async def _served(where: list[str]) -> AsyncIterator[str]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = ["-m", "web5.node", "serve", "--port", str(port), "--no-gateway", *where]
    server = Server(command, f"{url}/health", says=sys.stderr)
    await server.start()
    try:
        yield url
    finally:
        await server.stop()


async def _work(name: str, urls: list[str], clients: int, count: int, figures: Figures) -> None:
    async with AsyncExitStack() as stack:
        people = [await person() for _ in range(clients)]
        opened = []
        for number in range(clients):
            opened.append(await _Client.open(urls[number % len(urls)]))
            stack.push_async_callback(opened[-1].close)
        writes = [[await _write(whose) for _ in range(count)] for whose in people]
        reads = [
            [
                _request(whose, await compose.records_read(whose.signer, CLOCK, filter={"recordId": id}))
                for id, _ in sent
            ]
            for whose, sent in zip(people, writes, strict=True)
        ]
        newest = {"filter": {"dataFormat": "text/plain"}, "date_sort": "createdDescending", "pagination": {"limit": 20}}
        queries = [
            [_request(whose, await compose.records_query(whose.signer, CLOCK, **newest)) for _ in range(count)]
            for whose in people
        ]
        kinds = {"write": [[request for _, request in sent] for sent in writes], "read": reads, "query": queries}
        for kind, requests in kinds.items():
            took: list[float] = []
            began = time.perf_counter()
            await asyncio.gather(*(one.send(some, took) for one, some in zip(opened, requests, strict=True)))
            seconds = time.perf_counter() - began
            took.sort()
            figures.rows.append(
                {
                    "name": kind,
                    "server": name,
                    "clients": clients,
                    "per_second": len(took) / seconds,
                    "p50": 1000 * took[len(took) // 2],
                    "p99": 1000 * took[min(len(took) - 1, len(took) * 99 // 100)],
                }
            )


async def _write(whose: Person) -> tuple[str, bytes]:
    message = await compose.records_write(whose.signer, CLOCK, data=DATA, data_format="text/plain")
    return message["recordId"], _request(whose, message, DATA)


def _request(whose: Person, message: dict[str, Any], data: bytes = b"") -> bytes:
    body = "content-type: application/octet-stream\r\n" if data else ""
    head = (
        f"POST / HTTP/1.1\r\nhost: localhost\r\n{rpc.REQUEST_HEADER}: {rpc.encode_request(whose.did, message, '1')}\r\n"
        f"{body}content-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


class _Client:
    """A connection that sends what is ready, and reads little more of an answer than its status."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @staticmethod
    async def open(url: str) -> _Client:
        parts = urlsplit(url)
        return _Client(*await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20))

    async def send(self, requests: Sequence[bytes], took: list[float]) -> None:
        """Send requests one after the other, and note the seconds that each took."""
        for request in requests:
            began = time.perf_counter()
            self._writer.write(request)
            answer = await self._answer()
            took.append(time.perf_counter() - began)
            if b'"code":20' not in answer:
                raise BenchError(f"a node refused a message: {answer[-500:].decode(errors='replace')}")

    async def _answer(self) -> bytes:
        head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
        if b"chunked" not in fields.get(b"transfer-encoding", b""):
            return head + await self._reader.readexactly(int(fields.get(b"content-length", b"0")))
        body = b""
        while size := int((await self._reader.readline()).split(b";")[0], 16):
            body += await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()
        return head + body

    async def close(self) -> None:
        self._writer.close()
        await self._writer.wait_closed()
