"""`web5.sync`: the control of sync, and its state."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from typing import Unpack

from web5.agent.agent import Agent
from web5.agent.delegation.actor import Actor
from web5.api.arguments import choice, texts
from web5.api.records.filters import RecordFilter, records_filter
from web5.api.records.record import Record
from web5.errors import InvalidArgument, StorageClosed
from web5.sync import Demands, Difference
from web5.sync.engine import PAGE
from web5.sync.events import SyncEvents
from web5.sync.states import (
    Direction,
    EndpointStatuses,
    State,
    SyncEvent,
    SyncReport,
    Unsettled,
    UnsettledMessages,
    Wanted,
)


class SyncApi:
    """The sync of this agent: its interval is that of all identities, its scope and state are those of this one.

    The agent's own records, which hold the identities and their keys, belong to each identity: `status`, `unsettled`,
    `check` and `retry` have them, with the agent's DID as `tenant`.
    """

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._sync = agent.sync
        self._did = actor.did
        self._delegate = actor.delegate_did
        self._registrar = agent.registrar

    @property
    def interval(self) -> str:
        """The interval as it was given to `start`; "off" while sync is stopped."""
        return self._sync.interval

    async def start(self, interval: str = "2m") -> None:
        """Sync now, in the background, and then on at this interval, which replaces the last one.

        Parameters:
            interval: as npm's `ms` takes it, "2m", "30s", "1 hour": again after every interval; "live": what happens
                here or at a remote DWN is carried over at once; "off": nothing happens by itself.

        Raises:
            InvalidArgument: it is none of these.
            StorageClosed: `web5` was closed.
        """
        if self._agent.closed:
            raise StorageClosed
        await self._sync.start(interval)

    async def stop(self) -> None:
        """Stop at once, also in the middle of a transfer; what was under way is taken up again by the next sync."""
        await self._sync.stop()

    async def now(self, direction: Direction | None = None) -> SyncReport:
        """Sync all identities of this agent once. Failures are in the report, not raised.

        Parameters:
            direction: "push" or "pull"; by default both.

        Raises:
            InvalidArgument: it is another.
        """
        if direction is not None:
            choice("direction", direction, ["push", "pull"])
        return await self._sync.now(direction)

    async def scope(self, protocols: Sequence[str] | None) -> None:
        """Choose the protocols of this identity that sync.

        Parameters:
            protocols: the URIs of the protocols to sync; None: everything, or, for a delegate, all that its grants let
                it sync.

        Raises:
            InvalidArgument: the list is empty.
        """
        if self._delegate is not None and protocols is None:
            protocols = self._sync.grants.protocols(self._did, self._delegate)
        await self._sync.register(self._did, protocols, self._delegate)

    def prioritize(self, **filters: Unpack[RecordFilter]) -> None:
        """On a first sync, fetch the newest records that pass the filters (those of `records.query`) before all others.

        `records.query` does this by itself for what it is asked.

        Raises:
            InvalidArgument: an unknown filter.
        """
        self._sync.prioritize(self._did, records_filter(filters))

    async def retry(self, *, endpoint: str | None = None, message_cid: str | None = None) -> SyncReport:
        """Retry now the messages that are refused, blocked or waiting, whatever their backoff.

        Parameters:
            endpoint, message_cid: only at this URL, only this message; by default everything.
        """
        return await self._sync.retry(self._tenants, endpoint, message_cid)

    async def check(self) -> list[Difference]:
        """Compare the messages that this node and every remote DWN of the identity, and of the agent, really hold.

        Differences that sync did not know of are handed to it, so that the next sync mends them.
        """
        tenants = self._tenants
        return sorted(await self._sync.check(tenants), key=lambda one: tenants.index(one.tenant))

    def status(self) -> EndpointStatuses:
        """Return the state of sync with each remote DWN of this identity, then of the agent.

        Its `deliveries` count what was sent to others and is not there yet; `unpublished` has the DIDs that others do
        not find as they are here, with the reason.
        """
        each = [self._sync.status(tenant) for tenant in self._tenants]
        found = EndpointStatuses(status for statuses in each for status in statuses)
        found.deliveries = [one for statuses in each for one in statuses.deliveries]
        publications = map(self._agent.publication, dict.fromkeys([self._delegate or self._did, *self._tenants[1:]]))
        found.unpublished = {one.did: one.reason or "it is being published" for one in publications if not one.is_found}
        return found

    async def registration(self, endpoint: str) -> Demands:
        """Fetch the demands of a remote DWN for registration: its terms of service, and how much work.

        An identity is registered by itself where that needs nobody's consent. Where it does, `status` says so
        (`registration.asks`), and sync with that DWN goes on after `accept_terms`, `accept_work` or `use_invitation`.

        Raises:
            RegistrationError: it does not say how, or asks for what cannot be done here.
            RemoteError: it does not answer as a DWN server does.
        """
        return await self._registrar.demands(endpoint)

    async def accept_terms(self, endpoint: str, terms_hash: str) -> None:
        """Record that the person agrees to a remote DWN's terms of service, for all identities of this agent; durable.

        Parameters:
            endpoint: the URL of the remote DWN.
            terms_hash: of the terms that the person has read, so that others are asked about anew.

        Raises:
            InvalidArgument: that is no hash.
        """
        await self._registrar.accept_terms(endpoint, terms_hash)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        """Record that the person allows a proof of work that is too long to be done unasked; durable.

        Parameters:
            endpoint: the URL of the remote DWN that demands it.
            hashes: the number of hashes that it takes, about.

        Raises:
            InvalidArgument: that is no number of hashes.
        """
        await self._registrar.accept_work(endpoint, hashes)

    async def use_invitation(self, endpoint: str, code: str) -> None:
        """Register with a remote DWN by the code of an invitation, all identities of this agent that it does not know.

        Each takes one use of the code, and so do the agent's own records. A code that is refused is forgotten, and
        `status` asks for another.

        Parameters:
            endpoint: the URL of the remote DWN that the code is for.
            code: as its operator gave it.

        Raises:
            InvalidArgument: that is no code.
        """
        await self._registrar.use_invitation(endpoint, code)

    def unsettled(
        self,
        *,
        endpoint: str | None = None,
        states: Collection[State] | None = None,
        message_cids: Collection[str] | None = None,
        target: str | None = None,
        limit: int | None = PAGE,
        cursor: str | None = None,
    ) -> UnsettledMessages:
        """Return a page of the messages that are not yet where they belong, with the reason; `status` counts them.

        What was sent to others and is not there yet comes last, with its `target`. In a tab that is not the node, no
        more than the first thousand are known: see `all_unsettled`.

        Parameters:
            endpoint, states, message_cids: only at this URL, in these states, of these messages; by default any.
            target: only what was sent to this DID; by default all, that to the own nodes included.
            limit: the number of messages at the most; None: all of them, which takes as long as there are many.
            cursor: that of the page before; by default the first messages are returned.

        Raises:
            InvalidArgument: there is no such limit or state, or the cursor is none of ours.
            StorageBusy: another tab is the node, and more is asked for than is known here.
        """
        wanted = _wanted(endpoint, states, message_cids, target)
        return self._sync.unsettled(self._tenants, wanted, limit=limit, cursor=cursor)

    async def all_unsettled(
        self,
        *,
        endpoint: str | None = None,
        states: Collection[State] | None = None,
        message_cids: Collection[str] | None = None,
        target: str | None = None,
    ) -> AsyncIterator[Unsettled]:
        """Iterate over all messages that `unsettled` has, page by page, also where another tab is the node.

        One that is settled, or comes to be unsettled, meanwhile may be among them, or not. Parameters are those of
        `unsettled`.

        Raises:
            InvalidArgument: there is no such state.
        """
        wanted, cursor = _wanted(endpoint, states, message_cids, target), None
        while True:
            page, cursor = await self._sync.unsettled_page(self._tenants, wanted, cursor)
            for one in page:
                yield one
            if cursor is None:
                return

    def damaged(self) -> list[Unsettled]:
        """Return the messages that are held here and cannot be read, or whose data cannot; nodes are asked for them."""
        return [entry for tenant in self._tenants for entry in self._sync.damaged(tenant)]

    async def withdraw(self, what: Unsettled | Record | None = None, target: str | None = None) -> int:
        """Take back what was sent to others and is not there yet; what is under way may still arrive.

        Parameters:
            what: an entry of `unsettled`, or a record; by default everything.
            target: only what was sent to this DID; by default to anybody. Without `what`, it has to be given.

        Returns:
            The number of messages that are taken back, counted once for each DID.

        Raises:
            InvalidArgument: neither is given, or the entry is about the own nodes, which get what is here in any case.
        """
        if isinstance(what, Unsettled):
            if what.target is None or target not in (None, what.target):
                raise InvalidArgument(
                    f"message {what.message_cid} was not sent to {target or 'anybody else'}, so it cannot be withdrawn:"
                    " sync brings to the own nodes what is here"
                )
            return await self._sync.withdraw(what.tenant, what.target, message_cid=what.message_cid)
        if what is not None and not isinstance(what, Record):
            raise InvalidArgument(f"withdraw takes an entry of `unsettled()` or a record, not {type(what).__name__}")
        if what is None and target is None:
            raise InvalidArgument("name what to withdraw: an entry of `unsettled()`, a record, or a `target`")
        return await self._sync.withdraw(self._did, target, record_id=None if what is None else what.id)

    @property
    def _tenants(self) -> list[str]:
        return list(dict.fromkeys(filter(None, (self._did, self._agent.vault.agent_did))))

    def events(self) -> SyncEvents:
        """Return an iterator over the events of sync, from now on, until it is given up or `web5` closed.

        Raises:
            StorageClosed: it is closed already.
        """
        if self._agent.closed:
            raise StorageClosed
        events = self._sync.events()
        self._agent.open_ones.add(events)
        return events

    @property
    def listeners(self) -> list[Callable[[SyncEvent], None]]:
        """Callbacks, called with each event; they must not take long."""
        return self._sync.listeners


def _wanted(
    endpoint: str | None, states: Collection[State] | None, cids: Collection[str] | None, target: str | None
) -> Wanted:
    for state in () if states is None else texts("states", states):
        choice("state", state, [one.value for one in State])
    return Wanted(
        endpoint,
        None if states is None else frozenset(states),
        None if cids is None else frozenset(cids),
        target,
    )
