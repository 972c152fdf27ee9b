"""WebSockets to endpoints: one for each, shared by the requests and subscriptions of all tenants.

Invariants:
1. Every request ends: with the reply that has its id, with TimedOut, or with the error that ended the socket.
2. When the socket ends, for whatever reason, its requests fail with Unreachable (BadReply, if the other end does not
   speak as a DWN does) and its subscriptions end.
3. Events of a subscription are delivered in the order they come, none after it has ended.
4. It is opened by the first subscription, and closes once it has neither a subscription nor a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from web5.dwn import rpc, rpc_socket
from web5.errors import BadReply, RemoteError, TimedOut, Unreachable
from web5.ports.websocket import WebSocket
from web5.tasks import TaskSet, notify

Message = dict[str, Any]
OnEvent = Callable[[Message], None]


class SocketSubscription:
    """A subscription at a remote DWN.

    Attributes:
        reply: the DWN's reply; unless its status is 200 nothing was subscribed and it has ended.
    """

    def __init__(self, on_event: OnEvent, unsubscribe: Callable[[], None]) -> None:
        self.reply: Message = {}
        self._on_event = on_event
        self._unsubscribe = unsubscribe
        self._ended = asyncio.Event()

    async def ended(self) -> None:
        """Return once no event will come any more: its connection is gone, or it was closed."""
        await self._ended.wait()

    async def close(self) -> None:
        """End it and notify the DWN, without waiting for that. Safe to call twice."""
        if not self._ended.is_set():
            self._unsubscribe()

    def deliver(self, event: Message) -> None:
        if not self._ended.is_set():
            notify("the handler of a remote subscription failed", [self._on_event], event)

    def end(self) -> None:
        self._ended.set()


class DwnSocket:
    """JSON-RPC over an open WebSocket.

    Parameters:
        timeout: seconds that a request may take. If nothing at all has come in meanwhile, the socket counts as dead.
    """

    def __init__(self, endpoint: str, socket: WebSocket, timeout: float) -> None:
        self._endpoint = endpoint
        self._socket = socket
        self._timeout = timeout
        self._requests: dict[rpc.Id, asyncio.Future[rpc_socket.Response | RemoteError]] = {}
        self._subscriptions: dict[rpc.Id, SocketSubscription] = {}
        self._received = 0
        self._error: RemoteError | None = None
        self._tasks = TaskSet()
        self._tasks.start(self._read())

    @property
    def is_open(self) -> bool:
        return self._error is None

    async def request(self, id: str, request: str) -> Message:
        """Send a request whose message neither brings nor fetches data; return the DWN's reply.

        Parameters:
            id: that of the request, unique.
            request: as `rpc.encode_request` makes it.

        Raises:
            Unreachable, TimedOut, BadReply: there is no reply.
        """
        if self._error is not None:
            raise self._failure(self._error)
        answer: asyncio.Future[rpc_socket.Response | RemoteError] = asyncio.get_running_loop().create_future()
        self._requests[id] = answer
        received = self._received
        try:
            async with asyncio.timeout(self._timeout):
                await self._socket.send(request)
                answered = await answer
        except TimeoutError as error:
            if received == self._received:
                self._end(Unreachable("its WebSocket is silent"))
            raise TimedOut(f"{self._endpoint}: no answer over its WebSocket in {self._timeout:g} s") from error
        finally:
            del self._requests[id]
            self.close_if_unused()
        if isinstance(answered, RemoteError):
            raise answered
        return answered.reply()

    async def subscribe(self, tenant: str, message: Message, on_event: OnEvent) -> SocketSubscription:
        """Have the DWN of `tenant` process a Subscribe message.

        Parameters:
            on_event: called with each event, the first of which may come before this returns.

        Raises:
            Unreachable, TimedOut, BadReply: there is no reply.
        """
        request_id, id = str(uuid4()), str(uuid4())
        subscription = self._subscriptions[id] = SocketSubscription(on_event, lambda: self._unsubscribe(id))
        try:
            text = rpc_socket.encode_subscribe(tenant, message, id, request_id)
            subscription.reply = await self.request(request_id, text)
        except BaseException:
            # The request may have arrived all the same.
            await subscription.close()
            raise
        if subscription.reply["status"]["code"] != 200:
            self._forget(id)
            self.close_if_unused()
        return subscription

    def close_if_unused(self) -> None:
        if not self._requests and not self._subscriptions:
            self._end(Unreachable("its WebSocket was closed, because nobody used it"))

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._received += 1
                self._dispatch(rpc_socket.parse_response(text))
        except RemoteError as error:
            self._end(error)
        finally:
            self._end(Unreachable("its WebSocket was closed"))

    def _dispatch(self, response: rpc_socket.Response) -> None:
        """Hand a message to its receiver, if that still waits."""
        if (request := self._requests.get(response.id)) is not None:
            if not request.done():
                request.set_result(response)
        elif (subscription := self._subscriptions.get(response.id)) is not None:
            subscription.deliver(response.event())

    def _end(self, error: RemoteError) -> None:
        """End all requests and subscriptions, and close the connection, which ends the reader."""
        if self._error is not None:
            return
        self._error = error
        for request in self._requests.values():
            if not request.done():
                request.set_result(self._failure(error))
        for id in list(self._subscriptions):
            self._forget(id)
        self._tasks.start(self._socket.close())

    def _failure(self, error: RemoteError) -> RemoteError:
        kind = BadReply if isinstance(error, BadReply) else Unreachable
        return kind(f"{self._endpoint}: {error}")

    def _forget(self, id: rpc.Id) -> None:
        if (subscription := self._subscriptions.pop(id, None)) is not None:
            subscription.end()

    def _unsubscribe(self, id: rpc.Id) -> None:
        self._forget(id)
        self.close_if_unused()
        if self._error is None:
            self._tasks.start(self._send(rpc_socket.encode_close(id)))

    async def _send(self, text: str) -> None:
        try:
            await self._socket.send(text)
        except RemoteError as error:
            self._end(error)


class SocketSlot:
    """The place of one endpoint's socket, from the moment it is being opened.

    Attributes:
        waiting: the number of callers that are about to subscribe over it.
    """

    def __init__(self, opening: asyncio.Task[DwnSocket]) -> None:
        self.opening = opening
        self.waiting = 0

    @property
    def socket(self) -> DwnSocket | None:
        """The socket, if it is open."""
        if not self.opening.done() or self.opening.cancelled() or self.opening.exception() is not None:
            return None
        socket = self.opening.result()
        return socket if socket.is_open else None

    @property
    def is_over(self) -> bool:
        return self.opening.cancelling() > 0 or (self.opening.done() and self.socket is None)

    def close_if_unused(self) -> None:
        if self.waiting:
            return
        if not self.opening.done():
            self.opening.cancel()
        elif self.socket is not None:
            self.socket.close_if_unused()


class SocketPool:
    """The sockets to all endpoints.

    Parameters:
        connect: opens a WebSocket to an endpoint.
        timeout: seconds that a request may take.
    """

    def __init__(self, connect: Callable[[str], Awaitable[WebSocket]], timeout: float) -> None:
        self._connect = connect
        self._timeout = timeout
        self._slots: dict[str, SocketSlot] = {}

    def open_to(self, endpoint: str) -> DwnSocket | None:
        """Return the socket to an endpoint, if one is open."""
        slot = self._slots.get(endpoint)
        return slot.socket if slot is not None else None

    async def subscribe(self, endpoint: str, tenant: str, message: Message, on_event: OnEvent) -> SocketSubscription:
        """Subscribe as `DwnSocket.subscribe` does; callers at the same time share one connect.

        Raises:
            RemoteError: whatever `connect` raises, to all who wait for it; and as `DwnSocket.subscribe`.
        """
        slot = self._slots.get(endpoint)
        if slot is None or slot.is_over:
            slot = self._slots[endpoint] = SocketSlot(asyncio.ensure_future(self._open(endpoint)))
        slot.waiting += 1
        try:
            socket = await asyncio.shield(slot.opening)
            return await socket.subscribe(tenant, message, on_event)
        finally:
            slot.waiting -= 1
            slot.close_if_unused()
            if slot.is_over and self._slots.get(endpoint) is slot:
                del self._slots[endpoint]

    async def _open(self, endpoint: str) -> DwnSocket:
        return DwnSocket(endpoint, await self._connect(endpoint), self._timeout)
