"""Sync that nobody asks for: by a timer, live, or because one endpoint has something for another."""

from __future__ import annotations

import asyncio

from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.delivery.deliveries import Deliveries
from web5.sync.exchange.links import Link, Links, Work
from web5.sync.schedule.intervals import LIVE, parse_interval
from web5.sync.schedule.live import Live
from web5.sync.schedule.runs import SyncRuns, run_every


class Schedule:
    """The interval of sync, and what follows from it.

    Attributes:
        interval: as it was given to `start`; "off" while nothing happens by itself.
    """

    def __init__(self, context: SyncContext, links: Links, runs: SyncRuns, deliveries: Deliveries, live: Live) -> None:
        self.interval = "off"
        self._context = context
        self._links = links
        self._runs = runs
        self._deliveries = deliveries
        self._live = live
        self._timer: asyncio.Task[None] | None = None

    @property
    def is_on(self) -> bool:
        """True while anything happens by itself."""
        return self._timer is not None

    async def start(self, interval: str) -> None:
        """Sync by this interval from now on; see `SyncEngine.start`."""
        seconds = parse_interval(interval)
        await self.stop()
        self.interval = interval
        if seconds is not None:
            # Live, an endpoint is visited once it is connected, so not at once.
            live = interval == LIVE
            timer = run_every(self._context, seconds, self._round, self.revive if live else None, at_once=not live)
            self._timer = asyncio.create_task(timer)
            if live:
                self._live.start(self._links)
                self._deliveries.set_retries(True)
                self._deliveries.visit()
                refreshing = self._links.refresh_with_timeout(self._context.ledger.tenants())
                self._context.background.start(refreshing)

    async def stop(self) -> None:
        """Start nothing more by itself; visits that are under way go on."""
        self.interval = "off"
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._deliveries.set_retries(False)
        await self._live.stop()

    def wake(self, tenant: str | None = None) -> None:
        """Run sync soon, of one tenant or all, unless it is off."""
        if self._timer is None:
            return
        if tenants := [one for one in self._context.ledger.tenants() if tenant in (None, one)]:
            self._context.background.start(self._runs.round(tenants, Work.ALL))
        self._deliveries.visit(None if tenant is None else [tenant])

    async def revive(self) -> None:
        """Connect anew and visit every endpoint."""
        if self.interval == LIVE:
            await self._live.reconnect()
        self.wake()

    async def _round(self) -> None:
        self._deliveries.visit()
        await self._runs.round(self._context.ledger.tenants(), Work.ALL)

    def made_here(self, tenant: str) -> None:
        """Send at once, if sync is live, what was written here."""
        if self.interval == LIVE:
            for link in self._links.of([tenant]):
                link.wake(Work.PUSH)

    def continue_at(self, endpoint: str) -> None:
        """Visit an endpoint to whose demands the person has agreed."""
        if self._timer:
            for link in self._links:
                if link.url == endpoint:
                    link.visit(Work.ALL)

    def wake_links(self, tenant: str, work: Work, besides: Link | None = None) -> None:
        """Wake the links of a tenant but one, as far as sync may act by itself now."""
        if work := work & (Work.FOLLOW if self._timer else self._runs.allowed):
            for link in self._links.of([tenant]):
                if link is not besides:
                    link.wake(work)
