"""A line between a browser and a server that carries only so much and takes its time.

Chromium's own emulation of a network does not reach a page's workers; what goes through here is slow for all of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

PIECE = 4096
"""Bytes that one connection sends before it is another's turn."""

LATE_SECONDS = 0.1
"""Time by which this process may be late without the line carrying less."""

AHEAD = 64
"""Pieces of a connection that are on their way at most, as in the windows of TCP."""


@dataclass(frozen=True)
class Line:
    """A line.

    Parameters:
        bits_per_second: in each direction.
        round_trip: seconds.
    """

    bits_per_second: float
    round_trip: float


class _Direction:
    """One direction of a line, which all connections share in turns."""

    def __init__(self, line: Line) -> None:
        self._seconds_per_byte = 8 / line.bits_per_second
        self._free_at = 0.0
        self.delay = line.round_trip / 2

    async def carry(self, size: int) -> float:
        """Wait until so many bytes are on the line; when the last of them arrives."""
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now - LATE_SECONDS) + size * self._seconds_per_byte
        await asyncio.sleep(self._free_at - now)  # which may be less than nothing
        return self._free_at + self.delay


@asynccontextmanager
async def through(line: Line, port: int) -> AsyncIterator[int]:
    """Put a line before a port of this machine.

    Returns:
        The port at its other end.
    """
    up, down = _Direction(line), _Direction(line)
    carrying: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        carrying.add(task)
        try:
            await asyncio.sleep(line.round_trip)  # the handshake
            their_reader, their_writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                await asyncio.gather(_carry(reader, their_writer, up), _carry(their_reader, writer, down))
            finally:
                their_writer.close()
        except (OSError, asyncio.CancelledError):
            pass  # one of both ends has gone
        finally:
            writer.close()
            carrying.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in list(carrying):
            task.cancel()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: _Direction) -> None:
    """Carry what comes to the other end, until there is no more."""
    underway: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(AHEAD)

    async def send() -> None:
        while piece := await reader.read(PIECE):
            await underway.put((await direction.carry(len(piece)), piece))
        await underway.put((0.0, b""))

    async def arrive() -> None:
        loop = asyncio.get_running_loop()
        while True:
            at, piece = await underway.get()
            if not piece:
                break
            await asyncio.sleep(at - loop.time())
            writer.write(piece)
            await writer.drain()
        writer.write_eof()

    await asyncio.gather(send(), arrive())
