"""The sync engine: keeps a node and its remote nodes the same, and reports what is pending where."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

from web5.dids.resolver import DidResolver
from web5.dwn import Applied, Dwn
from web5.dwn.data import DataSource
from web5.dwn.events import Hook
from web5.dwn.values.types import Message
from web5.errors import InvalidArgument
from web5.patience import slow_of
from web5.ports.clock import Clock
from web5.remote.dwn import RemoteDwn
from web5.sync.events import SyncEvents
from web5.sync.exchange.audit.check import Difference, check_all
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.delivery.deliveries import Deliveries, Pair
from web5.sync.exchange.delivery.letters import carried_letters, held_letter
from web5.sync.exchange.grants import GrantBook
from web5.sync.exchange.links import Link, Links, Work
from web5.sync.exchange.peer import SignerFor
from web5.sync.exchange.registrar import Registrar
from web5.sync.exchange.send import send
from web5.sync.exchange.taking.intake import Intake
from web5.sync.exchange.visit import visit_endpoint
from web5.sync.ledger.ledger import Ledger, Tenant
from web5.sync.removal import fetch_the_rest
from web5.sync.schedule.live import Live
from web5.sync.schedule.runs import SyncRuns
from web5.sync.schedule.schedule import Schedule
from web5.sync.states import (
    ANY,
    Direction,
    EndpointStatuses,
    SendResult,
    SyncEvent,
    SyncReport,
    Unsettled,
    UnsettledMessages,
    Wanted,
)
from web5.sync.status import damaged_messages, endpoint_statuses, unsettled_messages
from web5.tasks import TaskSet, notify
from web5.urls import same_endpoint

WORK: Mapping[str | None, Work] = {None: Work.ALL, "pull": Work.PULL, "push": Work.PUSH}

Chosen = str | Collection[str] | None
"""One tenant, some, or all of them (None)."""

KEPT_PRIORITIES = 8
"""Priorities of one tenant that are kept, the newest ones."""

PAGE = 100
"""Unsettled messages that are returned at a time, if nobody says how many."""


class SyncEngine:
    """Sync between one engine and the endpoints in its tenants' DID documents.

    Parameters:
        dwn: the local node; sync adds hooks to it and its tables to the same database.
        resolver: of the tenants' DID documents, which name their endpoints.
        signer_for: returns the key that signs in the name of a tenant or a delegate.
        registrar: None: endpoints that demand a registration stay blocked.
        jitter: returns numbers from 0 to 1, by which waits are spread.

    Attributes:
        listeners: callables that get every `SyncEvent`, in this order; they must not take long.
        before_report: callables that are awaited before a run that somebody asked for is reported, so that what it
            has brought is taken in by then.
        grants: the grants of delegates that DWNs here hold.
    """

    def __init__(
        self,
        *,
        dwn: Dwn,
        remote: RemoteDwn,
        resolver: DidResolver,
        clock: Clock,
        signer_for: SignerFor,
        registrar: Registrar | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.listeners: list[Callable[[SyncEvent], None]] = []
        self.before_report: list[Callable[[], Awaitable[None]]] = []
        self.grants = GrantBook(dwn, clock)
        self._dwn = dwn
        self._ledger = Ledger(dwn.database, dwn.store)
        self._registrar = registrar
        self._resolver = resolver
        self._context = SyncContext(
            *(dwn, self._ledger, clock, remote, signer_for, self.grants.held, self._notify, registrar)
        )
        visit = partial(visit_endpoint, self._context, self._wake_others)
        live = Live(self._context, jitter)

        def make_link(tenant: str, url: str) -> Link:
            link = Link(tenant, url, clock, visit, partial(self._notify, SyncEvent("endpoint", tenant, url)), jitter)
            live.add(link)
            return link

        self._links = Links(self._context, resolver, make_link, live.remove)
        self._runs = SyncRuns(self._links, self._context)
        self._sending = TaskSet("sending a message failed")
        self._deliveries = Deliveries(self._context, resolver, jitter)
        self._schedule = Schedule(self._context, self._links, self._runs, self._deliveries, live)
        if registrar is not None:
            registrar.on_changed = lambda tenant, url: self._notify(SyncEvent("registration", tenant, url))
            registrar.on_agreed = self._schedule.continue_at

    @property
    def interval(self) -> str:
        """The interval given to `start`; "off" while nothing happens by itself."""
        return self._schedule.interval

    def events(self) -> SyncEvents:
        """Return an iterator over the events from now on."""
        return SyncEvents(self.listeners)

    def _notify(self, event: SyncEvent) -> None:
        notify("a listener of sync failed", self.listeners, event)

    async def open(self) -> None:
        """Bring the ledger up to date and hook it to the engine; call it once, after `dwn.open()`."""
        self._ledger.open()
        for tenant in self._ledger.tenants():
            self._links.align(tenant)
            for endpoint in self._ledger.endpoints(tenant):
                # A pause that was noted before the clock was put back may be over for long; the endpoint says so again.
                put_back = max(endpoint.tried or 0, endpoint.last_success or 0) > self._context.clock.now()
                if (error := endpoint.error) is not None and error.not_before is not None and not put_back:
                    self._context.remote.pauses.resume(endpoint.url, error.not_before, error.code)
        await self._deliveries.open()
        for hooks, hook in self._hooks():
            hooks.append(hook)
        self._dwn.on_damage.append(self._damaged)
        await self._ledger.database.flush()

    async def close(self) -> None:
        """Stop, and unhook from the engine."""
        await self.stop()
        for hooks, hook in self._hooks():
            if hook in hooks:
                hooks.remove(hook)
        if self._damaged in self._dwn.on_damage:
            self._dwn.on_damage.remove(self._damaged)

    def _hooks(self) -> list[tuple[list[Hook], Hook]]:
        before, after = self._dwn.in_transaction, self._dwn.after_commit
        return [(before, self._ledger.applied), (after, self._applied), (after, self.grants.applied)]

    # -- tenants

    def tenants(self) -> list[str]:
        return self._ledger.tenants()

    async def register(self, tenant: str, protocols: Sequence[str] | None = None, delegate: str | None = None) -> None:
        """Sync a tenant from now on; durable, and twice is no error.

        With another scope than before, everything is compared anew; messages that were pulled stay.

        Parameters:
            protocols: the URIs of the protocols to sync, with what regulates them; None: everything.
            delegate: the DID that syncs with the tenant's grants; None: the tenant itself.

        Raises:
            InvalidArgument: `protocols` is empty, so that nothing would be synced.
        """
        if protocols is not None and not protocols:
            raise InvalidArgument("sync of no protocol at all: name some, or leave `protocols` out to sync everything")
        scope = None if protocols is None else tuple(sorted(set(protocols)))
        self._ledger.register(Tenant(tenant, scope, delegate))
        self._links.align(tenant)
        await self._ledger.database.flush()
        self.wake(tenant)

    def registered(self, tenant: str) -> Tenant | None:
        """Return the registration of a tenant; None if it is not registered."""
        return self._ledger.tenant(tenant)

    def is_own(self, tenant: str, endpoint: str) -> bool:
        """Return True for an endpoint that a tenant here has chosen, and nobody whose delegate is here."""
        tenants = filter(None, map(self._ledger.tenant, self._ledger.tenants()))
        own = [one.did for one in tenants if one.delegate is None]
        return tenant in own or any(link.url == endpoint for link in self._links.of(own))

    async def unregister(self, tenant: str) -> None:
        """Sync a tenant no more; forget the state of its endpoints and what it sent to others, but no message."""
        await self._deliveries.withdraw(tenant)
        self._ledger.unregister(tenant)
        if self._registrar is not None:
            self._registrar.forget(tenant)
        self._links.align(tenant)
        await self._ledger.database.flush()

    def prioritize(self, tenant: str, filter: Mapping[str, Any]) -> None:
        """On a first sync, fetch the newest records that pass a RecordsFilter before everything else."""
        others = [one for one in self._context.priorities.get(tenant, ()) if one != filter]
        self._context.priorities[tenant] = [dict(filter), *others][:KEPT_PRIORITIES]

    # -- schedule

    async def start(self, interval: str) -> None:
        """Sync now, in the background, and then on: after every interval, or live. Replaces the interval before.

        Parameters:
            interval: as npm `ms` reads it: '2m', '30s', '1 hour'; 'live': changes on either side are carried over at
                once, through a subscription at each endpoint; 'off': nothing happens by itself.

        Raises:
            InvalidArgument: it is none of these.
        """
        await self._schedule.start(interval)

    def wake(self, tenant: str | None = None) -> None:
        """Run sync soon, in the background, because something changed; does nothing while sync is off."""
        self._schedule.wake(tenant)

    async def revive(self) -> None:
        """Connect anew and visit every endpoint: the device may have slept, or changed its network."""
        await self._schedule.revive()

    async def stop(self) -> None:
        """Start nothing more by itself and end all visits at once; messages under way stay unsettled."""
        await self._schedule.stop()
        await self._sending.cancel()
        await self._deliveries.stop()
        await self._runs.stop()

    async def now(self, direction: Direction | None = None, tenant: str | None = None) -> SyncReport:
        """Visit every endpoint, also those to which something is to be delivered, and return once all are idle.

        Failures of endpoints and DIDs are in the report, not raised. So are endpoints that are far slower than others,
        and not waited for; what is under way with them goes on.

        Parameters:
            direction: "push" or "pull"; None: both.
            tenant: one tenant; None: all that are registered.

        Raises:
            InvalidArgument: the direction is neither, or the tenant is not registered.
        """
        if direction not in WORK:
            raise InvalidArgument(f"sync direction {direction!r}: 'push', 'pull' or None")
        tenants = self._chosen(tenant)
        if tenant is not None and not tenants:
            raise InvalidArgument(f"{tenant} is not registered for sync")
        return await self._run(tenants, None if tenant is None else tenants, WORK[direction])

    async def _run(
        self, tenants: Sequence[str], authors: Collection[str] | None, work: Work, url: str | None = None
    ) -> SyncReport:
        """Make a run for the tenants and, if it sends, deliver what is due of the authors."""
        deliveries, before = self._deliveries, self._deliveries.delivered
        visits = deliveries.visit(authors) if work & Work.PUSH else {}
        own = asyncio.create_task(self._runs.run(tenants, work, url))
        try:
            works: dict[Pair | None, asyncio.Task[Any]] = {None: own, **{pair: visits[pair] for pair in visits}}
            # The run of the own endpoints has its own patience.
            await slow_of(works, lambda pair: deliveries.progress(pair) if pair else 0.0, lambda pair: pair is not None)
        finally:
            if not own.done():
                own.cancel()
        report = own.result()
        for taken_in in self.before_report:
            await taken_in()
        report.delivered = deliveries.delivered - before
        report.undelivered = sum(one.undelivered for one in self._ledger.deliveries.statuses(authors))
        return report

    async def send(self, tenant: str, message_cid: str, target: str | None = None) -> list[SendResult]:
        """Send one message, and the initial write of its record, to all endpoints of a target at once.

        The ledger keeps the outcome: a message that failed stays unsettled and is retried; one to another target
        until that has it, or `withdraw` gives it up. A newer state of its record takes its place.
        One that is far slower than others is not waited for; sending to it goes on.

        Parameters:
            target: the DID whose nodes to send to; None: the tenant's own.

        Raises:
            InvalidArgument: no such message is held here.
            DidError: there is no such target.
            TooManyUndelivered, StorageError: nothing more can be kept for other targets.
        """
        context, target = self._context, tenant if target is None else target
        items = context.held.with_initial(tenant, message_cid)
        if not items:
            raise InvalidArgument(f"no message {message_cid} of {tenant} is held here")
        if target == tenant and self._ledger.tenant(tenant) is not None:
            await self._links.refresh_with_timeout([tenant])
            own = [await context.peer(endpoint) for endpoint in self._ledger.endpoints(tenant)]
            return await send(context, own, items, self._sending)
        letter = await held_letter(context, tenant, message_cid, items[-1].ordering_key)
        return await self._deliveries.send(tenant, target, [letter])

    async def send_messages(
        self, author: str, target: str, messages: Sequence[tuple[Message, DataSource | None]]
    ) -> list[SendResult]:
        """Send messages that are not held here, each with its data, to all endpoints of a target, in this order.

        They are kept with their data until the target has them, as `send` keeps others.

        Parameters:
            author: whose messages they are; any DID of this agent.
            target: may be the author.

        Raises:
            InvalidArgument: data are not those that their message names.
            DidError, TooManyUndelivered, StorageError: as `send`.
            Whatever the data raise.
        """
        letters = await carried_letters(self._context, messages)
        return await self._deliveries.send(author, target, letters)

    async def withdraw(
        self, author: str, target: str | None = None, *, message_cid: str | None = None, record_id: str | None = None
    ) -> int:
        """Deliver no more what an author sent to others; what is under way may still arrive.

        Parameters:
            target, message_cid, record_id: only to this DID, this message, messages of this record; None: any.

        Returns:
            The number of messages that were given up, counted for each target.
        """
        return await self._deliveries.withdraw(author, target, cid=message_cid, record=record_id)

    async def retry(
        self, tenant: Chosen = None, endpoint: str | None = None, message_cid: str | None = None
    ) -> SyncReport:
        """Retry now what is refused, blocked or waiting: of some tenants, at one URL, one message, or of all (None)."""
        tenants, endpoint = self._chosen(tenant), endpoint and same_endpoint(endpoint)
        authors = _authors(tenant)
        with self._ledger.database.transaction(makes_room=True):
            self._ledger.deliveries.retry(authors, endpoint, message_cid)
        for one in tenants:
            for known in self._ledger.endpoints(one):
                if endpoint in (None, known.url):
                    self._ledger.retry(known, message_cid)
                    if self._registrar is not None:
                        self._registrar.retry(known.url, one)
        return await self._run(tenants, authors, Work.FETCH | Work.PUSH, endpoint)

    async def fetch_the_rest(self, tenant: str, urls: Sequence[str]) -> None:
        """Fetch what endpoints have that the tenant is about to give up, as far as no other has it.

        Raises:
            NodeNeeded: something is left, or one cannot be asked; nobody would ask it again.
        """
        await fetch_the_rest(self._context, self._links, tenant, urls)

    def intake(self, tenant: str) -> Intake:
        """Return the way in for messages that come from an archive of the tenant's."""
        return Intake(self._context, tenant)

    # -- state

    def status(self, tenant: str | None = None) -> EndpointStatuses:
        """Return the status of every endpoint of the tenant, or of all tenants; and of what they sent to others."""
        found = endpoint_statuses(self._context, self._links, self._chosen(tenant), on=self._schedule.is_on)
        found.deliveries = self._ledger.deliveries.statuses(_authors(tenant))
        return found

    def unsettled(
        self, tenant: Chosen = None, wanted: Wanted = ANY, *, limit: int | None = PAGE, cursor: str | None = None
    ) -> UnsettledMessages:
        """Return a page of the messages that are not yet where they should be, with the reason.

        By endpoint, outgoing first, oldest first; what was sent to others comes last. `status` counts all of them.

        Parameters:
            tenant: only of this tenant, or these; None: any.
            limit: the number of messages at the most; None: all of them, which takes as long as there are many.
            cursor: that of the page before.

        Raises:
            InvalidArgument: there is no such limit, or the cursor is none of ours.
        """
        tenants = [] if wanted.target else self._chosen(tenant)
        return unsettled_messages(
            *(self._context, tenants, _authors(tenant), self._deliveries.is_in_flight),
            wanted=wanted,
            limit=limit,
            cursor=cursor,
        )

    async def unsettled_page(
        self, tenant: Chosen, wanted: Wanted, cursor: str | None
    ) -> tuple[list[Unsettled], str | None]:
        """Return a page as `unsettled` does, and where the next one begins; who waits for it need not be the node."""
        page = self.unsettled(tenant, wanted, cursor=cursor)
        return list(page), page.cursor

    def damaged(self, tenant: str | None = None) -> list[Unsettled]:
        """Return the messages that are held here and cannot be read, or whose data cannot: a part of `unsettled`."""
        return damaged_messages(self._context, self._chosen(tenant))

    async def check(self, tenant: Chosen = None) -> list[Difference]:
        """Compare the messages that this node and every endpoint really hold; the next visit mends the difference."""
        tenants = self._chosen(tenant)
        await self._links.refresh_with_timeout(tenants)
        endpoints = [endpoint for one in tenants for endpoint in self._ledger.endpoints(one)]
        return await check_all(self._context, endpoints)

    def _chosen(self, tenant: Chosen) -> list[str]:
        chosen = [tenant] if isinstance(tenant, str) else tenant
        return [one for one in self._ledger.tenants() if chosen is None or one in chosen]

    # -- reactions

    def _applied(self, applied: Applied) -> None:
        if applied.source is None:
            self._context.made.put((applied.tenant, applied.message_cid), True)
            self._schedule.made_here(applied.tenant)

    def _damaged(self, tenant: str, cid: str, error: Exception) -> None:
        """Have a message that cannot be read here, or whose data cannot, fetched from whoever has it."""
        store, context = self._dwn.store, self._context
        row = store.message(store.tenant(tenant), cid)
        if row is None or self._ledger.tenant(tenant) is None:
            return
        if self._ledger.damaged(tenant, cid, row.seq, f"{type(error).__name__}: {error}", context.clock.now()):
            self._notify(SyncEvent("damaged", tenant))
            self._schedule.wake_links(tenant, Work.FETCH)

    def _wake_others(self, link: Link, work: Work) -> None:
        self._schedule.wake_links(link.tenant, work, besides=link)


def _authors(chosen: Chosen) -> Collection[str] | None:
    return [chosen] if isinstance(chosen, str) else chosen
