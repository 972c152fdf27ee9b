"""The event stream: subscriptions, and the notification of subscribers.

Invariants:
1. Each subscription that an event matches is notified once, in the order of the event log, after the event is durable.
2. An event is matched by what its row holds, as a query matches it: a subscription gives what the query would find.
3. What a subscriber raises harms neither the engine nor other subscribers; the event loop's exception handler gets it.
4. After `close` no notification follows, even if the close comes while an event is being emitted.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from operator import eq, ge, gt, le, lt
from typing import Any

from web5.dwn.store.schema import Columns, tag_values
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
    """

    tenant: str
    message_cid: str
    seq: int
    message: dict[str, Any]
    is_latest_base_state: bool
    source: str | None
    initial_write: dict[str, Any] | None
    columns: Columns


Hook = Callable[[Applied], None]


class Event(dict[str, Any]):
    """`{"message": …, "initialWrite": …}`, the latter where the message is not it; one for all, so to be read only.

    Attributes:
        seq: its number in the event log.
    """

    seq: int = 0

    @cached_property
    def text(self) -> str:
        """The event as ASCII JSON, made once for all who are told."""
        return json.dumps(self, allow_nan=False, separators=(",", ":"))


Handler = Callable[[Event], None]

_Tags = Mapping[str, Sequence[Any]]
Past = tuple[Columns, _Tags, dict[str, Any], dict[str, Any] | None, int]
"""A stored message: its row, its tags, itself, its record's initial write if it is another, its number in the log."""

_Key = tuple[str, Any] | None
_Terms = tuple[Term, ...]

