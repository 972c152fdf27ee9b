"""`web5.sync`: when this agent syncs, and how that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

from web5.agent.agent import Agent
from web5.agent.delegation import authorize as delegating
from web5.agent.delegation.actor import Actor
from web5.api.records import records_filter
from web5.sync import Demands, Difference
from web5.sync.states import Direction, EndpointStatus, SyncEvent, SyncReport, Unsettled


class SyncApi:
    """When it syncs is the agent's, for all its identities; what is where is that of the one that `actor` acts for."""

    def __init__(self, agent: Agent, actor: Actor) -> None:
        self._agent = agent
        self._sync = agent.sync
        self._did = actor.did
        self._delegate = actor.delegate_did
        self._registrar = agent.registrar

    @property
    def interval(self) -> str:
        """As it was given to `start`; "off" while sync is stopped."""
        return self._sync.interval

    async def start(self, interval: str = "2m") -> None:
        """Sync now, in the background, and then on; replaces what was.

        Parameters:
            interval: as npm's `ms` takes it, "2m", "30s", "1 hour": again after every interval; "live": what happens
                here or at a remote DWN is carried over at once; "off": nothing happens by itself.

        Raises:
            InvalidArgument: it is none of these.
        """
        await self._sync.start(interval)

    async def stop(self) -> None:
        """Stop at once, also in the middle of a transfer; what was under way is taken up again by the next sync."""
        await self._sync.stop()

    async def now(self, direction: Direction | None = None) -> SyncReport:
        """Sync all identities of this agent once. What failed is in the report, not raised.

        Parameters:
            direction: "push" or "pull"; by default both.
        """
        return await self._sync.now(direction)

    async def scope(self, protocols: Sequence[str] | None) -> None:
        """Choose what of this identity syncs.

        Parameters:
            protocols: the URIs of the protocols to sync; None: everything, or, for a delegate, all that its grants let
                it sync.

        Raises:
            InvalidArgument: the list is empty.
        """
        if self._delegate is None:
            await self._sync.register(self._did, protocols)
        else:
            scope = delegating.granted_protocols(self._agent, self._delegate) if protocols is None else protocols
            await delegating.sync_as_delegate(self._agent, self._delegate, scope)

    def prioritize(self, **filters: Any) -> None:
        """On a first sync, fetch the newest records that pass the filters (those of `records.query`) before all others.

        `records.query` does this by itself for what it is asked.

        Raises:
            InvalidArgument: an unknown filter.
        """
        self._sync.prioritize(self._did, records_filter(filters))

    async def retry(self, *, endpoint: str | None = None, message_cid: str | None = None) -> SyncReport:
        """Try now what is refused, blocked or waiting, whatever its backoff.

        Parameters:
            endpoint, message_cid: only at this URL, only this message; by default everything.
        """
        return await self._sync.retry(self._did, endpoint, message_cid)

    async def check(self) -> list[Difference]:
        """Compare what this node and every remote DWN of the identity really hold, message by message.

        What sync did not know of is handed to it, so that the next sync mends it.
        """
        return await self._sync.check(self._did)

    def status(self) -> list[EndpointStatus]:
        """How each remote DWN of this identity stands."""
        return self._sync.status(self._did)

    async def registration(self, endpoint: str) -> Demands:
        """What a remote DWN asks of those who want to register: its terms of service, and how much work.

        An identity is registered by itself where that needs nobody's consent. Where it does, `status` says so
        (`registration.asks`), and sync with that DWN goes on after `accept_terms` or `accept_work`.

        Raises:
            RegistrationError: it does not say how, or asks for what cannot be done here.
            RemoteError: it does not answer as a DWN server does.
        """
        return await self._registrar.demands(endpoint)

    async def accept_terms(self, endpoint: str, terms_hash: str) -> None:
        """The person agrees to a remote DWN's terms of service, for all identities of this agent; durable.

        Parameters:
            terms_hash: of the terms that the person has read, so that others are asked about anew.

        Raises:
            InvalidArgument: that is no hash.
        """
        await self._registrar.accept_terms(endpoint, terms_hash)

    async def accept_work(self, endpoint: str, hashes: int) -> None:
        """The person lets this device do a proof of work for a remote DWN that is too long to be done unasked; durable.

        Parameters:
            hashes: about so many.

        Raises:
            InvalidArgument: that is no number of hashes.
        """
        await self._registrar.accept_work(endpoint, hashes)

    def unsettled(self) -> list[Unsettled]:
        """Every message that is not yet where it belongs, with the reason."""
        return self._sync.unsettled(self._did)

    def events(self) -> AsyncIterator[SyncEvent]:
        """What sync does, from now on, until the iteration is given up."""
        return self._sync.events()

    @property
    def listeners(self) -> list[Callable[[SyncEvent], None]]:
        """Called with each event; they must not raise and not take long."""
        return self._sync.listeners
