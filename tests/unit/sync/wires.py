"""WebSockets whose other end is the test."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from web5.dwn.events import Event
from web5.dwn.wire import rpc, rpc_socket
from web5.errors import RemoteError, Unreachable

OK = {"status": {"code": 200, "detail": "OK"}}
SECONDS = 5


class Wire:
    """A `WebSocket`, and its other end: what it `heard`, and what it is to `say`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.closed = asyncio.Event()
        self._heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._coming: asyncio.Queue[str | RemoteError | None] = asyncio.Queue()
        self._broken = False

    async def send(self, text: str) -> None:
        if self._broken or self.closed.is_set():
            raise Unreachable("it is over")
        self._heard.put_nowait(json.loads(text))

    async def __aiter__(self) -> AsyncIterator[str]:
        while (text := await self._coming.get()) is not None and not self.closed.is_set():
            if isinstance(text, RemoteError):
                raise text
            yield text

    async def close(self) -> None:
        self.closed.set()
        self._coming.put_nowait(None)

    async def heard(self) -> dict[str, Any]:
        async with asyncio.timeout(SECONDS):
            return await self._heard.get()

    def heard_nothing_more(self) -> bool:
        return self._heard.empty()

    def say(self, text: str) -> None:
        self._coming.put_nowait(text)

    def reply(self, request: dict[str, Any], reply: dict[str, Any] = OK) -> None:
        self.say(rpc.encode_reply(request["id"], reply))

    def tell(self, request: dict[str, Any], **message: Any) -> None:
        """Send an event to the subscription that a request has made."""
        self.say(rpc_socket.encode_event(request["subscription"]["id"], Event(message=message)))

    def break_off(self) -> None:
        self._broken = True
        self._coming.put_nowait(Unreachable("the wire broke"))


class Wires:
    """The `WebSockets` port.

    Attributes:
        free: while it is not set, connecting takes for ever.
        failure: what connecting raises.
    """

    def __init__(self) -> None:
        self.made: asyncio.Queue[Wire] = asyncio.Queue()
        self.urls: list[str] = []
        self._begun: asyncio.Queue[None] = asyncio.Queue()
        self.given_up = 0
        self.free = asyncio.Event()
        self.free.set()
        self.failure: RemoteError | None = None

    async def connect(self, url: str, *, timeout: float = 30.0) -> Wire:
        self.urls.append(url)
        self._begun.put_nowait(None)
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.given_up += 1
            raise
        if self.failure is not None:
            raise self.failure
        wire = Wire(url)
        self.made.put_nowait(wire)
        return wire

    async def begun(self) -> None:
        """Return once one more has begun to connect."""
        async with asyncio.timeout(SECONDS):
            await self._begun.get()

    async def wire(self) -> Wire:
        """The next one that was opened."""
        async with asyncio.timeout(SECONDS):
            return await self.made.get()
