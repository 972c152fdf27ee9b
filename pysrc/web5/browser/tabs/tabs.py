"""One tab is the node; the others call it.

Invariants:
1. At most one tab leads: the one whose worker holds the Web Lock `<name>.leader`. The browser frees the lock when the
   worker ends, however it ends.
2. A call is addressed to one leader, and only that leader answers it.
3. A new leader makes itself known once it serves. Then every call that an earlier leader has not answered is either
   sent again (if it was said to be idempotent) or fails with NodeGone, because it may have been carried out.
4. A leader that resigns has closed its store before another tab can lead.
5. A tab takes for the leader only what the browser shows it: the key in a lock
   `<name>.leader.<key>.<version>.<reign>` which has the same owner as `<name>.leader`. Calls are sealed for that key,
   answers by it. A tab that leads once more is another leader to those whose calls it has dropped: its reign is new.
6. A call that is not shared never leaves its tab, and no other page can make it: the tab takes the lead over first.
7. A tab that calls holds a lock `<name>.tab.<key>`, by which the leader hears that it has gone.
8. The newest version leads: a tab asks a leader of an older one to hand over, and hands over to none. No call goes to
   an older version; from one, only the shared go to the newer.

Every page of the origin hears the channel and can post to it, call what is shared, and queue for the locks. So what is
posted is checked and bounded, and whoever shares a call gives it to all of them.

A browser may freeze a background tab without ending it, its worker too. A tab that leads, or waits to lead, has to
`resign` when its page is told so: while a frozen tab leads, the others wait.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

import js

from web5.browser.tabs.answers import CALLER, Answers, Handler, carried_out
from web5.browser.tabs.locks import Leader, hold, is_next, shown_leader
from web5.browser.tabs.tab_channel import TabChannel
from web5.browser.tabs.tab_errors import error_from_wire
from web5.errors import CryptoError, InvalidArgument, NodeGone, StorageBusy, StorageError, StorageNewer
from web5.tasks import TaskSet, to_the_end

PATIENCE = 30.0
"""Seconds in which another tab has to hand the lead over."""

ASK_AGAIN = 1.0
"""Seconds after which it is asked again."""

TO_STEP_BACK = 5.0
"""Seconds in which those who wait for the lead have to let another tab go first."""


@dataclass
class _Call:
    id: str
    name: str
    args: str
    answer: asyncio.Future[str]
    idempotent: bool
    sent_to: Leader | None = None
    here: asyncio.Task[None] | None = None
    asking: bool = False
    """True if the lead is asked for, for the sake of this call."""


class Tabs:
    """This tab's place among the tabs of an origin that use the same node.

    Parameters:
        name: the node's name.
        shared: the names of the calls that other tabs may make (invariant 6).
        hand_over: is called, on the leader, when another tab needs the lead; it should `resign`, then `lead` again.
        version: of the program that this tab runs; a newer one has a higher number.
        gone: is called, on the leader, with the name of a tab that has called it and is no more.
    """

    def __init__(
        self,
        name: str,
        shared: Collection[str],
        hand_over: Callable[[], None],
        version: int = 0,
        gone: Callable[[str], None] | None = None,
    ) -> None:
        self._name = name
        self._shared = shared
        self._hand_over = hand_over
        self._version = version
        self._leader: Leader | None = None
        self._reign = 0
        self._older, self._newer = asyncio.Event(), asyncio.Event()  # leads; has led
        self._led = asyncio.Event()
        self._handler: Handler | None = None
        self._releases: list[Callable[[], None]] = []
        self._calls: dict[str, _Call] = {}
        self._sending = TaskSet("a call to another tab failed")
        self._successor: str | None = None
        self._looking: asyncio.Task[None] | None = None
        self._look_again = False
        self._closed = False
        self._js_turn = js.AbortController.new()
        self._channel = TabChannel(f"{name}.tabs", self._received, version)
        self._answers = Answers(name, shared, self._channel, gone)
        self._present = asyncio.ensure_future(self._be_present())
        self._look()

    @property
    def me(self) -> str:
        """The name of this tab, once it has led; before, it may be empty."""
        return self._channel.me

    async def lead(self) -> None:
        """Return when this tab is the leader, which it stays until it resigns or is closed. Then `serve`.

        Raises:
            StorageBusy: `close` ended the waiting.
        """
        await self._channel.opened()
        self._look()  # while it was frozen, this tab may not have heard
        relieving = asyncio.ensure_future(self._relieve())
        try:
            while not self._closed:
                self._js_turn = js.AbortController.new()
                try:
                    self._releases.append(await hold(f"{self._name}.leader", self._js_turn.signal))
                    return
                except StorageBusy:
                    if not self._js_turn.signal.aborted:
                        raise
        finally:
            relieving.cancel()
        raise StorageBusy("this tab is closed")

    async def led(self) -> None:
        """Return once a tab serves, this one or another; before, no call is answered."""
        await self._led.wait()

    async def superseded(self) -> None:
        """Return once a tab of a newer version has led; this one should be reloaded."""
        await self._newer.wait()

    async def serve(self, handler: Handler) -> None:
        """Answer the calls of all tabs from now on. Only the leader may.

        Parameters:
            handler: takes a call's name and JSON arguments, gives JSON; what it raises is raised at the caller's.
        """
        if not self._releases:
            raise StorageError("only the leading tab serves")
        self._reign += 1
        mine = Leader(self._channel.me, self._version, self._reign)
        self._handler = handler  # who sees the lock calls at once
        self._releases.append(await hold(f"{self._name}.leader.{mine}"))
        self._channel.post("leading")
        self._follow(mine)

    async def resign(self, close: Callable[[], Awaitable[None]]) -> None:
        """Answer no call any more, also none that is under way (invariant 3), then let another tab lead.

        Parameters:
            close: closes the store; the lock is held until it has returned or raised.
        """
        self._handler = None
        if self._leader is not None and self._leader.key == self._channel.me:
            self._leader = None
        answering = self._answers.cancel_all()
        await to_the_end(self._resign(answering, close))

    async def _resign(self, answering: Collection[asyncio.Task[None]], close: Callable[[], Awaitable[None]]) -> None:
        await asyncio.gather(*answering, return_exceptions=True)
        try:
            await close()
        finally:
            self._unlock()

    async def call(self, name: str, args: str, *, idempotent: bool = False) -> str:
        """Call the leader's handler, here or in another tab; wait for a leader if there is none.

        If the call is not shared, this tab becomes the leader first.

        Parameters:
            idempotent: the call may be carried out twice, so send it to the next leader if this one goes.

        Raises:
            NodeGone: the leader went away before it answered.
            StorageBusy: the leader does not hand the lead over, or this tab is closed.
            StorageNewer: the call is not shared, and a tab of a newer version leads.
            Web5Error: as the handler raised it.
        """
        if self._closed:
            raise StorageError("this tab is closed")
        call = _Call(uuid.uuid4().hex, name, args, asyncio.get_running_loop().create_future(), idempotent)
        self._calls[call.id] = call
        try:
            self._dispatch(call)
            return await call.answer
        except asyncio.CancelledError:
            self._cancel(call)
            raise
        finally:
            del self._calls[call.id]

    def _cancel(self, call: _Call) -> None:
        if call.here is not None:
            call.here.cancel()
        elif call.sent_to is not None and not self._closed:
            self._sending.start(self._channel.post_sealed("cancel", call.sent_to.key, {"id": call.id}))

    async def close(self) -> None:
        """Stop leading and answering. Calls under way here fail with StorageBusy. Safe to call twice."""
        if self._closed:
            return
        self._closed = True
        self._js_turn.abort()
        self._answers.cancel_all()
        for call in self._calls.values():
            _fail(call, StorageBusy("this tab was closed"))
        self._unlock()
        self._present.add_done_callback(_let_go)
        await self._answers.close()
        self._channel.close()

    def _unlock(self) -> None:
        while self._releases:
            self._releases.pop()()

    def _received(self, kind: str, sender: str, receiver: str, content: Any) -> None:
        match kind:
            case "leading":
                self._look()
            case "hand over" if int(content) < self._version:
                pass
            case "hand over" if receiver == self._channel.me and self._handler is not None:
                is_waiting, self._successor = self._successor is not None, sender
                if not is_waiting:
                    self._sending.start(self._hand_over_to_successor())
            case "hand over" if sender != self._channel.me:
                self._js_turn.abort()  # that tab goes first; `lead` queues up behind it
            case "call" if self._handler is not None:
                self._answers.begin(self._handler, sender, content)
            case "cancel" if isinstance(content, dict):
                self._answers.cancel(sender, content)
            case "reply" if isinstance(content, dict):
                call = self._calls.get(str(content.get("id")))
                if call is not None and call.sent_to is not None and call.sent_to.key == sender:
                    _settle(call, content)

    async def _be_present(self) -> Callable[[], None]:
        await self._channel.opened()
        return await hold(f"{self._name}.tab.{self._channel.me}")

    def _look(self) -> None:
        """Find out who leads, once more if that is being found out just now."""
        self._look_again = True
        if self._looking is None or self._looking.done():
            self._looking = asyncio.ensure_future(self._find_leader())

    async def _find_leader(self) -> None:
        while self._look_again and not self._closed:
            self._look_again = False
            leader = await shown_leader(self._name)
            if leader is not None and (self._handler is not None or leader.key != self._channel.me):
                self._follow(leader)

    def _follow(self, leader: Leader) -> None:
        self._leader = leader
        self._led.set()
        if leader.version < self._version:
            self._older.set()
        else:
            self._older.clear()
        if leader.version > self._version:
            self._newer.set()
        for call in list(self._calls.values()):
            if call.sent_to is None or (call.sent_to != leader and call.idempotent):
                self._dispatch(call)
            elif call.sent_to != leader:
                _fail(call, NodeGone("the tab that was the node has gone; try again"))

    def _dispatch(self, call: _Call) -> None:
        if self._leader is None:
            return  # `_follow` will, when a leader makes itself known
        if self._handler is not None and self._leader.key == self._channel.me:
            call.sent_to = self._leader
            call.here = self._answers.run(self._call_here(call, self._handler))
        elif call.name in self._shared and self._leader.version >= self._version:
            call.sent_to, call.here = self._leader, None
            self._sending.start(self._call_there(call, self._leader.key))
        elif self._leader.version > self._version:
            _fail(call, StorageNewer("A tab with a newer version of this page has your data. Reload this one."))
        elif not call.asking:
            call.asking = True
            self._sending.start(self._ask_for_the_lead(call))

    async def _call_here(self, call: _Call, handler: Handler) -> None:
        CALLER.set(self._channel.me)
        _settle(call, await carried_out(handler, call.name, call.args))

    async def _call_there(self, call: _Call, leader: str) -> None:
        try:
            await asyncio.shield(self._present)
            await self._channel.post_sealed("call", leader, {"id": call.id, "name": call.name, "args": call.args})
        except (CryptoError, InvalidArgument, StorageError) as error:
            _fail(call, error)

    async def _relieve(self) -> None:
        """Ask leaders of older versions to hand over, while this tab waits for the lead."""
        while True:
            await self._older.wait()
            if self._leader is not None:
                self._channel.post("hand over", self._leader.key)
            await asyncio.sleep(ASK_AGAIN)

    async def _hand_over_to_successor(self) -> None:
        """Hand over once who asked last is the next: others who wait step back, but may hear of it after this tab."""
        patience = time.monotonic() + TO_STEP_BACK
        try:
            while self._successor and time.monotonic() < patience and not await is_next(self._name, self._successor):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        finally:
            self._successor = None
        if self._handler is not None and not self._closed:
            self._hand_over()

    async def _ask_for_the_lead(self, call: _Call) -> None:
        await self._channel.opened()
        patience = time.monotonic() + PATIENCE
        while not (self._releases or call.sent_to or call.answer.done()):
            if time.monotonic() >= patience:
                _fail(call, StorageBusy("another tab is the node, and does not hand over; close it and try again"))
            elif self._leader is not None:
                self._channel.post("hand over", self._leader.key)
            await asyncio.wait([call.answer], timeout=ASK_AGAIN)
        call.asking = False


def _let_go(present: asyncio.Future[Callable[[], None]]) -> None:
    if not present.cancelled() and present.exception() is None:
        present.result()()


def _settle(call: _Call, reply: dict[str, Any]) -> None:
    result = reply.get("result")
    if not isinstance(result, str):
        _fail(call, error_from_wire(reply.get("error")))
    elif not call.answer.done():
        call.answer.set_result(result)


def _fail(call: _Call, error: Exception) -> None:
    if not call.answer.done():
        call.answer.set_exception(error)
