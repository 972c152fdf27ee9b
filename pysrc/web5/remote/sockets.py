"""The WebSockets that are open: one an endpoint, opened by the first subscription, closed after the last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from web5.ports.websocket import WebSocket
from web5.remote.socket import DwnSocket, Message, OnEvent, SocketSubscription


class _Line:
    """An endpoint's socket, from the moment it is being opened, and how many wait to subscribe over it."""

    def __init__(self, opening: asyncio.Task[DwnSocket]) -> None:
        self.opening = opening
        self.waiting = 0
        self._given_up = False

    @property
    def socket(self) -> DwnSocket | None:
        """The socket, if it is open."""
        if not self.opening.done() or self.opening.cancelled() or self.opening.exception() is not None:
            return None
        socket = self.opening.result()
        return socket if socket.is_open else None

    @property
    def is_over(self) -> bool:
        return self._given_up or (self.opening.done() and self.socket is None)

    def rest(self) -> None:
        """Give up what nobody waits for or uses."""
        if self.waiting:
            return
        if not self.opening.done():
            self._given_up = self.opening.cancel()
        elif self.socket is not None:
            self.socket.rest()


class Sockets:
    """The sockets to all endpoints.

    Parameters:
        connect: opens a WebSocket to an endpoint.
        timeout: seconds that a request may take.
    """

    def __init__(self, connect: Callable[[str], Awaitable[WebSocket]], timeout: float) -> None:
        self._connect = connect
        self._timeout = timeout
        self._lines: dict[str, _Line] = {}

    def open_to(self, endpoint: str) -> DwnSocket | None:
        """The socket to an endpoint, if one is open."""
        line = self._lines.get(endpoint)
        return line.socket if line is not None else None

    async def subscribe(self, endpoint: str, tenant: str, message: Message, on_event: OnEvent) -> SocketSubscription:
        """See `DwnSocket.subscribe`; those who subscribe at an endpoint at the same time share one connect.

        Raises:
            RemoteError: whatever `connect` raises, to all who wait for it; and as `DwnSocket.subscribe`.
        """
        line = self._lines.get(endpoint)
        if line is None or line.is_over:
            line = self._lines[endpoint] = _Line(asyncio.ensure_future(self._open(endpoint)))
        line.waiting += 1
        try:
            socket = await asyncio.shield(line.opening)
            return await socket.subscribe(tenant, message, on_event)
        finally:
            line.waiting -= 1
            line.rest()
            if line.is_over and self._lines.get(endpoint) is line:
                del self._lines[endpoint]

    async def _open(self, endpoint: str) -> DwnSocket:
        return DwnSocket(endpoint, await self._connect(endpoint), self._timeout)
