"""A TCP proxy that is far away and counts: every byte is as late as the line is long, in order, WebSockets included.

A new connection costs a round trip more before its first byte, as TCP's handshake does.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, fields
from urllib.parse import urlsplit

from tests.bench.sync.wire import ClientStream

PIECE = 64 * 1024


@dataclass(slots=True)
class Counts:
    """What went through.

    Parameters:
        requests: HTTP requests but preflights, and texts that the client sent over WebSockets.
        preflights: OPTIONS requests, which the browser makes by itself.
        sent, received: bytes as the client sees it, heads and frames included.
    """

    requests: int = 0
    preflights: int = 0
    sent: int = 0
    received: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def __sub__(self, before: Counts) -> Counts:
        return self + before.times(-1)

    def times(self, factor: float) -> Counts:
        """So often."""
        return Counts(*(round(getattr(self, field.name) * factor) for field in fields(self)))


class Proxy:
    """Stands before one server, on a port that stays the same.

    Attributes:
        round_trip: seconds from a byte of the client to its answer, of which the server knows nothing.
        upstream: the URL of the server; connections that are open stay with the one before.
    """

    def __init__(self, upstream: str) -> None:
        self.round_trip = 0.0
        self.upstream = upstream
        self.url = ""
        self._counts = Counts()

    def counts(self) -> Counts:
        """What went through until now."""
        return self._counts.times(1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either end closes it."""
        target = urlsplit(self.upstream)
        try:
            server_reader, server_writer = await asyncio.open_connection(target.hostname, target.port)
        except OSError:
            writer.close()
            return
        stream = ClientStream(self._asked)
        await asyncio.gather(
            self._carry(reader, server_writer, lambda piece: self._out(stream, piece), handshake=True),
            self._carry(server_reader, writer, self._in),
        )

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        seen: Callable[[bytes], None],
        *,
        handshake: bool = False,
    ) -> None:
        """One direction."""
        now = asyncio.get_running_loop().time
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def arrive() -> None:
            while True:
                due, piece = await line.get()
                if (left := due - now()) > 0:
                    await asyncio.sleep(left)
                if not piece:
                    return
                writer.write(piece)
                await writer.drain()

        arriving = asyncio.create_task(arrive())
        earliest = now() + self.round_trip if handshake else 0.0
        try:
            piece = b"."
            while piece:
                try:
                    piece = await reader.read(PIECE)
                except ConnectionError:
                    piece = b""
                seen(piece)
                line.put_nowait((max(now(), earliest) + self.round_trip / 2, piece))
            with suppress(ConnectionError):
                await arriving
        finally:
            arriving.cancel()
            writer.close()

    def _out(self, stream: ClientStream, piece: bytes) -> None:
        self._counts.sent += len(piece)
        stream.feed(piece)

    def _in(self, piece: bytes) -> None:
        self._counts.received += len(piece)

    def _asked(self, method: str) -> None:
        if method == "OPTIONS":
            self._counts.preflights += 1
        else:
            self._counts.requests += 1


@asynccontextmanager
async def proxy(upstream: str = "") -> AsyncIterator[Proxy]:
    """A proxy on a port of its own, until the end of the block."""
    one = Proxy(upstream)
    server = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield one
    finally:
        server.close()
