"""A wire to a server that takes its time, and counts what goes over it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit

CHUNK = 64 * 1024
MARK = b"dwn-request:"


class SlowWire:
    """Passes TCP connections on, WebSockets too.

    Parameters:
        server: the server's URL.
        latency: seconds from one end to the other and back.

    Attributes:
        requests: HTTP requests to a DWN that went by.
        bytes: that went by, both ways.
    """

    def __init__(self, server: str, latency: float) -> None:
        where = urlsplit(server)
        self._target = where.hostname, where.port
        self._delay = latency / 2
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.requests = 0
        self.bytes = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def reset(self) -> None:
        self.requests = self.bytes = 0

    async def __aenter__(self) -> SlowWire:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._target)
        for source, target, is_request in ((reader, back, True), (there, writer, False)):
            task = asyncio.ensure_future(self._pass_on(source, target, is_request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pass_on(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, is_request: bool) -> None:
        """Chunks arrive later, but not more slowly: reading goes on while they are on their way."""
        loop, last, tail = asyncio.get_running_loop(), 0.0, b""
        with suppress(ConnectionError):
            while chunk := await source.read(CHUNK):
                self.bytes += len(chunk)
                if is_request:
                    seen = tail + chunk.lower()
                    self.requests += seen.count(MARK)
                    tail = seen[-len(MARK) + 1 :]
                last = max(last, loop.time() + self._delay)
                if self._delay:
                    loop.call_at(last, _write, target, chunk)
                else:
                    _write(target, chunk)
        loop.call_at(max(last, loop.time()), target.close)


def _write(target: asyncio.StreamWriter, chunk: bytes) -> None:
    if not target.is_closing():
        target.write(chunk)
