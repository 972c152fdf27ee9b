"""The lines to all endpoints of all tenants: made and ended as DID documents say, woken together.

Invariants:
1. There is a line for each endpoint in the ledger, and no other.
2. One tenant whose DID or keys cannot be had holds up nobody else, and its known endpoints are used meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence

from web5.dids.resolver import DidResolver, dwn_endpoints
from web5.errors import DidError, StorageError
from web5.sync.exchange.link import Line
from web5.sync.exchange.local import Local
from web5.sync.states import SyncEvent

PATIENCE = 2.0
"""Seconds that a round waits for a tenant's DID document before it goes on with the endpoints that are known."""


class Lines:
    """Parameters:
        make: a line for a tenant's endpoint.

    Attributes:
        came, went: called with each line that is made or has ended.
    """

    def __init__(
        self,
        local: Local,
        resolver: DidResolver,
        make: Callable[[str, str], Line],
    ) -> None:
        self.came: list[Callable[[Line], None]] = []
        self.went: list[Callable[[Line], None]] = []
        self._local = local
        self._ledger = local.ledger
        self._resolver = resolver
        self._make = make
        self._lines: dict[tuple[str, str], Line] = {}
        self._refreshing: dict[str, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Make the lines of what the ledger knows."""
        for tenant in self._ledger.tenants():
            self.align(tenant)

    def __iter__(self) -> Iterator[Line]:
        return iter(tuple(self._lines.values()))

    def of(self, tenants: Iterable[str]) -> list[Line]:
        """The lines of some tenants."""
        wanted = set(tenants)
        return [line for line in self._lines.values() if line.tenant in wanted]

    def get(self, tenant: str, url: str) -> Line | None:
        return self._lines.get((tenant, url))

    def others(self, line: Line) -> list[Line]:
        """The lines to the other endpoints of the same tenant."""
        return [other for other in self._lines.values() if other.tenant == line.tenant and other is not line]

    # -- DID documents

    async def refresh(self, tenant: str) -> None:
        """Take over the endpoints of the tenant's DID document; if it cannot be had, the known ones stay."""
        task = self._refreshing.get(tenant)
        if task is None:
            task = self._refreshing[tenant] = asyncio.create_task(self._refresh(tenant))
            task.add_done_callback(lambda _: self._refreshing.pop(tenant, None))
        await asyncio.shield(task)

    async def refresh_soon(self, tenants: Sequence[str]) -> None:
        """Refresh all of them, but go on after `PATIENCE`, while what is slow goes on behind."""
        if tenants:
            await asyncio.wait([asyncio.ensure_future(self.refresh(one)) for one in tenants], timeout=PATIENCE)

    async def _refresh(self, tenant: str) -> None:
        try:
            urls = await dwn_endpoints(self._resolver, tenant)
            known = tenant in self._ledger.tenants()
            added, removed = self._ledger.set_endpoints(tenant, urls) if known else ([], [])
        except (DidError, StorageError) as error:  # or there is no room to keep what it says
            self._local.did_errors[tenant] = str(error)
            return
        self._local.did_errors.pop(tenant, None)
        if known:
            first = not removed and len(added) == len(urls)
            for kind, changed in (("added", [] if first else added), ("removed", removed)):
                for url in changed:
                    self._local.notify(SyncEvent(kind, tenant, url))  # type: ignore[arg-type]
            self.align(tenant)

    def align(self, tenant: str) -> None:
        """Make and end lines as the ledger has endpoints (invariant 1)."""
        known = tenant in self._ledger.tenants()
        urls = [endpoint.url for endpoint in self._ledger.endpoints(tenant)] if known else []
        for line in self.of([tenant]):
            if line.url not in urls:
                del self._lines[tenant, line.url]
                self._end(line)
        for url in urls:
            if (tenant, url) not in self._lines:
                line = self._lines[tenant, url] = self._make(tenant, url)
                for callback in self.came:
                    callback(line)
        if not known:
            self._local.did_errors.pop(tenant, None)

    def _end(self, line: Line) -> None:
        for callback in self.went:
            callback(line)
        task = asyncio.ensure_future(line.stop())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    # -- all of them

    async def rest(self, tenants: Iterable[str]) -> None:
        """Return when no line of these tenants has anything to do."""
        wanted = set(tenants)
        while busy := [line for line in self.of(wanted) if line.visiting]:
            await asyncio.gather(*(line.rest() for line in busy))

    async def stop(self) -> None:
        """End all visits at once; return when they have ended."""
        refreshing = list(self._refreshing.values())
        for task in refreshing:
            task.cancel()
        await asyncio.gather(*(line.stop() for line in self), *self._ending)
        if refreshing:
            await asyncio.wait(refreshing)
