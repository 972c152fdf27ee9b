"""One DWN behind a WebSocket: requests, and subscriptions whose events come as long as the socket lives.

Invariants:
1. An event is queued without waiting: a slow socket never holds up the engine.
2. Events go out in their order, none left out. A client that is `Limits.events` or `event_bytes` behind is disconnected
   instead; it catches up by its cursor.
3. A subscription ends with its socket, and with what allowed it: then its id gets an error, as the last that comes for
   it. After the answer to its close, or that error, no event of it comes any more.
4. A request that has begun is carried out even if the socket ends, as over HTTP.
5. Answers that the client has not taken count among the replies of its address, and make its next ones smaller.

Source: `src/connection/socket-connection.ts`, `src/json-rpc-handlers/dwn/process-message.ts` and
`src/json-rpc-handlers/subscription/close.ts` of `@web5/dwn-server` 0.6.1, where a malformed request ends the process.
As there, a page of any origin may connect (access is a matter of signatures), and data that a read would return are
left out.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from web5.dwn.events import Event, Subscription
from web5.dwn.wire import rpc, rpc_socket
from web5.dwn.wire.rpc import ErrorCode, Id, RpcFault
from web5.node.dwn.endpoint import fault_of, take_data
from web5.node.dwn.mounted import Mounted
from web5.node.limits import address_of
from web5.tasks import TaskSet

log = logging.getLogger("web5.node")

REQUESTS_AT_ONCE = 16
"""The most requests of a socket that run at a time; further ones wait until an answer has gone out."""

TRY_AGAIN_LATER = 1013
CLOSE_SECONDS = 1.0
"""Time that a client that does not read may hold up the close frame."""


async def serve_socket(mounted: Mounted, websocket: WebSocket) -> None:
    """Serve a WebSocket for one DWN until it ends."""
    await websocket.accept()
    with mounted.metrics.sockets.track_inprogress():
        await _Connection(websocket, mounted).run()


@dataclass(eq=False)
class _Listener:
    """A subscription of this socket, with what it took of the server's limits."""

    id: Id
    taken: list[Callable[[], None]]
    opened: Subscription | None = None  # once the DWN has accepted it
    over: bool = False  # nothing more is to be sent

    async def close(self) -> None:
        self.forget()
        if self.opened is not None:
            await self.opened.close()

    def forget(self) -> None:
        self.over = True
        for give_back in self.taken:
            give_back()


@dataclass(frozen=True)
class _Sent:
    """A text to send, or an event, of which all who wait for it hold one copy, unless its listener is over by then."""

    content: str | Event
    done: Callable[[], None]
    listener: _Listener | None = None

    @property
    def text(self) -> str | None:
        if isinstance(self.content, str):
            return self.content
        assert self.listener is not None
        return None if self.listener.over else rpc_socket.encode_event(self.listener.id, self.content)


