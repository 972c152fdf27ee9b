"""The clients of the bench of nodes, and the requests that they send."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from tests.bench.stage import BenchError
from tests.unit.dwn.persons import Person, person
from web5.dids import key as did_key
from web5.dwn.wire import rpc


async def did_key_person() -> Person:
    """Somebody whose DID is short enough for the tables that dwn-server makes in PostgreSQL: at most 100 characters."""
    return await person(create=did_key.create)


def request(whose: Person, message: dict[str, Any], data: bytes = b"") -> bytes:
    """A message as it goes over a connection."""
    body = "content-type: application/octet-stream\r\n" if data else ""
    head = (
        f"POST / HTTP/1.1\r\nhost: localhost\r\n{rpc.REQUEST_HEADER}: {rpc.encode_request(whose.did, message, '1')}\r\n"
        f"{body}content-length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def row(name: str, server: str, clients: int, took: Sequence[float], seconds: float) -> dict[str, Any]:
    """The row of the table for what took so long, each and altogether."""
    ordered = sorted(took)
    return {
        "name": name,
        "server": server,
        "clients": clients,
        "per_second": len(ordered) / seconds,
        "p50": 1000 * ordered[len(ordered) // 2],
        "p99": 1000 * ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
    }


class Client:
    """A connection that sends what is ready, and reads little more of an answer than its status.

    A server that was busy for longer than it keeps connections has closed them when it gets to what came over them
    meanwhile; that is sent again then, over another one.
    """

    def __init__(self, url: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._url, self._reader, self._writer = url, reader, writer

    @staticmethod
    async def open(url: str) -> Client:
        return Client(url, *await _connect(url))

    async def send(self, requests: Sequence[bytes], took: list[float]) -> None:
        """Send requests one after the other, and note the seconds that each took."""
        for request in requests:
            began = time.perf_counter()
            try:
                answer = await self._ask(request)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._writer.close()
                self._reader, self._writer = await _connect(self._url)
                answer = await self._ask(request)
            took.append(time.perf_counter() - began)
            if b'"code":20' not in answer:
                raise BenchError(f"a node refused a message: {answer[-500:].decode(errors='replace')}")

    async def _ask(self, request: bytes) -> bytes:
        self._writer.write(request)
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
        with suppress(ConnectionError):  # a server may have given up a connection that idled while others went on
            await self._writer.wait_closed()


async def _connect(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    parts = urlsplit(url)
    return await asyncio.open_connection(parts.hostname, parts.port, limit=1 << 20)
