"""The event stream: who subscribed to what, and who is told of a message.

Invariants:
1. An event is told once to each subscription that it matches, in the order of the event log, after it is durable.
2. It is matched by what its row holds, as a query matches it, so that a subscription tells what the query would find.
3. What a subscriber raises harms neither the engine nor other subscribers; the event loop's exception handler gets it.
4. After `close` nothing more is told, even if the close comes while an event is being told.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt
from typing import Any

from web5.dwn.store.indexes import COLUMNS, tag_values
from web5.dwn.store.terms import Term
from web5.tasks import notify


@dataclass(frozen=True, slots=True)
class Applied:
    """A message that was stored.

    Parameters:
        seq: its number in the event log; numbers of one database only grow.
        is_latest_base_state: False for an initial write without data, which queries do not see.
        source: who brought the message, such as an endpoint's URL; None if it was made here.
        initial_write: the record's first write, where the message itself is not it.
        values: what its row holds, in the order of `store.indexes.COLUMNS`.
    """

    tenant: str
    message_cid: str
    seq: int
    message: dict[str, Any]
    is_latest_base_state: bool
    source: str | None
    initial_write: dict[str, Any] | None
    values: tuple[Any, ...]


Hook = Callable[[Applied], None]

Event = dict[str, Any]
"""`{"message": …, "initialWrite": …}`, the latter where the message is not it; the same for all, so to be read only."""

Handler = Callable[[Event], None]

_Row = Mapping[str, Any]
_Tags = Mapping[str, Sequence[Any]]
_Key = tuple[str, Any] | None
_Terms = tuple[Term, ...]

_KEY_COLUMNS = ("record_id", "parent_id", "context_id", "schema", "protocol_path", "protocol", "recipient", "guest")
"""Columns by whose value subscriptions are looked up, the most telling first."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


class Subscription:
    """One subscription to the messages of a tenant.

    Attributes:
        id: the CID of the message that subscribed.
    """

    def __init__(self, stream: EventStream, id: str, number: int, tenant: str, handler: Handler) -> None:
        self.id = id
        self._stream = stream
        self._number = number
        self._tenant = tenant
        self._handler: Handler | None = handler

    async def close(self) -> None:
        """Tell nothing more. Safe to call twice."""
        if self._handler is not None:
            self._handler = None
            self._stream.remove(self._tenant, self._number)

    def tell(self, event: Event) -> None:
        if self._handler is not None:
            notify(f"the handler of subscription {self.id} failed", [self._handler], event)


class _Tenant:
    """The subscriptions of one tenant, found by a value that a message must have for them.

    Those that ask for the same are tested once.
    """

    def __init__(self) -> None:
        self.subscriptions: dict[int, Subscription] = {}
        self.asked: dict[int, set[_Terms]] = {}
        self.by_key: dict[_Key, dict[_Terms, set[int]]] = {}

    def add(self, number: int, subscription: Subscription, alternatives: Iterable[Sequence[Term]]) -> None:
        self.subscriptions[number] = subscription
        self.asked[number] = set(map(tuple, alternatives))
        for terms in self.asked[number]:
            self.by_key.setdefault(_key(terms), {}).setdefault(terms, set()).add(number)

    def remove(self, number: int) -> None:
        del self.subscriptions[number]
        for terms in self.asked.pop(number):
            key = _key(terms)
            askers = self.by_key[key]
            askers[terms].remove(number)
            if not askers[terms]:
                del askers[terms]
            if not askers:
                del self.by_key[key]

    def matching(self, row: _Row, tags: _Tags) -> list[Subscription]:
        """Those that the row is for, in the order they subscribed."""
        found: set[int] = set()
        for key in (None, *((column, row[column]) for column in _KEY_COLUMNS)):
            for terms, numbers in self.by_key.get(key, {}).items():
                if not numbers <= found and _holds(terms, row, tags):
                    found |= numbers
        return [self.subscriptions[number] for number in sorted(found)]


class EventStream:
    """Tells subscribers what was applied; it is one of the engine's `after_commit` hooks."""

    def __init__(self) -> None:
        self._tenants: dict[str, _Tenant] = {}
        self._numbers = itertools.count(1)

    def subscribe(self, tenant: str, id: str, alternatives: Iterable[Sequence[Term]], handler: Handler) -> Subscription:
        """Tell `handler` of each message of the tenant for which all terms of one alternative hold.

        Without any alternative nothing is ever told.
        """
        number = next(self._numbers)
        subscription = Subscription(self, id, number, tenant, handler)
        self._tenants.setdefault(tenant, _Tenant()).add(number, subscription, alternatives)
        return subscription

    def remove(self, tenant: str, number: int) -> None:
        """Forget a subscription; `Subscription.close` does this."""
        subscribed = self._tenants[tenant]
        subscribed.remove(number)
        if not subscribed.subscriptions:
            del self._tenants[tenant]

    def emit(self, applied: Applied) -> None:
        """Tell of a message; one that is not its record's latest state is not told."""
        subscribed = self._tenants.get(applied.tenant)
        if subscribed is None or not applied.is_latest_base_state:
            return
        row = dict(zip(COLUMNS, applied.values, strict=True))
        tags: dict[str, list[Any]] = {}
        for name, value in tag_values(applied.message):
            tags.setdefault(name, []).append(value)
        matching = subscribed.matching(row, tags)
        if not matching:
            return
        event: Event = {"message": applied.message}
        if applied.initial_write is not None:
            event["initialWrite"] = applied.initial_write
        for subscription in matching:
            subscription.tell(event)


def _key(terms: Sequence[Term]) -> _Key:
    """A column and the one value that it must have; None if no term asks for such a value."""
    wanted = {term.name: value for term in terms if not term.is_tag for test, value in term.tests if test == "="}
    return next(((column, wanted[column]) for column in _KEY_COLUMNS if column in wanted), None)


def _holds(terms: Iterable[Term], row: _Row, tags: _Tags) -> bool:
    return all(
        any(map(_passes_all, itertools.repeat(term.tests), tags.get(term.name, ())))
        if term.is_tag
        else _passes_all(term.tests, row[term.name])
        for term in terms
    )


def _passes_all(tests: Iterable[tuple[str, Any]], value: Any) -> bool:
    return all(
        value in wanted if test == "in" else _comparable(value, wanted) and _COMPARE[test](value, wanted)
        for test, wanted in tests
    )


def _comparable(value: Any, wanted: Any) -> bool:
    """True for two texts, two numbers or two stored texts of tags; None, which SQL calls NULL, compares to nothing."""
    return isinstance(value, type(wanted)) or (isinstance(value, (int, float)) and isinstance(wanted, (int, float)))
