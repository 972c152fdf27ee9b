"""The links to all endpoints of all tenants, made and ended as DID documents say.

Invariants:
1. There is a link for each endpoint in the ledger, and no other.
2. A tenant whose DID or keys are not at hand holds up nobody else, and its known endpoints are used meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.errors import DidError, StorageError
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.link import Link
from web5.sync.states import SyncEvent

REFRESH_SECONDS = 2.0
"""The time that a run waits for a tenant's DID document before it goes on with the known endpoints."""


class Links:
    """The links of all tenants.

    Parameters:
        make: returns a link for a tenant's endpoint.
        on_removed: called with each link that has ended.
    """

    def __init__(
        self,
        context: SyncContext,
        resolver: DidResolver,
        make: Callable[[str, str], Link],
        on_removed: Callable[[Link], None],
    ) -> None:
        self._context = context
        self._ledger = context.ledger
        self._resolver = resolver
        self._make = make
        self._on_removed = on_removed
        self._links: dict[tuple[str, str], Link] = {}
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __iter__(self) -> Iterator[Link]:
        return iter(tuple(self._links.values()))

    def of(self, tenants: Iterable[str]) -> list[Link]:
        """Return the links of some tenants."""
        wanted = set(tenants)
        return [link for link in self._links.values() if link.tenant in wanted]

    def get(self, tenant: str, url: str) -> Link | None:
        return self._links.get((tenant, url))

    # -- DID documents

    async def refresh(self, tenant: str) -> None:
        """Take over the endpoints of the tenant's DID document; if it cannot be resolved, the known ones stay."""
        task = self._refreshing.get(tenant)
        if task is None:
            task = self._refreshing[tenant] = asyncio.create_task(self._refresh(tenant))
            task.add_done_callback(lambda _: self._refreshing.pop(tenant, None))
        await asyncio.shield(task)

    async def refresh_with_timeout(self, tenants: Sequence[str]) -> None:
        """Refresh some tenants, but return after `REFRESH_SECONDS`, while the slow ones go on in the background."""
        if tenants:
            await asyncio.wait([asyncio.ensure_future(self.refresh(one)) for one in tenants], timeout=REFRESH_SECONDS)

    async def _refresh(self, tenant: str) -> None:
        try:
            urls = await dwn_endpoints(self._resolver, tenant)
            known = tenant in self._ledger.tenants()
            added, removed = self._ledger.set_endpoints(tenant, urls) if known else ([], [])
        except (DidError, StorageError) as error:  # or there is no room to keep the endpoints
            self._context.did_errors[tenant] = str(error)
            return
        self._context.did_errors.pop(tenant, None)
        if known:
            first = not removed and len(added) == len(urls)
            for url in () if first else added:
                self._context.notify(SyncEvent("added", tenant, url))
            for url in removed:
                self._context.notify(SyncEvent("removed", tenant, url))
            self.align(tenant)

    def align(self, tenant: str) -> None:
        """Make and end links as the ledger has endpoints (invariant 1)."""
        known = tenant in self._ledger.tenants()
        urls = [endpoint.url for endpoint in self._ledger.endpoints(tenant)] if known else []
        for link in self.of([tenant]):
            if link.url not in urls:
                del self._links[tenant, link.url]
                self._on_removed(link)
                task = asyncio.ensure_future(link.stop())
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)
        for url in urls:
            if (tenant, url) not in self._links:
                self._links[tenant, url] = self._make(tenant, url)
        if not known:
            self._context.did_errors.pop(tenant, None)

    # -- visits

    async def wait_until_idle(self, tenants: Iterable[str]) -> None:
        """Return when no visit of these tenants runs."""
        wanted = set(tenants)
        while busy := [link for link in self.of(wanted) if link.visiting]:
            await asyncio.gather(*(link.wait_until_idle() for link in busy))

    async def stop(self) -> None:
        """End all visits at once; return when they have ended."""
        refreshing = list(self._refreshing.values())
        for task in refreshing:
            task.cancel()
        await asyncio.gather(*(link.stop() for link in self), *self._ending)
        if refreshing:
            await asyncio.wait(refreshing)
