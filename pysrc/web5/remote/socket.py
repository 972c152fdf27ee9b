"""One open WebSocket to an endpoint, shared by all tenants' requests and subscriptions.

Invariants:
1. Every request ends: with the reply that has its id, with TimedOut, or with the error that ended the socket.
2. When the socket ends, for whatever reason, its requests fail with Unreachable (BadReply, if the other end does not
   speak as a DWN does) and its subscriptions end.
3. Events of a subscription are told in the order they come, none after it has ended.
4. It closes by itself once it has neither a subscription nor a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

from web5.dwn import rpc, rpc_socket
from web5.errors import BadReply, RemoteError, TimedOut, Unreachable
from web5.ports.websocket import WebSocket
from web5.tasks import notify

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
        """End it; the DWN is told, but not waited for. Safe to call twice."""
        if not self._ended.is_set():
            self._unsubscribe()

    def tell(self, event: Message) -> None:
        if not self._ended.is_set():
            notify("the handler of a remote subscription failed", [self._on_event], event)

    def end(self) -> None:
        self._ended.set()


class DwnSocket:
    """Speaks JSON-RPC over a WebSocket that is open.

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
        self._end: RemoteError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._read())

    @property
    def is_open(self) -> bool:
        return self._end is None

    async def ask(self, id: str, request: str) -> Message:
        """Send a request whose message neither brings nor fetches data; the DWN's reply.

        Parameters:
            id: that of the request, unique.
            request: as `rpc.encode_request` makes it.

        Raises:
            Unreachable, TimedOut, BadReply: there is no reply.
        """
        return (await self._request(id, request)).reply()

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
            subscription.reply = (await self._request(request_id, text)).reply()
        except BaseException:
            # The request may have arrived all the same.
            await subscription.close()
            raise
        if subscription.reply["status"]["code"] != 200:
            self._forget(id)
            self.rest()
        return subscription

    def rest(self) -> None:
        """Close, if nobody uses it."""
        if not self._requests and not self._subscriptions:
            self._over(Unreachable("its WebSocket was closed, because nobody used it"))

    async def _request(self, id: str, text: str) -> rpc_socket.Response:
        if self._end is not None:
            raise self._failure(self._end)
        answer: asyncio.Future[rpc_socket.Response | RemoteError] = asyncio.get_running_loop().create_future()
        self._requests[id] = answer
        received = self._received
        try:
            async with asyncio.timeout(self._timeout):
                await self._socket.send(text)
                answered = await answer
        except TimeoutError as error:
            if received == self._received:
                self._over(Unreachable("its WebSocket is silent"))
            raise TimedOut(f"{self._endpoint}: no answer over its WebSocket in {self._timeout:g} s") from error
        finally:
            del self._requests[id]
            self.rest()
        if isinstance(answered, RemoteError):
            raise answered
        return answered

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._received += 1
                self._take(rpc_socket.parse_response(text))
        except RemoteError as error:
            self._over(error)
        finally:
            self._over(Unreachable("its WebSocket was closed"))

    def _take(self, response: rpc_socket.Response) -> None:
        """Hand on what came; what is for nobody comes too late."""
        if (request := self._requests.get(response.id)) is not None:
            if not request.done():
                request.set_result(response)
        elif (subscription := self._subscriptions.get(response.id)) is not None:
            subscription.tell(response.event())

    def _over(self, reason: RemoteError) -> None:
        """End at once for everybody who waits, and close the connection, which ends the reader."""
        if self._end is not None:
            return
        self._end = reason
        for request in self._requests.values():
            if not request.done():
                request.set_result(self._failure(reason))
        for id in list(self._subscriptions):
            self._forget(id)
        self._start(self._socket.close())

    def _failure(self, reason: RemoteError) -> RemoteError:
        kind = BadReply if isinstance(reason, BadReply) else Unreachable
        return kind(f"{self._endpoint}: {reason}")

    def _forget(self, id: rpc.Id) -> None:
        if (subscription := self._subscriptions.pop(id, None)) is not None:
            subscription.end()

    def _unsubscribe(self, id: rpc.Id) -> None:
        self._forget(id)
        self.rest()
        if self._end is None:
            self._start(self._say(rpc_socket.encode_close(id)))

    async def _say(self, text: str) -> None:
        """Send what needs no answer."""
        try:
            await self._socket.send(text)
        except RemoteError as error:
            self._over(error)

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
