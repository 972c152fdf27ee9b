"""One tab is the node; the others call it.

Invariants:
1. At most one tab leads: the one whose worker holds the Web Lock `<name>.leader`. The browser frees the lock when the
   worker ends, however it ends.
2. A call is addressed to one leader, and only that leader answers it.
3. A new leader makes itself known once it serves. Then every call that an earlier leader has not answered is either
   sent again (if it was said to be idempotent) or fails with StorageBusy, because it may have been carried out.
4. A leader that resigns has closed its store before another tab can lead.

A browser may freeze a background tab without ending it, its worker too. A tab that leads, or waits to lead, has to
`resign` when its page is told so: while a frozen tab leads, the others wait.
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import js
from pyodide.ffi import create_proxy

from web5 import strict_json
from web5.browser.locks import hold
from web5.browser.tab_errors import error_from_wire, error_to_wire
from web5.errors import StorageBusy, StorageError

Handler = Callable[[str, str], Awaitable[str]]


@dataclass
class _Call:
    message: dict[str, Any]
    answer: asyncio.Future[str]
    idempotent: bool
    sent_to: str | None = None


class Tabs:
    """This tab's place among the tabs of an origin that use the same node.

    Parameters:
        name: the node's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._me = uuid.uuid4().hex
        self._leader: str | None = None
        self._handler: Handler | None = None
        self._release: Callable[[], None] | None = None
        self._calls: dict[str, _Call] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._closed = False
        self._js_stop = js.AbortController.new()
        self._on_message = create_proxy(self._received)
        self._js_channel = js.BroadcastChannel.new(f"{name}.tabs")
        self._js_channel.onmessage = self._on_message
        self._send({"kind": "who leads"})

    async def lead(self) -> None:
        """Return when this tab is the leader, which it stays until it resigns or is closed. Then `serve`.

        Raises:
            StorageBusy: `close` ended the waiting.
        """
        self._send({"kind": "who leads"})  # while it was frozen, this tab may not have heard
        release = await hold(f"{self._name}.leader", self._js_stop.signal)
        if self._closed:
            release()
            raise StorageBusy("this tab is closed")
        self._release = release

    def serve(self, handler: Handler) -> None:
        """Answer the calls of all tabs from now on. Only the leader may.

        Parameters:
            handler: takes a call's name and JSON arguments, gives JSON; what it raises is raised at the caller's.
        """
        if self._release is None:
            raise StorageError("only the leading tab serves")
        self._handler = handler
        self._send({"kind": "leading"})
        self._follow(self._me)

    async def resign(self, close: Callable[[], Awaitable[None]]) -> None:
        """Answer no call any more, also none that is under way (invariant 3), then let another tab lead.

        Parameters:
            close: closes the store; the lock is held until it has returned or raised.
        """
        self._handler = None
        if self._leader == self._me:
            self._leader = None
        answering = list(self._answering)
        for task in answering:
            task.cancel()
        await asyncio.gather(*answering, return_exceptions=True)
        try:
            await close()
        finally:
            self._unlock()

    async def call(self, name: str, args_json: str, *, idempotent: bool = False) -> str:
        """Call the leader's handler, here or in another tab; wait for a leader if there is none.

        Parameters:
            idempotent: the call may be carried out twice, so send it to the next leader if this one goes.

        Raises:
            StorageBusy: the leader went away before it answered.
            Web5Error: as the handler raised it.
        """
        if self._closed:
            raise StorageError("this tab is closed")
        call_id = uuid.uuid4().hex
        message = {"kind": "call", "id": call_id, "name": name, "args": args_json}
        call = _Call(message, asyncio.get_running_loop().create_future(), idempotent)
        self._calls[call_id] = call
        try:
            self._dispatch(call)
            return await call.answer
        finally:
            del self._calls[call_id]

    async def close(self) -> None:
        """Stop leading and answering. Calls under way here fail with StorageBusy. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._js_stop.abort()
        for task in self._answering:
            task.cancel()
        for call in self._calls.values():
            _fail(call, StorageBusy("this tab was closed"))
        self._unlock()
        self._js_channel.onmessage = None
        self._js_channel.close()
        self._on_message.destroy()

    def _unlock(self) -> None:
        if self._release is not None:
            self._release()
            self._release = None

    def _send(self, message: dict[str, Any]) -> None:
        self._js_channel.postMessage(json.dumps({**message, "from": self._me}))

    def _received(self, js_event: Any) -> None:
        message = strict_json.parse(js_event.data)
        match message["kind"]:
            case "who leads" if self._handler is not None:
                self._send({"kind": "leading"})
            case "leading":
                self._follow(message["from"])
            case "call":
                self._asked(message)
            case "reply":
                self._answered(message)

    def _asked(self, message: dict[str, Any]) -> None:
        if self._handler is not None and message["to"] == self._me:
            task = asyncio.ensure_future(self._answer(self._handler, message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, handler: Handler, message: dict[str, Any]) -> None:
        reply = {"kind": "reply", "id": message["id"], "to": message["from"]}
        try:
            reply["result"] = await handler(message["name"], message["args"])
        except Exception as error:
            reply["error"] = error_to_wire(error)
        if message["from"] == self._me:
            self._answered(reply)
        else:
            self._send(reply)

    def _answered(self, message: dict[str, Any]) -> None:
        call = self._calls.get(message["id"]) if message["to"] == self._me else None
        if call is None or call.answer.done():
            return
        if "error" in message:
            call.answer.set_exception(error_from_wire(message["error"]))
        else:
            call.answer.set_result(message["result"])

    def _follow(self, leader: str) -> None:
        self._leader = leader
        for call in list(self._calls.values()):
            if call.sent_to is None or (call.sent_to != leader and call.idempotent):
                self._dispatch(call)
            elif call.sent_to != leader:
                _fail(call, StorageBusy("the tab that was the node has gone; try again"))

    def _dispatch(self, call: _Call) -> None:
        if self._leader is None:
            return  # `_follow` will, when a leader makes itself known
        call.sent_to = self._leader
        message = {**call.message, "to": self._leader, "from": self._me}
        if self._leader == self._me:
            self._asked(message)
        else:
            self._send(message)


def _fail(call: _Call, error: StorageError) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