_KEY_COLUMNS = ("record_id", "parent_id", "context_id", "schema", "protocol_path", "protocol", "recipient", "guest")
"""The columns by which subscriptions are looked up, the most selective first."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {"=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}


class Subscription:
    """One subscription to the messages of a tenant.

    Attributes:
        id: the CID of the message that subscribed.
        is_tenants: True if its author is the tenant.
        on_end: called if the subscription ends because what allowed it has ended.
    """

    def __init__(
        self,
        id: str,
        handler: Handler,
        remove: Callable[[], None],
        *,
        is_tenants: bool,
        is_allowed: Callable[[], bool] | None,
        after: int = 0,
    ) -> None:
        self.id = id
        self.is_tenants = is_tenants
        self.on_end: Callable[[], None] | None = None
        self._after = after
        self._is_allowed = is_allowed
        self._handler: Handler | None = handler
        self._remove = remove

    async def close(self) -> None:
        """End the subscription. Safe to call twice."""
        self.end()

    def end(self) -> None:
        """As `close`, at once."""
        if self._handler is not None:
            self._handler = None
            self._remove()

    def review(self, *, is_served: bool = True) -> None:
        """End the subscription if what allowed it has ended, or its tenant is not served any more."""
        if self._handler is None or (is_served and (self._is_allowed is None or self._is_allowed())):
            return
        self.end()
        if self.on_end is not None:
            notify(f"what waits for the end of subscription {self.id} failed", [self.on_end])

    def notify(self, event: Event) -> None:
        if event.seq <= self._after:
            return
        self.review()
        if self._handler is not None:
            notify(f"the handler of subscription {self.id} failed", [self._handler], event)


class _TenantSubscriptions:
    """The subscriptions of one tenant by a value that a message must have for them; equal terms are tested once."""

    def __init__(self) -> None:
        self.by_number: dict[int, Subscription] = {}
        self._alternatives: dict[int, set[_Terms]] = {}
        self._by_key: dict[_Key, dict[_Terms, set[int]]] = {}

    def add(self, number: int, subscription: Subscription, alternatives: Iterable[Sequence[Term]]) -> None:
        self.by_number[number] = subscription
        self._alternatives[number] = set(map(tuple, alternatives))
        for terms in self._alternatives[number]:
            self._by_key.setdefault(_key(terms), {}).setdefault(terms, set()).add(number)

    def remove(self, number: int) -> None:
        del self.by_number[number]
        for terms in self._alternatives.pop(number):
            key = _key(terms)
            numbers = self._by_key[key]
            numbers[terms].remove(number)
            if not numbers[terms]:
                del numbers[terms]
            if not numbers:
                del self._by_key[key]

    def matching(self, columns: Columns, tags: _Tags) -> list[Subscription]:
        found: set[int] = set()
        for key in (None, *((name, getattr(columns, name)) for name in _KEY_COLUMNS)):
            for terms, numbers in self._by_key.get(key, {}).items():
                if not numbers <= found and _match(terms, columns, tags):
                    found |= numbers
        return [self.by_number[number] for number in sorted(found)]


class EventStream:
    """Notifies subscribers of messages that were stored."""

    def __init__(self) -> None:
        self._tenants: dict[str, _TenantSubscriptions] = {}
        self._numbers = itertools.count(1)

    def subscribe(
        self,
        tenant: str,
        id: str,
        alternatives: Iterable[Sequence[Term]],
        handler: Handler,
        *,
        is_tenants: bool,
        is_allowed: Callable[[], bool] | None = None,
        after: int = 0,
    ) -> Subscription:
        """Call `handler` with each message of the tenant that matches all terms of one of the alternatives.

        Parameters:
            is_tenants: True if the author of the subscription is the tenant.
            is_allowed: asked before each event, and now and then; the subscription ends once it says no.
            after: the number in the event log behind which it begins, where older events may be told yet.
        """
        number = next(self._numbers)
        remove = partial(self._remove, tenant, number)
        subscription = Subscription(id, handler, remove, is_tenants=is_tenants, is_allowed=is_allowed, after=after)
        self._tenants.setdefault(tenant, _TenantSubscriptions()).add(number, subscription, alternatives)
        return subscription

    def by_tenant(self) -> Iterator[tuple[str, list[Subscription]]]:
        """Give the subscriptions of each tenant; they may change meanwhile."""
        for tenant, subscriptions in list(self._tenants.items()):
            yield tenant, list(subscriptions.by_number.values())

    def _remove(self, tenant: str, number: int) -> None:
        subscriptions = self._tenants[tenant]
        subscriptions.remove(number)
        if not subscriptions.by_number:
            del self._tenants[tenant]

    def emit(self, applied: Applied) -> None:
        """Notify the subscribers of a message, unless it is not its record's latest state."""
        subscriptions = self._tenants.get(applied.tenant)
        if subscriptions is None or not applied.is_latest_base_state:
            return
        matching = subscriptions.matching(applied.columns, tags_of(applied.message))
        if not matching:
            return
        event = _event(applied.message, applied.initial_write, applied.seq)
        for subscription in matching:
            subscription.notify(event)

    def emit_past(self, tenant: str, past: Past) -> None:
        """Notify the subscribers of a message as it is stored, as `emit` would have."""
        columns, tags, message, initial_write, seq = past
        if (subscriptions := self._tenants.get(tenant)) is not None:
            event = _event(message, initial_write, seq)
            for subscription in subscriptions.matching(columns, tags):
                subscription.notify(event)

    def emit_again(self, subscription: Subscription, tenant: str, past: Iterable[Past]) -> None:
        """Notify one subscription of those messages of the past that it matches, as `emit` would have."""
        for columns, tags, message, initial_write, seq in past:
            others = self._tenants.get(tenant)
            if others is not None and subscription in others.matching(columns, tags):
                subscription.notify(_event(message, initial_write, seq))


def tags_of(message: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the stored values of a message's tags by their names."""
    tags: dict[str, list[Any]] = {}
    for name, value in tag_values(message):
        tags.setdefault(name, []).append(value)
    return tags


def _event(message: dict[str, Any], initial_write: dict[str, Any] | None, seq: int) -> Event:
    event = Event(message=message)
    event.seq = seq
    if initial_write is not None:
        event["initialWrite"] = initial_write
    return event


def _key(terms: Sequence[Term]) -> _Key:
    # A column and the one value that the terms demand of it.
    wanted = {term.name: value for term in terms if not term.is_tag for test, value in term.tests if test == "="}
    return next(((column, wanted[column]) for column in _KEY_COLUMNS if column in wanted), None)


def _match(terms: Iterable[Term], columns: Columns, tags: _Tags) -> bool:
    return all(
        any(_passes_all(term.tests, value) for value in tags.get(term.name, ()))
        if term.is_tag
        else _passes_all(term.tests, getattr(columns, term.name))
        for term in terms
    )


def _passes_all(tests: Iterable[tuple[str, Any]], value: Any) -> bool:
    return all(
        value in wanted if test == "in" else _comparable(value, wanted) and _COMPARE[test](value, wanted)
        for test, wanted in tests
    )


def _comparable(value: Any, wanted: Any) -> bool:
    # None, which SQL calls NULL, compares to nothing.
    return isinstance(value, type(wanted)) or (isinstance(value, (int, float)) and isinstance(wanted, (int, float)))
