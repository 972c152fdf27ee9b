"""WebSockets into an ASGI app of this process, for tests that own the moment at which things happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from web5.errors import NoWebSocket, Unreachable


class AsgiWebSocket:
    """A `WebSocket`.

    Attributes:
        reads: while it is not set, nothing that the app sends is taken, as with a client that is too slow.
        code: the code with which the app has closed it; None while it is open or was broken off.
    """

    def __init__(self, app: Any, url: str) -> None:
        scheme, _, path, query, _ = urlsplit(url)
        scope = {"type": "websocket", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": scheme, "path": path}
        scope |= {"raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "headers": []}
        self.reads = asyncio.Event()
        self.reads.set()
        self.code: int | None = None
        self._to_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._over = self._closed = False
        self._to_app.put_nowait({"type": "websocket.connect"})
        self.serving = asyncio.ensure_future(app(scope, self._to_app.get, self._take))

    async def accepted(self) -> bool:
        return (await self._from_app.get())["type"] == "websocket.accept"

    async def _take(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        if self._over:
            raise OSError("the client is gone")
        if message["type"] == "websocket.close":
            self.code = message["code"]
            self._over = True
        self._from_app.put_nowait(message)

    async def send(self, text: str) -> None:
        if self._over:
            raise Unreachable("the socket has ended")
        self._to_app.put_nowait({"type": "websocket.receive", "text": text})

    async def __aiter__(self) -> AsyncIterator[str]:
        while not self._closed:
            message = await self._from_app.get()
            if self._closed:
                return
            if message["type"] != "websocket.send":
                raise Unreachable(f"the socket ended with code {message.get('code')}")
            yield message["text"]

    async def close(self) -> None:
        self._closed = True
        self.break_off()

    def break_off(self) -> None:
        """Lose the connection; both sides are told."""
        if not self._over:
            self._over = True
            self._to_app.put_nowait({"type": "websocket.disconnect", "code": 1006})
            self._from_app.put_nowait({"type": "broken"})
        self.reads.set()


class AsgiWebSockets:
    """The `WebSockets` port.

    Attributes:
        down: nobody can be reached while it is true.
        made: every socket that was opened, the oldest first.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self.down = False
        self.made: list[AsgiWebSocket] = []

    async def connect(self, url: str, *, timeout: float = 30.0) -> AsgiWebSocket:
        if self.down:
            raise Unreachable(f"{url} is down")
        socket = AsgiWebSocket(self._app, url)
        if not await socket.accepted():
            raise NoWebSocket(f"{url} offers no WebSocket")
        self.made.append(socket)
        return socket
