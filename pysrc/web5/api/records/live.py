"""The result of a query that stays true.

A subscription tells of records that fit a filter, but not of one that fits it no longer. So what an update may change
is left out of the subscription's filter, and a record that was changed is asked for by the whole one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

from web5.api.records.filters import RecordFilter
from web5.api.records.query import Query
from web5.api.records.record import Record
from web5.api.records.subscriptions import RecordSubscription
from web5.errors import SubscriptionOverrun

_LASTING = frozenset({"context_id", "parent_id", "protocol", "protocol_path", "recipient", "record_id", "schema"})
"""Filters by what no update changes."""

AT_ONCE = 20
"""Changed records up to which each is asked for by itself; more of them, and all are."""


def lasting(filters: RecordFilter) -> RecordFilter:
    """Return the filters by what no update changes."""
    kept: Any = {name: value for name, value in filters.items() if name in _LASTING}
    lasting_ones: RecordFilter = kept
    return lasting_ones


class Window:
    """The records that a query finds, or the first of them.

    Parameters:
        ask: makes the query of filters and a limit.
        date_sort: the wire's; None: the oldest first.
    """

    def __init__(
        self, ask: Callable[..., Query[Record]], filters: RecordFilter, date_sort: str | None, limit: int | None
    ) -> None:
        self._ask = ask
        self._filters = filters
        self._limit = limit
        self._by_publication = bool(date_sort and date_sort.startswith("published"))
        self._newest_first = bool(date_sort and date_sort.endswith("Descending"))
        self._is_plain = not self._by_publication and lasting(filters).keys() == filters.keys()
        self._records: dict[str, Record] = {}

    @property
    def state(self) -> list[Record]:
        """The records in their order."""
        return sorted(self._records.values(), key=self._key, reverse=self._newest_first)

    async def load(self) -> list[Record]:
        """Ask for all of them anew."""
        query = self._ask(**self._filters, limit=self._limit)
        found = await query.all() if self._limit is None else await query
        self._records = {record.id: record for record in found}
        return self.state

    async def apply(self, events: Iterable[Record]) -> bool:
        """Take over what has happened to records; True if that changed the state."""
        newest = {record.id: record for record in events}.values()
        if self._limit is None and (self._is_plain or len(newest) <= AT_ONCE):
            return any([await self._take(record) for record in newest])
        before = self._records
        await self.load()
        return self._records != before

    async def _take(self, record: Record) -> bool:
        before, found = self._records.get(record.id), None
        if not record.deleted:
            asked = [record] if self._is_plain else await self._ask(**{**self._filters, "record_id": record.id})
            found = next(iter(asked), None)
        if found is not None:
            self._records[record.id] = found
        else:
            self._records.pop(record.id, None)
        return found != before

    def _key(self, record: Record) -> tuple[str, str]:
        about = record.initial_write or record.raw_message
        date = record.raw_message["descriptor"].get("datePublished") if self._by_publication else None
        return date or about["descriptor"]["dateCreated"], record.id


async def states(
    window: Window, subscribe: Callable[[Callable[[], None]], RecordSubscription[Record]]
) -> AsyncIterator[list[Record]]:
    """Iterate over the states of a window: the one that it has now, and the next after each change.

    Parameters:
        subscribe: makes the subscription that tells of changes; it calls what it is given when it may have missed some.
    """
    stale = False

    def again() -> None:
        nonlocal stale
        stale = True
        subscription.wake()

    subscription = subscribe(again)
    async with subscription:
        yield await window.load()
        while True:
            try:
                events = await subscription.some()
            except SubscriptionOverrun:
                events, stale = [], True
            if events is None:
                return
            if stale:
                stale = False
                yield await window.load()
            elif await window.apply(events):
                yield window.state
