"""WebSockets through the `websockets` library."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidMessage,
    InvalidStatus,
    ProxyError,
    WebSocketException,
)
from websockets.frames import CloseCode

from web5.dwn.wire.rpc import MAX_REPLY_BYTES
from web5.errors import AskedToWait, NoWebSocket, RemoteError, TimedOut, Unreachable
from web5.remote.pauses import asked_seconds, is_to_wait

PING_SECONDS = 20.0
"""Time between two pings of the other end, and for its answer."""

CLOSE_SECONDS = 1.0
"""Time that the other end may take to agree that a connection ends."""

WAITING_FRAMES = 2
"""Frames that have come and are not read yet, from which on the other end is made to wait."""

PASSING = frozenset({408, 421, 425, 500, 502, 503, 504})
"""Statuses of a handshake that tell of a server's trouble just now, not of what it offers."""


class CPythonWebSocket:
    """A `WebSocket`, from the moment it is open."""

    def __init__(self, connection: ClientConnection, url: str) -> None:
        self._connection = connection
        self._url = url
        self._closed = False

    async def send(self, text: str) -> None:
        try:
            await self._connection.send(text)
        except ConnectionClosed as error:
            raise self._broken(error) from error

    async def __aiter__(self) -> AsyncIterator[str]:
        while not self._closed:
            try:
                received = await self._connection.recv()
            except ConnectionClosed as error:
                if self._closed:
                    return
                raise self._broken(error) from error
            if self._closed:
                return
            if not isinstance(received, str):
                await self._connection.close(CloseCode.UNSUPPORTED_DATA)
                raise Unreachable(f"{self._url} sent what is no text")
            yield received

    async def close(self) -> None:
        self._closed = True
        await self._connection.close()

    def _broken(self, error: ConnectionClosed) -> Unreachable:
        return Unreachable(f"{self._url} is not connected any more: {error}")


class CPythonWebSockets:
    """The `WebSockets` port over `websockets`; a connection whose other end falls silent is given up.

    Parameters:
        locate: where to connect to instead of the host of a URL; raises OSError if nowhere.
    """

    def __init__(self, locate: Callable[[str], Awaitable[str]] | None = None) -> None:
        self._locate = locate

    async def connect(self, url: str, *, timeout: float = 30.0) -> CPythonWebSocket:
        try:
            async with asyncio.timeout(timeout):
                # TLS is verified for the host of the URL all the same; the library follows no redirect to another.
                there: dict[str, Any] = {"host": await self._locate(url), "proxy": None} if self._locate else {}
                connection = await connect(
                    url,
                    **there,
                    open_timeout=None,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                    max_size=MAX_REPLY_BYTES,
                    max_queue=WAITING_FRAMES,
                    compression=None,
                )
        except (OSError, WebSocketException, ValueError) as error:
            raise _translated(error, url) from error
        return CPythonWebSocket(connection, url)


def _translated(error: Exception, url: str) -> RemoteError:
    match error:
        case TimeoutError():
            return TimedOut(f"{url} did not open a WebSocket in time")
        case InvalidStatus() if (asked := _asked_to_wait(error, url)) is not None:
            return asked
        case InvalidStatus() if error.response.status_code in PASSING:
            return Unreachable(f"{url} answered {error.response.status_code}")
        case InvalidStatus():
            return NoWebSocket(f"{url} offers no WebSocket; it answered {error.response.status_code}")
        case InvalidMessage() | ProxyError():
            return Unreachable(f"{url} cannot be reached: {error}")
        case InvalidHandshake():
            return NoWebSocket(f"{url} offers no WebSocket: {error}")
    return Unreachable(f"{url} cannot be reached: {error or type(error).__name__}")


def _asked_to_wait(error: InvalidStatus, url: str) -> AskedToWait | None:
    status = error.response.status_code
    headers = {name.lower(): value for name, value in error.response.headers.raw_items()}
    seconds = asked_seconds(headers, int(time.time() * 1_000_000))
    return AskedToWait(f"{url} answered {status}", seconds, status) if is_to_wait(status, seconds) else None
