"""WebSockets through the `websockets` library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

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

from web5.errors import NoWebSocket, RemoteError, TimedOut, Unreachable

MIB = 1024 * 1024
LARGEST_TEXT = 64 * MIB
"""Bytes that one incoming text may have; a page of records with their data is a few MiB."""

PING_SECONDS = 20.0
"""How often the other end is asked whether it is still there, and how long it may take to say so."""

CLOSE_SECONDS = 1.0
"""How long the other end may take to agree that a connection ends."""

PASSING = frozenset({408, 421, 425, 429, 500, 502, 503, 504})
"""Statuses of a handshake that tell of a server's trouble just now, not of what it offers."""


class CPythonWebSocket:
    """An open connection; see `WebSocket`."""

    def __init__(self, connection: ClientConnection, url: str) -> None:
        self._connection = connection
        self._url = url
        self._closed = False

    async def send(self, text: str) -> None:
        with self._translated():
            await self._connection.send(text)

    async def __aiter__(self) -> AsyncIterator[str]:
        while not self._closed:
            try:
                with self._translated():
                    received = await self._connection.recv()
            except Unreachable:
                if self._closed:
                    return
                raise
            if self._closed:
                return
            if not isinstance(received, str):
                await self._connection.close(CloseCode.UNSUPPORTED_DATA)
                raise Unreachable(f"{self._url} sent what is no text")
            yield received

    async def close(self) -> None:
        self._closed = True
        await self._connection.close()

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except ConnectionClosed as error:
            raise Unreachable(f"{self._url} is not connected any more: {error}") from error


class CPythonWebSockets:
    """The `WebSockets` port over `websockets`; a connection whose other end falls silent is given up."""

    async def connect(self, url: str, *, timeout: float = 30.0) -> CPythonWebSocket:
        try:
            async with asyncio.timeout(timeout):
                connection = await connect(
                    url,
                    open_timeout=None,
                    ping_interval=PING_SECONDS,
                    ping_timeout=PING_SECONDS,
                    close_timeout=CLOSE_SECONDS,
                    max_size=LARGEST_TEXT,
                    compression=None,
                )
        except (OSError, WebSocketException, ValueError) as error:
            raise _translated(error, url) from error
        return CPythonWebSocket(connection, url)


def _translated(error: Exception, url: str) -> RemoteError:
    match error:
        case TimeoutError():
            return TimedOut(f"{url} did not open a WebSocket in time")
        case InvalidStatus() if error.response.status_code in PASSING:
            return Unreachable(f"{url} answered {error.response.status_code}")
        case InvalidStatus():
            return NoWebSocket(f"{url} offers no WebSocket; it answered {error.response.status_code}")
        case InvalidMessage() | ProxyError():
            return Unreachable(f"{url} cannot be reached: {error}")
        case InvalidHandshake():
            return NoWebSocket(f"{url} offers no WebSocket: {error}")
    return Unreachable(f"{url} cannot be reached: {error or type(error).__name__}")
