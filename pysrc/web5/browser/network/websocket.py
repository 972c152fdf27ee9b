"""The browser's WebSocket.

Its handlers are Python proxies that live exactly as long as the connection: once it has ended, or we have closed it,
JavaScript holds none of them, so no event that is still under way finds a destroyed one.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import js
from pyodide.ffi import JsException, create_proxy

from web5.browser.javascript.js_errors import NETWORK, translated
from web5.dwn.wire.rpc import MAX_REPLY_BYTES
from web5.errors import TimedOut, Unreachable


class BrowserWebSocket:
    """A `WebSocket`, from `new WebSocket` on."""

    def __init__(self, url: str, js_socket: Any) -> None:
        self._url = url
        self._js_socket = js_socket
        self._texts: deque[str] = deque()
        self._waiting = 0
        self._arrived = asyncio.Event()
        self._end: str | None = None
        self._closed = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._handlers = {
            "onopen": create_proxy(self._on_open),
            "onmessage": create_proxy(self._on_message),
            "onclose": create_proxy(self._on_close),
            "onerror": create_proxy(self._on_error),
        }
        for name, proxy in self._handlers.items():
            setattr(js_socket, name, proxy)

    async def send(self, text: str) -> None:
        if self._end is not None:
            raise self._unreachable()
        self._js_socket.send(text)

    async def __aiter__(self) -> AsyncIterator[str]:
        while not self._closed:
            if self._texts:
                text = self._texts.popleft()
                self._waiting -= len(text)
                yield text
            elif self._end is not None:
                raise self._unreachable()
            else:
                self._arrived.clear()
                await self._arrived.wait()

    async def close(self) -> None:
        self._closed = True
        self._over("it was closed")

    def _on_open(self, js_event: Any) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _on_message(self, js_event: Any) -> None:
        if isinstance(js_event.data, str):
            self._texts.append(js_event.data)
            self._waiting += len(self._texts[-1])
            self._arrived.set()
            if self._waiting > MAX_REPLY_BYTES:  # a browser does not let us make it wait
                self._over("the other end sends more than is read")
        else:
            self._over("the other end sent what is no text")

    def _on_close(self, js_event: Any) -> None:
        reason = f" ({js_event.reason})" if js_event.reason else ""
        self._over(f"code {js_event.code}{reason}")

    def _on_error(self, js_event: Any) -> None:
        # The end is told next, with its code; but not by WebKit of a port that it blocks.
        asyncio.get_running_loop().call_soon(self._over, "the browser made no connection, or lost it")

    def _unreachable(self) -> Unreachable:
        return Unreachable(f"{self._url} is not connected: {self._end}")

    def _over(self, reason: str) -> None:
        if self._end is not None:
            return
        self._end = reason
        for name in self._handlers:
            setattr(self._js_socket, name, None)
        self._js_socket.close()
        self._arrived.set()
        if not self.opened.done():
            self.opened.set_exception(self._unreachable())
        # One of the proxies may be what is running now.
        asyncio.get_running_loop().call_soon(lambda: [proxy.destroy() for proxy in self._handlers.values()])


class BrowserWebSockets:
    """The `WebSockets` port. The browser answers pings by itself, but sends none."""

    async def connect(self, url: str, *, timeout: float = 30.0) -> BrowserWebSocket:
        try:
            js_socket = js.WebSocket.new(url)
        except JsException as error:
            raise translated(NETWORK, error, f"connecting to {url}") from error
        socket = BrowserWebSocket(url, js_socket)
        try:
            async with asyncio.timeout(timeout):
                await socket.opened
        except BaseException as error:
            await socket.close()
            if isinstance(error, TimeoutError):
                raise TimedOut(f"{url} did not open a WebSocket in {timeout:g} s") from error
            raise
        return socket
