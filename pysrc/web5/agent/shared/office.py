"""The node's side: it serves the agent to the interpreters that call.

Invariants:
1. A caller has one desk, with a session; who names another session is told that the node is gone, and joins anew.
2. Whatever a caller leaves behind is given up: when it goes, joins anew, or leaves data lying for `IDLE_SECONDS`.
3. What waits for a caller is bounded. A subscription with more events than that is told of the rest from the log.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.agent.shared.codec import signature_of, to_json
from web5.agent.shared.line import (
    MAX_CHUNK,
    MOST_CALLERS,
    MOST_STREAMS,
    MOST_SUBSCRIPTIONS,
    MOST_WAITING,
)
from web5.agent.shared.service import CALLS, CHANGES, Service, from_base64, to_base64
from web5.agent.shared.state import AgentState, state_of
from web5.agent.shared.streams import Data, Inlet, Outlet
from web5.dwn.data import MAX_INLINE_BYTES, DataStream, data_of
from web5.dwn.events import Event, Subscription
from web5.dwn.values.types import Message
from web5.errors import DwnError, InvalidArgument, NodeGone, StorageBusy
from web5.sync.states import SendResult, SyncEvent

_PAUSE = 0.05  # seconds between two answers that only tell of a state
_BATCH = 100


@dataclass(frozen=True)
class Batch:
    """The events and changes since the last one.

    Parameters:
        events: of subscriptions: the name, the number in the event log, and the event; None: it is behind, and is to
            subscribe anew; with the number 0, it has ended.
        changes: as `Agent.on_change` is called.
        state: of the agent, if it is not as it was.
    """

    events: list[tuple[str, int, dict[str, Any] | None]] = field(default_factory=list)
    changes: list[tuple[str, str]] = field(default_factory=list)
    sync: list[SyncEvent] = field(default_factory=list)
    state: AgentState | None = None


@dataclass(frozen=True)
class Opened:
    """The answer to a browser that asks for a DRL, as `web5.agent.drls.answers.Answer`."""

    status: int
    headers: dict[str, str]
    data: Data


class Office:
    """Serves an agent. Callers are named by the platform, which knows who they are."""

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._service = Service(agent)
        self._desks: dict[str, Desk] = {}
        agent.on_change.append(self._changed)
        agent.sync.listeners.append(self._told)

    async def answer(self, caller: str, name: str, args: str) -> str:
        """Answer one call, with JSON in and out.

        Raises:
            InvalidArgument: there is no such call, or it takes no such arguments.
            NodeGone: the caller has no such session.
            Whatever the agent raises.
        """
        if name in CALLS:
            signature = signature_of(CALLS[name])
            result = await getattr(self._service, name)(**signature.unpack(args))
            if name in CHANGES:
                self.touch()
            elif name == "state" and caller in self._desks:
                self._desks[caller].told = None
            return to_json(result)
        if name == "join":
            return to_json(self._join(caller))
        if name not in DESK_CALLS:
            raise InvalidArgument(f"There is no call {name[:50]!r}.")
        given = signature_of(DESK_CALLS[name]).unpack(args)
        desk = self._desks.get(caller)
        if desk is None or desk.session != given["session"]:
            raise NodeGone("This tab has not joined the one that is the node now.")
        return to_json(await getattr(desk, name)(**given))

    def touch(self) -> None:
        """Tell everybody the state, which may have changed."""
        for desk in self._desks.values():
            desk.tell()

    def gone(self, caller: str) -> None:
        """Give up what a caller has left."""
        desk = self._desks.pop(caller, None)
        if desk is not None:
            desk.close()

    def close(self) -> None:
        """Give up what all callers have here."""
        self._agent.on_change.remove(self._changed)
        self._agent.sync.listeners.remove(self._told)
        for caller in list(self._desks):
            self.gone(caller)

    def _join(self, caller: str) -> str:
        self.gone(caller)
        if len(self._desks) >= MOST_CALLERS:
            raise StorageBusy(f"{MOST_CALLERS} other tabs work through this one already. Close some.")
        desk = self._desks[caller] = Desk(self._agent)
        return desk.session

    def _changed(self, tenant: str, message_cid: str) -> None:
        for desk in self._desks.values():
            desk.tell(change=(tenant, message_cid))

    def _told(self, event: SyncEvent) -> None:
        for desk in self._desks.values():
            desk.tell(event=event)


class Desk:
    """The subscriptions, events and data that the node has for one caller.

    Attributes:
        told: the state that the caller was given last, if that was by `listen`.
    """

    def __init__(self, agent: Agent) -> None:
        self.told: AgentState | None = None
        self.session = secrets.token_hex(16)
        self._agent = agent
        self._subscriptions: dict[str, Subscription] = {}
        self._events: deque[tuple[str, int, dict[str, Any] | None]] = deque()
        self._changes: deque[tuple[str, str]] = deque(maxlen=MOST_WAITING)
        self._sync: deque[SyncEvent] = deque(maxlen=MOST_WAITING)
        self._more = asyncio.Event()
        self._inlets: dict[str, Inlet] = {}
        self._ended: deque[str] = deque(maxlen=2 * MOST_STREAMS)
        self._outlets: dict[str, Outlet] = {}

    def tell(self, *, change: tuple[str, str] | None = None, event: SyncEvent | None = None) -> None:
        """Have the caller told of the state, and of what changed it."""
        if change is not None:
            self._changes.append(change)
        if event is not None:
            self._sync.append(event)
        self._more.set()

    def close(self) -> None:
        """Give up all of it."""
        for subscription in self._subscriptions.values():
            subscription.on_end = None
            subscription.end()
        self._subscriptions.clear()
        for stream in list(self._outlets):
            self._close_outlet(stream)
        for inlet in self._inlets.values():
            inlet.break_off()
        self._inlets.clear()

    # -- the calls

    async def listen(self, session: str) -> Batch:
        """Return what has happened, once something has."""
        await self._more.wait()
        if not self._events:
            await asyncio.sleep(_PAUSE)
        self._more.clear()
        events = [self._events.popleft() for _ in range(min(len(self._events), _BATCH))]
        changes, sync = list(self._changes), list(self._sync)
        self._changes.clear()
        self._sync.clear()
        if self._events:
            self._more.set()
        state = state_of(self._agent)
        if state == self.told:
            return Batch(events, changes, sync)
        self.told = state
        return Batch(events, changes, sync, state)

    async def subscribe(self, session: str, name: str, tenant: str, message: Message, after: int | None) -> int:
        """Subscribe with a message; events come by `listen`.

        Parameters:
            name: the caller's for this subscription.
            after: the number in the event log up to which the caller knows all; None: from now on.

        Returns:
            The number up to which it knows all then.
        """
        if len(self._subscriptions) >= MOST_SUBSCRIPTIONS:
            raise StorageBusy(f"A tab has {MOST_SUBSCRIPTIONS} subscriptions at the most. Close some.")
        await self.unsubscribe(session, name)
        reply = await self._agent.messages.process(tenant, message, None, partial(self._put, name))
        subscription: Subscription = reply["subscription"]
        self._subscriptions[name] = subscription
        subscription.on_end = partial(self._put_end, name)
        if after is None:
            return self._agent.dwn.last_published
        self._agent.dwn.catch_up(subscription, tenant, after)
        return after  # what came since is still to be told

    async def unsubscribe(self, session: str, name: str) -> None:
        """End a subscription."""
        subscription = self._subscriptions.pop(name, None)
        if subscription is not None:
            subscription.on_end = None
            await subscription.close()

    async def process(self, session: str, tenant: str, message: Message, data: Data | None) -> dict[str, Any]:
        """Process a message in the local DWN; a reply that is no success is returned, too.

        Data in the reply are in its member `data`, as `Data`.
        """
        descriptor = message.get("descriptor")
        if isinstance(descriptor, dict) and descriptor.get("method") == "Subscribe":
            raise InvalidArgument("Subscriptions are made by `subscribe`.")
        try:
            async with _Reading(self, data) as given:
                reply = await self._agent.messages.process(tenant, message, given)
        except DwnError as error:
            return {"status": {"code": error.status, "detail": error.detail}}
        stream = data_of(reply)
        if stream is None:
            return reply
        entry = {name: value for name, value in reply["entry"].items() if name != "data"}
        return {**reply, "entry": entry, "data": await self._given(stream)}

    async def open_drl(self, session: str, drl: str, conditions: dict[str, str]) -> Opened:
        """Find what a DRL names, for a page that shows it. As `web5.agent.drls.answers.answer`."""
        from web5.agent.drls import answers  # a start has no use for it

        found = await answers.answer(self._agent, drl, conditions)
        try:
            return Opened(found.status, found.headers, await self._given(found.data))
        except BaseException:
            await found.data.close()
            raise

    async def send_messages(
        self, session: str, author: str, target: str, messages: list[tuple[Message, Data | None]]
    ) -> list[SendResult]:
        """As `SyncEngine.send_messages`."""
        if sum(data is not None and data.stream is not None for _, data in messages) > 1:
            raise InvalidArgument("Only one of the messages can have large data.")
        given: list[tuple[Message, bytes | AsyncIterator[bytes] | None]] = []
        large = next((data for _, data in messages if data is not None and data.stream is not None), None)
        async with _Reading(self, large) as stream:
            for message, data in messages:
                if data is None:
                    given.append((message, None))
                else:
                    given.append((message, stream if data is large else from_base64(data.whole or "")))
            return await self._agent.sync.send_messages(author, target, given)

    async def put(self, session: str, stream: str, chunk: str | None) -> bool:
        """Take the next chunk of a stream, in base64, once there is room for it; None: it was the last one.

        Returns:
            False if no more is wanted.
        """
        if stream in self._ended:
            return False
        data = None if chunk is None else from_base64(chunk)
        if data is not None and len(data) > MAX_CHUNK:
            raise InvalidArgument(f"A chunk has {MAX_CHUNK} bytes at the most.")
        return await self.inlet(stream).put(data)

    async def take(self, session: str, stream: str) -> str | None:
        """Return the next chunk of a stream in base64, or None after the last one."""
        outlet = self._outlets.get(stream)
        if outlet is None:
            raise NodeGone("The node does not have these data at hand any more.")
        chunk = await outlet.take()
        if chunk is None:
            self._close_outlet(stream)
        return None if chunk is None else to_base64(chunk)

    async def drop(self, session: str, stream: str) -> None:
        """Give up a stream that was not read to its end."""
        self._close_outlet(stream)

    # -- its parts

    def inlet(self, stream: str) -> Inlet:
        """Return the stream of this name that the caller sends."""
        if stream not in self._inlets:
            if len(self._inlets) >= MOST_STREAMS:
                raise StorageBusy(f"A tab sends {MOST_STREAMS} streams at once at the most. Try again.")
            self._inlets[stream] = Inlet()
        return self._inlets[stream]

    def end_inlet(self, stream: str) -> None:
        """Want no more of a stream."""
        self._ended.append(stream)
        inlet = self._inlets.pop(stream, None)
        if inlet is not None:
            inlet.break_off()

    async def _given(self, stream: DataStream) -> Data:
        if stream.size is not None and stream.size <= MAX_INLINE_BYTES:
            return Data(whole=to_base64(await stream.read()))
        if len(self._outlets) >= MOST_STREAMS:
            raise StorageBusy(f"A tab reads {MOST_STREAMS} streams at once at the most. Read those to their end.")
        name = secrets.token_hex(16)
        self._outlets[name] = Outlet(stream, partial(self._close_outlet, name))
        return Data(stream=name, size=stream.size)

    def _close_outlet(self, stream: str) -> None:
        outlet = self._outlets.pop(stream, None)
        if outlet is not None:
            outlet.close()

    def _put(self, name: str, event: Event) -> None:
        if len(self._events) < MOST_WAITING:
            self._events.append((name, event.seq, event))
        else:  # it goes on from the log
            self._put_end(name, behind=True)
        self._more.set()

    def _put_end(self, name: str, *, behind: bool = False) -> None:
        subscription = self._subscriptions.pop(name, None)
        if subscription is not None:
            subscription.on_end = None
            subscription.end()
            self._events.append((name, -1 if behind else 0, None))
            self._more.set()


DESK_CALLS = {
    name: getattr(Desk, name)
    for name in ("listen", "subscribe", "unsubscribe", "process", "open_drl", "send_messages", "put", "take", "drop")
}


class _Reading:
    """The data of a call, as an asynchronous context: bytes, or an iterator that ends with it."""

    def __init__(self, desk: Desk, data: Data | None) -> None:
        self._desk = desk
        self._data = data

    async def __aenter__(self) -> Any:
        if self._data is None:
            return None
        if self._data.stream is not None:
            return self._desk.inlet(self._data.stream).chunks()
        return from_base64(self._data.whole or "")

    async def __aexit__(self, *_: object) -> None:
        if self._data is not None and self._data.stream is not None:
            self._desk.end_inlet(self._data.stream)
