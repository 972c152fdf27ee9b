"""A WebSocket to an endpoint, shared by the requests and subscriptions of one DID, or of all of an agent.

Invariants:
1. Every request ends: with the reply that has its id, with TimedOut, or with the error that ended the socket.
2. When the socket ends, for whatever reason, its requests fail with Unreachable (BadReply, if the other end does not
   speak as a DWN does) and its subscriptions end.
3. Events of a subscription are delivered in the order they come, none after it has ended. An error with its id ends
   it: the DWN has ended it, as when a grant is revoked.
4. It closes once it has neither a subscription nor a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

from web5.dwn.values.types import Message
from web5.dwn.wire import rpc, rpc_socket
from web5.errors import BadReply, RemoteError, TimedOut, Unreachable
from web5.ports.websocket import WebSocket
from web5.tasks import TaskSet, notify

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
    """JSON-RPC over a WebSocket, from the moment it is being opened.

    Parameters:
        connecting: opens the WebSocket.
        timeout: seconds that a request may take. If nothing at all has come in meanwhile, the socket counts as dead.
    """

    def __init__(self, endpoint: str, connecting: Coroutine[Any, Any, WebSocket], timeout: float) -> None:
        self._endpoint = endpoint
        self._connection = asyncio.ensure_future(connecting)
        self._timeout = timeout
        self._requests: dict[rpc.Id, asyncio.Future[rpc_socket.Response | RemoteError]] = {}
        self._subscriptions: dict[rpc.Id, SocketSubscription] = {}
        self._received = 0
        self._error: RemoteError | None = None
        self._tasks = TaskSet()
        self._tasks.start(self._read())

    @property
    def has_ended(self) -> bool:
        return self._error is not None

    @property
    def is_open(self) -> bool:
        return self._connection.done() and not self.has_ended

    async def request(self, id: str, request: str) -> Message:
        """Send a request whose message neither brings nor fetches data over the open socket; return the DWN's reply.

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
                await self._connection.result().send(request)
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
            RemoteError: whatever `connecting` raises, to all who wait for it.
            Unreachable, TimedOut, BadReply: there is no reply.
        """
        request_id, id = str(uuid4()), str(uuid4())
        subscription = self._subscriptions[id] = SocketSubscription(on_event, lambda: self._unsubscribe(id))
        try:
            await asyncio.shield(self._connection)
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
            async for text in await asyncio.shield(self._connection):
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
            if response.is_error:
                self._forget(response.id)
                self.close_if_unused()
            else:
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
        if not self._connection.done():
            self._connection.cancel()
        elif not self._connection.cancelled() and self._connection.exception() is None:
            self._tasks.start(self._connection.result().close())

    def _failure(self, error: RemoteError) -> RemoteError:
        kind = BadReply if isinstance(error, BadReply) else Unreachable
        return kind(f"{self._endpoint}: {error}")

    def _forget(self, id: rpc.Id) -> None:
        if (subscription := self._subscriptions.pop(id, None)) is not None:
            subscription.end()

    def _unsubscribe(self, id: rpc.Id) -> None:
        self._forget(id)
        self.close_if_unused()
        if self.is_open:
            self._tasks.start(self._send(rpc_socket.encode_close(id)))

    async def _send(self, text: str) -> None:
        try:
            await self._connection.result().send(text)
        except RemoteError as error:
            self._end(error)
