"""The event log of a database that several processes write to, for the subscribers in this one.

Invariants:
1. Whoever stored a message, subscribers are told of it from the log, in its order; each message once, and nothing that
   was there before they subscribed.
2. Of a record that another process has changed several times meanwhile, only the state that it has then is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field

from web5.dwn.events import Applied, EventStream, Past
from web5.dwn.store.database import Database
from web5.dwn.store.store import Store
from web5.errors import StorageError
from web5.tasks import notify, report

PAGE = 500
"""Entries of the log that are read at a time."""


@dataclass
class _Followed:
    """A tenant with subscribers here.

    Parameters:
        told: the number in the log up to which they were told.
        ours: what this process stored since, by its numbers.
    """

    told: int
    ours: dict[int, Applied] = field(default_factory=dict)
    grown: bool = False
    telling: asyncio.Task[None] | None = None


class SharedLog:
    """Tells the subscribers of an engine what has come into the log.

    Parameters:
        database, store, events: the engine's.
        past: gives what subscribers of a tenant would have been told of a part of the log.

    Attributes:
        on_grown: called with a tenant when this process has stored something of it.
    """

    def __init__(
        self,
        database: Database,
        store: Store,
        events: EventStream,
        past: Callable[[str, int, int], Iterable[Past]],
    ) -> None:
        self._database = database
        self._store = store
        self._events = events
        self._past = past
        self._followed: dict[str, _Followed] = {}
        self.on_grown: list[Callable[[str], None]] = []

    async def follow(self, tenant: str) -> int:
        """Follow a tenant's log from now on; return the number of its last entry.

        To be called right before a subscription, with nothing awaited in between.
        """
        last = await self._database.read(lambda: self._store.last_of(tenant))
        self._followed.setdefault(tenant, _Followed(last))
        return last

    async def stored(self, tenant: str, applied: Collection[Applied]) -> None:
        """Take note of what this process has stored durably for a tenant; return once its subscribers were told."""
        if not applied:
            return
        notify("a callback of on_grown failed", self.on_grown, tenant)
        if (followed := self._followed.get(tenant)) is not None:
            followed.ours |= {one.seq: one for one in applied if one.seq > followed.told}
            self.grown([tenant])
            if followed.telling is not None:
                await asyncio.wait([followed.telling])

    def grown(self, tenants: Iterable[str]) -> None:
        """Look at the logs of those of some tenants who are followed."""
        for tenant in tenants:
            if (followed := self._followed.get(tenant)) is not None:
                followed.grown = True
                if followed.telling is None or followed.telling.done():
                    followed.telling = asyncio.create_task(self._tell(tenant, followed))

    async def poll(self) -> None:
        """Look at the logs of all tenants with subscribers, and follow no others any more."""
        wanted = {tenant for tenant, _ in self._events.by_tenant()}
        self._followed = {tenant: one for tenant, one in self._followed.items() if tenant in wanted}
        self.grown(wanted)
        tasks = [one.telling for one in self._followed.values() if one.telling is not None]
        if tasks:
            await asyncio.wait(tasks)

    def close(self) -> None:
        """Tell nobody anything more."""
        for one in self._followed.values():
            if one.telling is not None:
                one.telling.cancel()
        self._followed.clear()

    async def _tell(self, tenant: str, followed: _Followed) -> None:
        while followed.grown:
            followed.grown = False
            try:
                more = True
                while more:
                    last, past, more = await self._database.read(lambda: self._page(tenant, followed.told))
                    self._emit(tenant, followed, last, past)
            except StorageError as error:  # the next poll finds it
                report(f"what is new in the log of {tenant} could not be read", error)

    def _page(self, tenant: str, after: int) -> tuple[int, list[Past], bool]:
        entries = self._store.entries_after(tenant, after, PAGE)
        if not entries:
            return after, [], False
        last = entries[-1][0]
        return last, list(self._past(tenant, after, last)), len(entries) == PAGE

    def _emit(self, tenant: str, followed: _Followed, last: int, past: Collection[Past]) -> None:
        events, followed.told = self._events, max(followed.told, last)
        stored = {one[4]: one for one in past}
        ours = {seq: followed.ours.pop(seq) for seq in sorted(followed.ours) if seq <= last}
        for seq in sorted({*stored, *ours}):
            if (applied := ours.get(seq)) is not None:
                events.emit(applied)
            else:
                events.emit_past(tenant, stored[seq])
