"""One DWN behind a WebSocket: requests, and subscriptions whose events come as long as the socket lives.

Invariants:
1. An event is queued without waiting: a slow socket never holds up the engine.
2. Events go out in their order, none left out. A client that is `Limits.events` behind is disconnected instead; it
   catches up by its cursor.
3. A subscription ends with its socket. After the answer to its close no event of it comes any more.
4. A request that has begun is carried out even if the socket ends, as over HTTP.

Source: `src/connection/socket-connection.ts`, `src/json-rpc-handlers/dwn/process-message.ts` and
`src/json-rpc-handlers/subscription/close.ts` of `@web5/dwn-server` 0.6.1, where a malformed request ends the process.
As there, a page of any origin may connect (access is a matter of signatures), and data that a read would return are
left out.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from web5.dwn import rpc, rpc_socket
from web5.dwn.engine import Dwn
from web5.dwn.events import Event, Subscription
from web5.dwn.rpc import ErrorCode, Id, RpcFault
from web5.node.endpoint import Limits, internal_fault, take_data
from web5.tasks import TaskSet

log = logging.getLogger("web5.node")

REQUESTS_AT_ONCE = 16
"""The most requests of a socket that run at a time; further ones wait until an answer has gone out."""

TRY_AGAIN_LATER = 1013
CLOSE_SECONDS = 1.0
"""Time that a client that does not read may hold up the close frame."""


async def serve_socket(dwn: Dwn, limits: Limits, websocket: WebSocket) -> None:
    """Serve a WebSocket for one DWN until it ends."""
    await websocket.accept()
    await _Connection(websocket, dwn, limits).run()


@dataclass(eq=False)
class _Listener:
    """A subscription of this socket."""

    id: Id
    opened: Subscription | None = None  # once the DWN has accepted it
    over: bool = False  # nothing more is to be sent

    async def close(self) -> None:
        self.over = True
        if self.opened is not None:
            await self.opened.close()


class _Connection:
    def __init__(self, websocket: WebSocket, dwn: Dwn, limits: Limits) -> None:
        self._websocket = websocket
        self._dwn = dwn
        self._limits = limits
        self._listeners: dict[Id, _Listener] = {}
        self._requests = TaskSet()
        self._free = asyncio.Semaphore(REQUESTS_AT_ONCE)
        self._outbox: asyncio.Queue[str | tuple[_Listener, Event]] = asyncio.Queue()
        self._events = 0
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
            if isinstance(item, str):
                await self._websocket.send_text(item)
                self._free.release()
                continue
            self._events -= 1
            listener, event = item
            if not listener.over:
                await self._websocket.send_text(rpc_socket.encode_event(listener.id, event))

    def _queue(self, listener: _Listener, event: Event) -> None:
        if self._events >= self._limits.events:
            self._too_slow.set()
        else:
            self._events += 1
            self._outbox.put_nowait((listener, event))

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
            answer = rpc.encode_fault(error if isinstance(error, RpcFault) else internal_fault(error, call_id))
        self._outbox.put_nowait(answer)

    async def _process(self, request: rpc.Request) -> dict[str, Any]:
        match request.message:
            case {"descriptor": {"interface": "Records", "method": "Write"}}:
                raise RpcFault(ErrorCode.INVALID_PARAMS, "RecordsWrite is not supported via ws", request.id)
            case {"descriptor": {"method": "Subscribe"}}:
                return await self._subscribe(request)
        reply = await self._dwn.process_message(request.target, request.message)
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
        listener = self._listeners[id] = _Listener(id)
        try:
            reply = await self._dwn.process_message(
                request.target, request.message, subscription_handler=lambda event: self._queue(listener, event)
            )
            listener.opened = reply.pop("subscription", None)
        finally:
            if listener.opened is None:
                del self._listeners[id]
        if listener.opened is not None:
            reply["subscription"] = {"id": listener.opened.id}
            if self._over:
                await listener.close()
        return reply

    async def _unsubscribe(self, request: rpc_socket.Close) -> None:
        listener = self._listeners.get(request.subscription)
        if listener is None or listener.opened is None:
            raise RpcFault(ErrorCode.INVALID_PARAMS, f"subscription {request.subscription} does not exist.", request.id)
        del self._listeners[request.subscription]
        await listener.close()
