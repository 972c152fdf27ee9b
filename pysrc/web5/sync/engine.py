"""`SyncEngine`: keeps a node and its remote nodes the same, and says what is where."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Any

from web5.dids.resolver import DidResolver
from web5.dwn import Applied, Dwn
from web5.errors import InvalidArgument
from web5.ports.clock import Clock
from web5.sync.events import Events
from web5.sync.exchange.check import Difference, check
from web5.sync.exchange.grants import GrantBook
from web5.sync.exchange.link import Line, Want
from web5.sync.exchange.links import Lines
from web5.sync.exchange.local import Local
from web5.sync.exchange.peer import Remote, SignerFor
from web5.sync.exchange.registrar import Registrar
from web5.sync.exchange.send import Sender
from web5.sync.exchange.visit import Visitor
from web5.sync.ledger.ledger import Ledger, Tenant
from web5.sync.plan.priorities import Wish, Wishes
from web5.sync.schedule.intervals import LIVE, parse_interval
from web5.sync.schedule.live import Live
from web5.sync.schedule.rounds import Rounds
from web5.sync.schedule.timer import Timetable
from web5.sync.states import EndpointStatus, SendResult, SyncEvent, SyncReport, Unsettled
from web5.sync.status import Sight

WANTS: Mapping[str | None, Want] = {None: Want.ALL, "pull": Want.PULL, "push": Want.PUSH}

SAFETY_SECONDS = 120.0
"""Live sync visits every endpoint as often as that too, whatever its subscriptions say."""


class SyncEngine:
    """Sync between one engine and the endpoints in its tenants' DID documents.

    Parameters:
        dwn: the local node; sync adds hooks to it and its tables to the same database.
        remote: how messages reach endpoints.
        resolver: finds the tenants' DID documents, and so their endpoints.
        signer_for: the key that signs in the name of a tenant or a delegate.
        registrar: registers tenants with endpoints that demand it; None: such an endpoint stays blocked.
        jitter: gives numbers from 0 to 1, by which waits are spread.

    Attributes:
        listeners: callables that get every `SyncEvent`; they must not raise and not take long.
        grants: the grants by which delegates act, as far as DWNs here hold them.
    """

    def __init__(
        self,
        *,
        dwn: Dwn,
        remote: Remote,
        resolver: DidResolver,
        clock: Clock,
        signer_for: SignerFor,
        registrar: Registrar | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        events, ledger, wishes = Events(), Ledger(dwn.database, dwn.store), Wishes()
        local = Local(dwn, ledger, clock, events.notify)
        self.grants = GrantBook(dwn, clock)
        visitor = Visitor(local, remote, signer_for, self.grants.held, wishes, self._tell_others, registrar)

        def tell(line: Line) -> None:
            events.notify(SyncEvent("endpoint", line.tenant, line.url))

        def line(tenant: str, url: str) -> Line:
            return Line(tenant, url, clock, visitor, tell, jitter)

        if registrar is not None:
            registrar.changed.append(lambda tenant, url: events.notify(SyncEvent("registration", tenant, url)))
            registrar.agreed.append(self._agreed)

        self._dwn, self._ledger, self._local, self._events = dwn, ledger, local, events
        self._visitor, self._wishes, self._registrar = visitor, wishes, registrar
        self._lines = Lines(local, resolver, line)
        self._rounds = Rounds(self._lines, local)
        self._live = Live(visitor, jitter)
        self._sender = Sender(local, self._lines, visitor, resolver)
        self._sight = Sight(local, self._lines, registrar)
        self._timetable = Timetable(clock)
        self._interval = "off"
        self._behind: set[asyncio.Task[Any]] = set()

    @property
    def interval(self) -> str:
        """As it was given to `start`; "off" while nothing happens by itself."""
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
        if self._registrar is not None:
            self._registrar.open()
        self._lines.open()
        self._dwn.in_transaction.append(self._ledger.applied)
        self._dwn.after_commit.append(self._applied)
        self._dwn.after_commit.append(self.grants.applied)
        await self._ledger.database.flush()

    async def close(self) -> None:
        """Stop, and let go of the engine."""
        await self.stop()
        after = self._dwn.after_commit
        for hooks, hook in (
            (self._dwn.in_transaction, self._ledger.applied),
            (after, self._applied),
            (after, self.grants.applied),
        ):
            if hook in hooks:
                hooks.remove(hook)

    # -- what is synced

    def tenants(self) -> list[str]:
        """The tenants that are registered."""
        return self._ledger.tenants()

    async def register(self, tenant: str, protocols: Sequence[str] | None = None, delegate: str | None = None) -> None:
        """Sync this tenant from now on; durable, and twice is no error. With another scope than before, everything
        is compared anew; what was pulled stays.

        Parameters:
            protocols: the URIs of the protocols to sync, with what regulates them; None: everything.
            delegate: the DID that does it with the tenant's grants; None: the tenant itself.

        Raises:
            InvalidArgument: `protocols` is empty, so that nothing would be synced.
        """
        if protocols is not None and not protocols:
            raise InvalidArgument("sync of no protocol at all: name some, or leave `protocols` out to sync everything")
        scope = None if protocols is None else tuple(sorted(set(protocols)))
        self._ledger.register(Tenant(tenant, scope, delegate))
        self._lines.align(tenant)
        await self._ledger.database.flush()
        self.wake(tenant)

    def registered(self, tenant: str) -> Tenant | None:
        """How this tenant was registered; None if it was not."""
        return self._ledger.tenant(tenant)

    async def unregister(self, tenant: str) -> None:
        """Sync this tenant no more and forget what is where; its messages stay."""
        self._ledger.unregister(tenant)
        if self._registrar is not None:
            self._registrar.forget(tenant)
        self._lines.align(tenant)
        await self._ledger.database.flush()

    def prioritize(self, tenant: str, filter: Mapping[str, Any]) -> None:
        """On a first sync, fetch the newest records that pass the filter before everything else.

        Parameters:
            filter: a RecordsFilter in the wire's shape.
        """
        self._wishes.add(tenant, Wish(dict(filter)))

    # -- when

    async def start(self, interval: str) -> None:
        """Sync now, in the background, and then on: after every interval, or at once ('live'). Replaces what was.

        Parameters:
            interval: as npm `ms` reads it: '2m', '30s', '1 hour'; 'live': what happens on either side is carried over
                at once, through a subscription at each endpoint; 'off': nothing happens by itself.

        Raises:
            InvalidArgument: it is none of these.
        """
        seconds = SAFETY_SECONDS if interval == LIVE else parse_interval(interval)
        await self._be_still()
        self._interval = interval
        if interval == LIVE:
            self._lines.came.append(self._live.add)
            self._lines.went.append(self._live.remove)
            for line in self._lines:
                self._live.add(line)
            # A line is visited once it is connected, so not at once.
            self._timetable.every(SAFETY_SECONDS, self.now, self.revive, at_once=False)
            self._behind_us(self._lines.refresh_soon(self._ledger.tenants()))
        elif seconds is not None:
            self._timetable.every(seconds, self.now)

    def wake(self, tenant: str | None = None) -> None:
        """Run a round soon, in the background, because something changed; nothing happens while sync is off."""
        tenants = [one for one in self._ledger.tenants() if tenant in (None, one)]
        if self._timetable.ticking and tenants:
            self._behind_us(self._rounds.run(tenants, Want.ALL))

    async def revive(self) -> None:
        """The device may have slept, or its network is another: connect anew and visit every endpoint now."""
        if self._interval == LIVE:
            await self._live.reconnect()
        self.wake()

    async def stop(self) -> None:
        """Start nothing more by itself and end what runs, at once; what was under way stays unsettled."""
        await self._be_still()
        await self._rounds.stop()

    async def now(self, direction: str | None = None, tenant: str | None = None) -> SyncReport:
        """Visit every endpoint, and return what that did once all are at rest.

        Failures of endpoints and DIDs are in the report, not raised.

        Parameters:
            direction: "push" or "pull"; None: both.
            tenant: one tenant; None: all that are registered.

        Raises:
            InvalidArgument: the direction is neither, or the tenant is not registered.
        """
        if direction not in WANTS:
            raise InvalidArgument(f"sync direction {direction!r}: 'push', 'pull' or None")
        tenants = self._ledger.tenants()
        if tenant is not None and tenant not in tenants:
            raise InvalidArgument(f"{tenant} is not registered for sync")
        return await self._rounds.run([tenant] if tenant else tenants, WANTS[direction])

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

    async def retry(
        self, tenant: str | None = None, endpoint: str | None = None, message_cid: str | None = None
    ) -> SyncReport:
        """Try now what is refused, blocked or waiting, whatever its backoff.

        Parameters:
            tenant, endpoint, message_cid: only of this tenant, at this URL, this message; None: all.
        """
        tenants = self._chosen(tenant)
        for one in tenants:
            for known in self._ledger.endpoints(one):
                if endpoint in (None, known.url):
                    self._ledger.retry(known, message_cid)
                    if self._registrar is not None:
                        self._registrar.retry(known.url, one)
        return await self._rounds.run(tenants, Want.FETCH | Want.PUSH)

    # -- what is where

    def status(self, tenant: str | None = None) -> list[EndpointStatus]:
        """Every endpoint of the tenant, or of all tenants."""
        return self._sight.status(self._chosen(tenant), on=self._timetable.ticking)

    def unsettled(self, tenant: str | None = None) -> list[Unsettled]:
        """Every message that is not yet where it should be, with the reason; outgoing first, oldest first."""
        return self._sight.unsettled(self._chosen(tenant))

    async def check(self, tenant: str | None = None) -> list[Difference]:
        """Compare what this node and every endpoint really hold, and say the difference.

        What sync did not know of is handed to it, so that the next visit mends it.
        """
        tenants = self._chosen(tenant)
        await self._lines.refresh_soon(tenants)
        endpoints = [endpoint for one in tenants for endpoint in self._ledger.endpoints(one)]
        return list(await asyncio.gather(*(check(self._visitor, self._local, endpoint) for endpoint in endpoints)))

    def _chosen(self, tenant: str | None) -> list[str]:
        return [one for one in self._ledger.tenants() if tenant in (None, one)]

    # -- what happens by itself

    def _applied(self, applied: Applied) -> None:
        if self._interval == LIVE and applied.source is None:
            for line in self._lines.of([applied.tenant]):
                line.wake(Want.PUSH)

    def _agreed(self, endpoint: str) -> None:
        """The person agreed to what an endpoint asks of those who register: go on with it at once."""
        if self._timetable.ticking:
            for line in self._lines:
                if line.url == endpoint:
                    line.visit(Want.ALL)

    def _tell_others(self, line: Line, want: Want) -> None:
        """What a line has brought or given up concerns its tenant's others, as far as sync may act by itself now."""
        if want := want & (Want.FOLLOW if self._timetable.ticking else self._rounds.allowed):
            for other in self._lines.others(line):
                other.wake(want)

    async def _be_still(self) -> None:
        self._interval = "off"
        self._timetable.cancel()
        for hooks, hook in ((self._lines.came, self._live.add), (self._lines.went, self._live.remove)):
            if hook in hooks:
                hooks.remove(hook)
        await self._live.stop()

    def _behind_us(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._behind.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._behind.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler({"message": "a round of sync failed", "exception": error})
