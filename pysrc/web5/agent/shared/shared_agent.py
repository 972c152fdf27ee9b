"""An agent that is in this interpreter or in another one of the same store, wherever the node is.

Invariants:
1. At most one interpreter has the agent; the platform tells this one when it is its turn (`lead`), and asks for it back
   (`step_back`).
2. A call goes to the node that there is, and waits while there is none. What may be repeated is; else NodeGone says
   that the node went away in the midst of it.
3. A subscription goes on at the next node with what came after the last event that was given, each event once.
4. No private key, password or word comes from another interpreter: what needs one makes this one the node.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, Concatenate, ParamSpec, TypeVar, cast
from weakref import WeakSet

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.agent.holdings import Holdings
from web5.agent.identities import Identity
from web5.agent.publication.status import PublicationStatus
from web5.agent.requests.messages import Messages
from web5.agent.shared.following import Following
from web5.agent.shared.guest import Guest
from web5.agent.shared.line import Line
from web5.agent.shared.office import Batch, Desk, Office
from web5.agent.shared.parts import (
    SharedDelegate,
    SharedGateways,
    SharedGrants,
    SharedHoldings,
    SharedIdentities,
    SharedRecordKeys,
    SharedRegistrar,
    SharedResolver,
    SharedSync,
    SharedVault,
    shared_signer,
)
from web5.agent.shared.port import Reopened
from web5.agent.shared.service import Service
from web5.agent.shared.state import AgentState, state_of
from web5.crypto.jose.jws import MessageSigner
from web5.dwn.data import DataSource
from web5.dwn.events import Handler
from web5.dwn.permissions import protocol as permissions
from web5.dwn.values.types import Message
from web5.errors import DwnError, NodeGone, StorageBusy, StorageClosed, Web5Error
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.ports.http import Http
from web5.ports.websocket import WebSockets
from web5.remote.dwn import RemoteDwn
from web5.sync.states import SendResult, SyncEvent
from web5.tasks import Closable, TaskSet, close_all, notify, to_the_end
from web5.urls import same_endpoint

P = ParamSpec("P")
T = TypeVar("T")

GRACE = 5.0
"""Seconds that calls under way here have when another interpreter is to be the node."""

_AGAIN = 0.5
"""Seconds before the node is asked again, where it does not let this interpreter join."""


class SharedAgent:
    """An `Agent`, as far as `web5.api` needs one.

    Parameters:
        line: to the node, wherever it is.
        take_lead: has this interpreter become the node; returns after `lead`.
        leave: ends the platform's part: it steps back if it is the node, lets another be it, and will be none.
        the others: this interpreter's own ways to other people's nodes.

    Attributes:
        real: the agent, while this interpreter is the node.
        guest: the way to the one that is.
        on_lost: awaited before the agent that is here is closed because another interpreter is to be the node.
        subscriptions: those that are open, by their names.
        the others: as `Agent` has them.
    """

    def __init__(
        self,
        line: Line,
        *,
        take_lead: Callable[[], Awaitable[None]],
        leave: Callable[[], Awaitable[None]],
        clock: Clock,
        crypto: Crypto,
        own: tuple[Http, WebSockets | None],
        guarded: tuple[Http, WebSockets | None],
        share_sockets: bool = False,
    ) -> None:
        self.clock, self.crypto, self.http, self.guarded = clock, crypto, own[0], guarded[0]
        self.on_change: list[Callable[[str, str], None]] = []
        self.on_lost: list[Callable[[], Awaitable[None]]] = []
        self.background = TaskSet()
        self.open_ones: WeakSet[Closable] = WeakSet()
        self.closed = self.joined = False
        self.real: Agent | None = None
        self._take_lead = take_lead
        self._leave = leave
        self._guest = Guest(line)
        self._service: Service | None = None
        self._office: Office | None = None
        self._state: AgentState | None = None
        self.subscriptions: dict[str, Reopened] = {}
        self._calls: set[asyncio.Task[Any]] = set()
        self._given_up: set[asyncio.Task[Any]] = set()
        self._listening: asyncio.Task[None] | None = None
        self.ready_for_others = asyncio.Event()
        self.resolver = SharedResolver(self)
        self.held = SharedHoldings(self)
        self.record_keys = SharedRecordKeys(self)
        self.identities = SharedIdentities(self)
        self.gateways = SharedGateways(self)
        self.vault = SharedVault(self)
        self.grants = SharedGrants(self, clock)
        self.sync = SharedSync(self)
        self.registrar = SharedRegistrar(self)
        self.remote = remote = RemoteDwn(
            *own, clock=clock, share_sockets=share_sockets, is_own=self._is_own, guarded=guarded
        )
        self.messages = Messages(self, cast(Holdings, self.held), self.resolver, remote)

    def __getattr__(self, name: str) -> Any:
        """Return a part that only the node has.

        Raises:
            StorageBusy: another interpreter is the node.
        """
        if name.startswith("_"):
            raise AttributeError(name)
        if self.real is None:
            raise StorageBusy(f"Another tab is the node, and has the agent's {name}; this one works through it.")
        return getattr(self.real, name)

    # -- who is the node

    async def lead(self, agent: Agent) -> None:
        """Be the node from now on, with this agent, which is open."""
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        self.guest.leave()
        before, self._state = self._state, None
        self._office = Office(agent)
        self._service, self.real = Service(agent), agent
        agent.on_change.append(self._changed)
        agent.sync.listeners.append(self._told)
        for one in list(self.subscriptions.values()):
            await one.open_again()
        if before is not None and before.interval != "off" and agent.vault.state == "unlocked":
            await agent.sync.start(before.interval)

    async def step_back(self) -> None:
        """Close the agent, so that another interpreter can be the node, and work through that."""
        agent, office = self.real, self._office
        if agent is None or office is None:
            return
        self._state = state_of(agent)
        self.real = self._service = self._office = None
        if self._calls and not self.closed:
            await asyncio.wait(self._calls, timeout=GRACE)
        for task in self._calls:
            self._given_up.add(task)
            task.cancel()
        office.close()
        try:
            for lost in [] if self.closed else self.on_lost:
                await lost()
        finally:
            await agent.close()
        self.follow()

    def follow(self) -> None:
        """Hear from the node what happens there."""
        if not self.closed and self._listening is None:
            self._listening = asyncio.create_task(self._listen())

    async def join(self) -> None:
        """Return once another interpreter, which is the node, has told the state."""
        self._state = await self.guest.call(Service.state)
        self.joined = True
        self.follow()

    async def answer(self, caller: str, name: str, args: str) -> str:
        """Answer a call of another interpreter, or of this one. As `Office.answer`."""
        if self._office is None:
            raise NodeGone("The tab that was the node is no more.")
        return await self._office.answer(caller, name, args)

    def gone(self, caller: str) -> None:
        """Give up what an interpreter has left here."""
        if self._office is not None:
            self._office.gone(caller)

    async def ready(self) -> None:
        """As `Agent.ready`: others are answered from now on."""
        self.ready_for_others.set()

    async def as_node(self) -> Agent:
        """As `Agent.as_node`: this interpreter is the node when it returns.

        Raises:
            StorageBusy: the one that is does not hand over.
            StorageNewer: a newer version is the node.
        """
        if self.real is None:
            if self.closed:
                raise StorageClosed
            await self._take_lead()
        if self.real is None:
            raise StorageBusy("Another tab is the node, and took over again. Try again.")
        return self.real

    # -- calls

    @property
    def guest(self) -> Guest:
        """The way to the node.

        Raises:
            StorageClosed: this was closed.
        """
        if self.closed:
            raise StorageClosed
        return self._guest

    @property
    def state(self) -> AgentState:
        """The state that is read without waiting, as it was told last."""
        if self.real is not None:
            return state_of(self.real)
        if self.closed:
            raise StorageClosed
        if self._state is None:
            raise StorageBusy("No node has told its state yet.")
        return self._state

    async def refresh(self) -> None:
        """Have the state told anew, here and, by the node, to the others."""
        if self._office is not None:
            self._office.touch()
        else:
            self._state = await self.do(Service.state)

    async def do(self, method: Callable[Concatenate[Service, P], Awaitable[T]], *args: P.args, **named: P.kwargs) -> T:
        """Have the node do something that may be done twice."""
        if self._service is not None:
            with suppress(NodeGone):
                return await self._here(cast(Coroutine[Any, Any, T], method(self._service, *args, **named)))
        return await self.guest.call(method, *args, **named)

    async def change(
        self, method: Callable[Concatenate[Service, P], Awaitable[T]], *args: P.args, **named: P.kwargs
    ) -> T:
        """Have the node do something once that changes the state.

        Raises:
            NodeGone: the node went away meanwhile; it may be done, or not.
        """
        try:
            if self._service is not None:
                return await self._here(cast(Coroutine[Any, Any, T], method(self._service, *args, **named)))
            return await self.guest.once(method, *args, **named)
        finally:
            await self.refresh()

    async def process_message(
        self,
        tenant: str,
        message: Message,
        data: DataSource | None = None,
        subscription_handler: Handler | None = None,
        /,
    ) -> dict[str, Any]:
        """Process a message in the local DWN, as `Dwn.process_message` does.

        Raises:
            NodeGone: nodes went away meanwhile, and `data` cannot be read once more.
        """
        if subscription_handler is not None:
            return await self._subscribe(tenant, message, subscription_handler)
        if self.real is not None:
            try:
                return await self._here(self.real.dwn.process_message(tenant, message, data))
            except NodeGone:
                if not (data is None or isinstance(data, bytes)):
                    raise
        reply = await self.guest.process(tenant, message, data)
        if message["descriptor"].get("protocol") == permissions.URI:
            await self.refresh()
        return reply

    async def send_messages(
        self, author: str, target: str, messages: Sequence[tuple[Message, DataSource | None]]
    ) -> list[SendResult]:
        """As `SyncEngine.send_messages`."""
        if self.real is not None:
            return await self._here(self.real.sync.send_messages(author, target, messages))
        return await self.guest.send_messages(author, target, messages)

    async def signer(self, did: str) -> MessageSigner:
        """As `Agent.signer`; the key stays with the node."""
        return await (shared_signer(self, did) if self.real is None else self.real.signer(did))

    def actor(self, did: str, delegate_did: str | None) -> Actor:
        """As `Agent.actor`."""
        return Actor(did, self.signer) if delegate_did is None else SharedDelegate(self, did, delegate_did)

    async def create_identity(self, name: str, dwn_endpoints: Sequence[str], *, by_default: bool = False) -> Identity:
        """As `Agent.create_identity`."""
        if by_default:
            return await (await self.as_node()).create_identity(name, dwn_endpoints, by_default=True)
        return await self.change(Service.create_identity, name, list(dwn_endpoints))

    async def dwn_endpoints(self, did: str) -> list[str]:
        """As `Agent.dwn_endpoints`."""
        return await self.do(Service.dwn_endpoints, did)

    def publication(self, did: str) -> PublicationStatus:
        """As `Agent.publication`."""
        if self.real is not None:
            return self.real.publication(did)
        return next(one for one in self.state.publications if one.did == did)

    def use_gateways(self, uris: Sequence[str]) -> None:
        """As `Agent.use_gateways`; where another interpreter is the node, its gateways stay."""
        if self.real is not None:
            self.real.use_gateways(uris)

    async def import_identity(self, portable_identity: Any) -> Identity:
        """As `Agent.import_identity`."""
        return await (await self.as_node()).import_identity(portable_identity)

    async def export_identity(self, did: str) -> dict[str, Any]:
        """As `Agent.export_identity`."""
        return await (await self.as_node()).export_identity(did)

    async def set_dwn_endpoints(self, did: str, urls: Sequence[str], *, force: bool = False) -> None:
        """As `Agent.set_dwn_endpoints`."""
        await (await self.as_node()).set_dwn_endpoints(did, urls, force=force)

    async def unlock(self, password: str | None = None) -> None:
        """As `Agent.unlock`."""
        await (await self.as_node()).unlock(password)

    async def lock(self) -> None:
        """As `Agent.lock`."""
        await self.change(Service.lock)

    def keep_running(self, name: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """As `Agent.keep_running`; a lock ends nothing here."""
        self.background.start(work(), name)

    async def close(self) -> None:
        """As `Agent.close`: if this interpreter is the node, another takes its place."""
        self.closed = True
        await to_the_end(self._close())

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            self._listening = None
        async with AsyncExitStack() as stack:  # the last first, each whatever becomes of the others
            stack.push_async_callback(self.step_back)
            stack.push_async_callback(self._leave)
            stack.push_async_callback(self.background.cancel)
            stack.push_async_callback(close_all, list(self.open_ones))

    # -- its parts

    async def _here(self, work: Coroutine[Any, Any, T]) -> T:
        """Run work on the agent that is here; raises NodeGone if it has to go before the work is done."""
        task = asyncio.ensure_future(work)
        self._calls.add(task)
        try:
            return await task
        except asyncio.CancelledError:
            if task in self._given_up:
                raise NodeGone("Another tab is the node now, and this was under way here.") from None
            raise
        finally:
            self._calls.discard(task)
            self._given_up.discard(task)

    async def _subscribe(self, tenant: str, message: Message, handler: Handler) -> dict[str, Any]:
        following = Following(self, tenant, message, handler)
        try:
            await following.open()
        except DwnError as error:
            return {"status": {"code": error.status, "detail": error.detail}}
        return {"status": {"code": 200, "detail": "OK"}, "subscription": following}

    async def _listen(self) -> None:
        session = ""
        while True:
            try:
                if session != (now := await self.guest.join()):
                    session = now
                    for one in list(self.subscriptions.values()):
                        await one.open_again()
                    await self.refresh()
                batch = await self.guest.at_desk(Desk.listen)
            except NodeGone:
                continue
            except Web5Error:
                await asyncio.sleep(_AGAIN)
                continue
            self._take(batch)

    def _take(self, batch: Batch) -> None:
        self._state = batch.state or self._state
        for name, seq, event in batch.events:
            following = self.subscriptions.get(name)
            if following is not None:
                following.told(seq, event)
        for tenant, cid in batch.changes:
            self._changed(tenant, cid)
        for one in batch.sync:
            self._told(one)

    def _changed(self, tenant: str, message_cid: str) -> None:
        notify("a callback of on_change failed", self.on_change, tenant, message_cid)

    def _told(self, event: SyncEvent) -> None:
        notify("a listener of sync failed", self.sync.listeners, event)

    def _is_own(self, tenant: str, endpoint: str) -> bool:
        if self.real is not None:
            return self.real.sync.is_own(tenant, endpoint)
        return any(one.tenant == tenant and same_endpoint(one.endpoint) == endpoint for one in self.state.statuses)
