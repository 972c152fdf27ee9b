"""`SyncEngine`: keeps a node and its remote nodes the same, and says what is where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from web5.dids.resolver import DidResolver
from web5.dwn import Dwn
from web5.errors import InvalidArgument
from web5.ports.clock import Clock
from web5.sync.events import Events
from web5.sync.intervals import parse_interval
from web5.sync.ledger import Endpoint, Ledger
from web5.sync.local import Local
from web5.sync.peer import Remote, SignerFor
from web5.sync.rounds import Rounds
from web5.sync.rows import Row
from web5.sync.schedule import Schedule
from web5.sync.sending import Sender
from web5.sync.states import (
    Direction,
    EndpointStatus,
    SendResult,
    State,
    SyncEvent,
    SyncReport,
    Unsettled,
)

DIRECTIONS: tuple[Direction, ...] = ("pull", "push")


class SyncEngine:
    """Sync between one engine and the endpoints in its tenants' DID documents.

    Parameters:
        dwn: the local node; sync adds a hook to it and its tables to the same database.
        remote: how messages reach endpoints.
        resolver: finds the tenants' DID documents, and so their endpoints.
        signer_for: the key that signs queries in a tenant's name.

    Attributes:
        listeners: callables that get every `SyncEvent`; they must not raise and not take long.
    """

    def __init__(self, *, dwn: Dwn, remote: Remote, resolver: DidResolver, clock: Clock, signer_for: SignerFor) -> None:
        events = Events()
        self._dwn = dwn
        self._ledger = Ledger(dwn.database, dwn.store)
        local = Local(dwn, self._ledger, clock, events.notify)
        self._events = events
        self._rounds = Rounds(local, remote, resolver, signer_for)
        self._sender = Sender(local, self._rounds, resolver)
        self._schedule = Schedule(self._run, clock)
        self._interval = "off"

    @property
    def interval(self) -> str:
        """As it was given to `start`; "off" while no rounds run by time."""
        return self._interval

    @property
    def listeners(self) -> list[Callable[[SyncEvent], None]]:
        return self._events.listeners

    def events(self) -> AsyncIterator[SyncEvent]:
        """Events from now on, until the iteration is given up; a reader that is far behind loses the oldest."""
        return self._events.stream()

    async def open(self) -> None:
        """Bring the ledger up to date and hook it to the engine; call it once, after `dwn.open()`."""
        self._ledger.open()
        self._dwn.in_transaction.append(self._ledger.applied)
        await self._ledger.database.flush()

    async def close(self) -> None:
        """Stop, and let go of the engine."""
        await self.stop()
        if self._ledger.applied in self._dwn.in_transaction:
            self._dwn.in_transaction.remove(self._ledger.applied)

    # -- what is synced

    async def register(self, tenant: str, protocols: Sequence[str] | None = None) -> None:
        """Sync this tenant from now on, with everything it has; durable, and twice is no error.

        Raises:
            InvalidArgument: `protocols` is given; a scope of some protocols is not supported yet.
        """
        if protocols:
            raise InvalidArgument("sync of chosen protocols only is not supported yet: leave `protocols` out")
        self._ledger.register(tenant)
        await self._ledger.database.flush()

    async def unregister(self, tenant: str) -> None:
        """Sync this tenant no more and forget what is where; its messages stay."""
        self._ledger.unregister(tenant)
        await self._ledger.database.flush()

    # -- when

    async def start(self, interval: str) -> None:
        """Run a round now, in the background, and then after every interval; replaces the interval before.

        Parameters:
            interval: as npm `ms` reads it: '2m', '30s', '1 hour'; 'off' runs nothing by itself.

        Raises:
            InvalidArgument: it is no interval.
        """
        seconds = parse_interval(interval)
        if seconds is None:
            self._schedule.cancel_timer()
        else:
            self._schedule.every(seconds, self.now)
        self._interval = interval

    def wake(self, tenant: str | None = None) -> None:
        """Run a round soon, in the background, because something changed; nothing happens while sync is off."""
        tenants = [one for one in self._ledger.tenants() if tenant in (None, one)]
        if self._schedule.ticking and tenants:
            self._schedule.wake(set(tenants), {*DIRECTIONS})

    async def stop(self) -> None:
        """Start no more rounds and end the one that runs, at once; what it had under way stays unsettled."""
        self._interval = "off"
        await self._schedule.stop()

    async def now(self, direction: str | None = None, tenant: str | None = None) -> SyncReport:
        """Run a round, and return what it did.

        Calls during a round share the round after it. Failures of endpoints and DIDs are in the report, not raised.

        Parameters:
            direction: "push" or "pull"; None: both.
            tenant: one tenant; None: all that are registered.

        Raises:
            InvalidArgument: the direction is neither, or the tenant is not registered.
        """
        directions = {one for one in DIRECTIONS if direction in (None, one)}
        if not directions:
            raise InvalidArgument(f"sync direction {direction!r}: 'push', 'pull' or None")
        tenants = set(self._ledger.tenants())
        if tenant is not None and tenant not in tenants:
            raise InvalidArgument(f"{tenant} is not registered for sync")
        return await self._schedule.now({tenant} if tenant else tenants, directions)

    async def send(self, tenant: str, message_cid: str, target: str | None = None) -> list[SendResult]:
        """Send one message, and the initial write of its record, to all endpoints of a target at once.

        For the tenant's own nodes the ledger keeps what came of it: what failed stays unsettled and is tried again.

        Parameters:
            target: whose nodes; None: the tenant's own.

        Returns:
            What each endpoint said.

        Raises:
            InvalidArgument: no such message is held here.
            DidError: the target cannot be resolved.
        """
        return await self._sender.send(tenant, message_cid, target or tenant)

    async def _run(self, tenants: set[str], directions: set[Direction], report: SyncReport) -> None:
        chosen = [tenant for tenant in self._ledger.tenants() if tenant in tenants]
        try:
            await self._rounds.run(chosen, [one for one in DIRECTIONS if one in directions], report)
        finally:
            self._events.notify(SyncEvent("finished", report=report))

    # -- what is where

    def status(self, tenant: str | None = None) -> list[EndpointStatus]:
        """Every endpoint of the tenant, or of all tenants."""
        found: list[EndpointStatus] = []
        for one in self._chosen(tenant):
            endpoints = self._ledger.endpoints(one)
            error = self._rounds.did_errors.get(one)
            found += [self._status(endpoint, error) for endpoint in endpoints]
            if not endpoints:
                found.append(EndpointStatus(one, "", None, False, None, None, 0, 0, 0, error))
        return found

    def unsettled(self, tenant: str | None = None) -> list[Unsettled]:
        """Every message that is not yet where it should be, with the reason; outgoing first, oldest first."""
        found: list[Unsettled] = []
        for one in self._chosen(tenant):
            for endpoint in self._ledger.endpoints(one):
                out = self._ledger.outbox.unsettled(endpoint.id, one)
                found += [_unsettled(endpoint, "push", row) for row in out]
                found += [_unsettled(endpoint, "pull", row) for row in self._ledger.inbox.unsettled(endpoint.id)]
        return found

    def _chosen(self, tenant: str | None) -> list[str]:
        return [one for one in self._ledger.tenants() if tenant in (None, one)]

    def _status(self, endpoint: Endpoint, did_error: str | None) -> EndpointStatus:
        out, refused_out = self._ledger.outbox.counts(endpoint.id, endpoint.tenant)
        in_, refused_in = self._ledger.inbox.counts(endpoint.id)
        return EndpointStatus(
            tenant=endpoint.tenant,
            endpoint=endpoint.url,
            reachable=self._rounds.reachable.get(endpoint.id),
            syncing=endpoint.id in self._rounds.syncing,
            last_success=endpoint.last_success,
            last_error=None if endpoint.error is None else (endpoint.error.code, endpoint.error.detail),
            pending_out=out,
            pending_in=in_,
            refused=refused_out + refused_in,
            did_error=did_error,
        )


def _unsettled(endpoint: Endpoint, direction: Direction, row: Row) -> Unsettled:
    state, code, detail = row.state, row.code, row.detail
    if state is State.PENDING and endpoint.error is not None:
        # Nothing was said of this message, but something of everything: the endpoint is blocked, or cannot be reached.
        state = State.BLOCKED if endpoint.error.state is State.BLOCKED else state
        code, detail = endpoint.error.code, endpoint.error.detail
    return Unsettled(endpoint.tenant, endpoint.url, direction, row.cid, state, code, detail, row.attempts, row.next_try)
