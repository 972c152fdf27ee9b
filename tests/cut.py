"""A way to a server that can be cut and stopped: what a network does between a node and its database."""

from __future__ import annotations

import asyncio
from contextlib import suppress


class Way:
    """TCP connections on a port of loopback, each carried on to a UNIX socket.

    Parameters:
        to: the path of the socket.
    """

    def __init__(self, to: str) -> None:
        self._to = to
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()
        self._flowing = asyncio.Event()
        self.port = 0
        self.carried = 0
        """Bytes, both ways."""

    async def restore(self) -> None:
        """Carry connections again, at the same port, and what was held back."""
        self._flowing.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """End all connections at once, with what is on its way in them; new ones are refused."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.break_all()
        self._flowing.set()

    def break_all(self) -> None:
        """End all connections at once; new ones come in."""
        for writer in self._open:
            writer.transport.abort()

    def hold(self) -> None:
        """Hold back all bytes, and say nothing: neither end knows."""
        self._flowing.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            there, back = await asyncio.open_unix_connection(self._to)
            self._open.add(back)
            try:
                await asyncio.gather(self._pipe(reader, back), self._pipe(there, writer))
            finally:
                back.transport.abort()
                self._open.discard(back)
        except OSError:
            pass
        finally:
            writer.transport.abort()
            self._open.discard(writer)

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(1 << 16):
                await self._flowing.wait()
                writer.write(data)
                self.carried += len(data)
                await writer.drain()
        writer.transport.abort()