class _Connection:
    def __init__(self, websocket: WebSocket, mounted: Mounted) -> None:
        self._websocket = websocket
        self._mounted = mounted
        self._usage = mounted.usage
        self._limits = mounted.usage.limits
        self._address = address_of(websocket.client)
        self._listeners: dict[Id, _Listener] = {}
        self._requests = TaskSet()
        self._free = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._outbox: asyncio.Queue[_Sent] = asyncio.Queue()
        self._events = self._event_bytes = 0
        self._too_slow = asyncio.Event()
        self._over = False

    async def run(self) -> None:
        parts = [asyncio.ensure_future(part) for part in (self._read(), self._write(), self._too_slow.wait())]
        try:
            await asyncio.wait(parts, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._over = True
            for part in parts:
                part.cancel()
            for listener in list(self._listeners.values()):
                await listener.close()
            while not self._outbox.empty():
                self._outbox.get_nowait().done()
        for result in await asyncio.gather(*parts, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, WebSocketDisconnect):
                log.error("a WebSocket failed", exc_info=result)
        if self._too_slow.is_set() and self._websocket.client_state is WebSocketState.CONNECTED:
            with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self._websocket.close(TRY_AGAIN_LATER, "events come faster than they are read")
        await self._requests.join()

    async def _read(self) -> None:
        while True:
            received = await self._websocket.receive()
            if received["type"] == "websocket.disconnect":
                return
            text = received.get("text")
            if text is None:
                text = received["bytes"].decode("utf-8", "replace")
            await self._free.acquire()
            self._requests.start(self._answer(text))

    async def _write(self) -> None:
        while True:
            item = await self._outbox.get()
            try:
                if (text := item.text) is not None:
                    await self._websocket.send_text(text)
            finally:
                item.done()

    def _send(self, content: str | Event, done: Callable[[], None], listener: _Listener | None = None) -> None:
        if self._over:
            done()
        else:
            self._outbox.put_nowait(_Sent(content, done, listener))

    def _tell(self, listener: _Listener, event: Event) -> None:
        size = len(event.text)
        if self._events >= self._limits.events or self._event_bytes >= self._limits.event_bytes:
            self._too_slow.set()
            return
        self._events += 1
        self._event_bytes += size

        def done() -> None:
            self._events -= 1
            self._event_bytes -= size

        self._send(event, done, listener)

    async def _answer(self, text: str) -> None:
        call_id: Id = None
        try:
            if len(text) > (most := self._limits.message):
                message = f"a message may have {most} bytes, not {len(text)}"
                raise RpcFault(ErrorCode.CONTENT_TOO_LARGE, message, rpc.parse_envelope(text).id)
            request = rpc_socket.parse_request(text)
            call_id = request.id
            if isinstance(request, rpc_socket.Close):
                await self._unsubscribe(request)
                answer = rpc_socket.encode_closed(call_id)
            else:
                answer = rpc.encode_reply(call_id, await self._process(request))
        except Exception as error:
            answer = rpc.encode_fault(fault_of(error, call_id))
        give_back = self._usage.replies.take(self._address, len(answer))

        def done() -> None:
            give_back()
            self._free.release()

        self._send(answer, done)

    async def _process(self, request: rpc.Request) -> dict[str, Any]:
        match request.message:
            case {"descriptor": {"interface": "Records", "method": "Write"}}:
                raise RpcFault(ErrorCode.INVALID_PARAMS, "RecordsWrite is not supported via ws", request.id)
            case {"descriptor": {"method": "Subscribe"}}:
                return await self._subscribe(request)
        reply = await self._mounted.process(self._address, request.target, request.message)
        take_data(reply)
        return reply

    async def _subscribe(self, request: rpc.Request) -> dict[str, Any]:
        if (id := request.subscription) is None:
            message = "subscribe methods must contain a subscriptionRequest context"
            raise RpcFault(ErrorCode.INVALID_REQUEST, message, request.id)
        if id in self._listeners:
            message = f"the subscribe id: {id} is in use by an active subscription"
            raise RpcFault(ErrorCode.INVALID_PARAMS, message, request.id)
        if len(self._listeners) >= (most := self._limits.subscriptions):
            message = f"a WebSocket may have {most} subscriptions; close one or open another socket"
            raise RpcFault(ErrorCode.TOO_MANY_REQUESTS, message, request.id)
        shares = self._usage.subscriptions
        if shares.left(self._address) <= 0:
            message = f"the sockets of an address may have {self._limits.subscriptions_of_address} subscriptions"
            raise RpcFault(ErrorCode.TOO_MANY_REQUESTS, message, request.id)
        listener = self._listeners[id] = _Listener(id, [shares.take(self._address), self._counted()])
        try:
            handler = partial(self._tell, listener)
            reply = await self._mounted.process(
                self._address, request.target, request.message, subscription_handler=handler
            )
            opened: Subscription | None = reply.pop("subscription", None)
            if opened is not None and not opened.is_tenants:
                strangers = self._usage.strangers
                if strangers.left(request.target) <= 0:
                    await opened.close()
                    message = "others than the tenant may have no more subscriptions to this DWN now"
                    raise RpcFault(ErrorCode.TOO_MANY_REQUESTS, message, request.id)
                listener.taken.append(strangers.take(request.target))
            listener.opened = opened
        finally:
            if listener.opened is None:
                listener.forget()
                del self._listeners[id]
        if listener.opened is not None:
            listener.opened.on_end = partial(self._end, listener)
            reply["subscription"] = {"id": listener.opened.id}
            if self._over:
                await listener.close()
        return reply

    def _end(self, listener: _Listener) -> None:
        """Notify the client of a subscription that was ended here."""
        listener.forget()
        if self._listeners.get(listener.id) is listener:
            del self._listeners[listener.id]
        fault = RpcFault(ErrorCode.UNAUTHORIZED, "the subscription has ended with what allowed it", listener.id)
        self._send(rpc.encode_fault(fault), lambda: None)

    def _counted(self) -> Callable[[], None]:
        """Count a subscription among those that are open; return a function that no longer does, called how often."""
        gauge = self._mounted.metrics.subscriptions
        gauge.inc()
        left = [gauge.dec]
        return lambda: left.pop()() if left else None

    async def _unsubscribe(self, request: rpc_socket.Close) -> None:
        listener = self._listeners.get(request.subscription)
        if listener is None or listener.opened is None:
            raise RpcFault(ErrorCode.INVALID_PARAMS, f"subscription {request.subscription} does not exist.", request.id)
        del self._listeners[request.subscription]
        await listener.close()
