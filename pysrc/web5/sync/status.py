"""The status of endpoints and of unsettled messages, read from ledger, links and registrations."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta

from web5.dwn.values.timestamps import moment_or_none
from web5.errors import InvalidArgument
from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.links import Link, Links
from web5.sync.ledger.entries import SETTLED, Entries, Entry
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.delivery import as_theirs
from web5.sync.plan.policy import recall
from web5.sync.states import (
    Activity,
    Direction,
    EndpointStatus,
    EndpointStatuses,
    Failure,
    Registration,
    State,
    Unsettled,
    UnsettledMessages,
    Wanted,
)

DIRECTIONS: tuple[Direction, Direction] = ("push", "pull")
"""In the order in which they are shown."""

DAMAGED_SHOWN = 200
"""Damaged messages that are given beside a page of others."""

DELIVERIES = 10**17
"""The number that stands for an endpoint in the cursors of deliveries, which come after all."""


def endpoint_statuses(context: SyncContext, links: Links, tenants: Sequence[str], *, on: bool) -> EndpointStatuses:
    """Return the status of every endpoint of the tenants, and one without an endpoint for each tenant that has none.

    Parameters:
        on: True while sync does anything by itself.
    """
    found = EndpointStatuses()
    for tenant in tenants:
        endpoints = context.ledger.endpoints(tenant)
        found += [_status(context, one, links.get(tenant, one.url), on) for one in endpoints]
        if not endpoints:
            error = context.tenant_error(tenant)
            found.append(EndpointStatus(tenant, "", None, False, None, None, 0, 0, 0, error, Activity.NOWHERE))
    return found


def unsettled_messages(
    context: SyncContext,
    tenants: Sequence[str],
    authors: Collection[str] | None,
    is_in_flight: Callable[[int], bool],
    *,
    wanted: Wanted,
    limit: int | None,
    cursor: str | None,
) -> UnsettledMessages:
    """Return a page of the messages that are not yet where they should be, with the reason; see `SyncEngine.unsettled`.

    The first page has the damaged ones too, before all others; they count for no limit.

    Parameters:
        tenants: whose messages to their own endpoints.
        authors: whose deliveries to others; None: everybody's.
        is_in_flight: tells whether a delivery, by its row, is being sent.

    Raises:
        InvalidArgument: there is no such limit, or the cursor is none of ours.
    """
    if limit is not None and limit < 1:
        raise InvalidArgument(f"a page of {limit} messages: it has at least 1; None stands for all")
    start = _place(cursor)
    page = _page(context, tenants, wanted, limit, start)
    if page.cursor is None:
        _add_deliveries(context, page, authors, is_in_flight, wanted, limit, start)
    if cursor is None and wanted.endpoint is None and (wanted.states is None or State.DAMAGED in wanted.states):
        page[:0] = damaged_messages(context, tenants, wanted.message_cids, DAMAGED_SHOWN)
    return page


def _page(
    context: SyncContext, tenants: Sequence[str], wanted: Wanted, limit: int | None, start: tuple[int, int, int]
) -> UnsettledMessages:
    ledger, found = context.ledger, UnsettledMessages()
    endpoints = [one for tenant in tenants for one in ledger.endpoints(tenant) if wanted.endpoint in (None, one.url)]
    for endpoint in sorted(endpoints, key=lambda one: one.id):
        for side, direction in enumerate(DIRECTIONS):
            if (endpoint.id, side) < start[:2]:
                continue
            room = -1 if limit is None else limit + 1 - len(found)
            after = start[2] if (endpoint.id, side) == start[:2] else 0
            states = _kept_as(endpoint, wanted.states)
            entries = _side(context, direction).unsettled(endpoint.id, room, after, states, wanted.message_cids)
            found += _described(context, endpoint, direction, entries)
            if limit is not None and len(found) > limit:
                del found[limit:]
                found.cursor = f"{endpoint.id}-{side}-{entries[-1].position - 1}"
                return found
    return found


def _add_deliveries(
    context: SyncContext,
    page: UnsettledMessages,
    authors: Collection[str] | None,
    is_in_flight: Callable[[int], bool],
    wanted: Wanted,
    limit: int | None,
    start: tuple[int, int, int],
) -> None:
    room = -1 if limit is None else limit + 1 - len(page)
    after = start[2] if start[0] == DELIVERIES else 0
    about = {"target": wanted.target, "url": wanted.endpoint}
    rows = context.ledger.deliveries.page(
        authors, after=after, limit=room, states=wanted.states, cids=wanted.message_cids, **about
    )
    for row in rows:
        if limit is not None and len(page) >= limit:
            page.cursor = f"{DELIVERIES}-0-{row.id - 1}"
            return
        detail = as_theirs(row.target, row.code, row.detail, row.waits_for)
        state = State.IN_FLIGHT if is_in_flight(row.id) else row.state
        page.append(
            Unsettled(
                *(row.author, row.url, "push", row.cid, state, row.code, detail, row.attempts),
                *(moment_or_none(row.next_try), row.waits_for, moment_or_none(row.since), row.target),
            )
        )


def _place(cursor: str | None) -> tuple[int, int, int]:
    """Return endpoint, side and position after which a page begins."""
    if cursor is None:
        return 0, 0, 0
    if not re.fullmatch(r"\d{1,18}-[01]-\d{1,18}", cursor):
        raise InvalidArgument("that is no cursor: it is None, or what the page before came with")
    endpoint, side, position = map(int, cursor.split("-"))
    return endpoint, side, position


def _side(context: SyncContext, direction: Direction) -> Entries:
    return context.ledger.outbox if direction == "push" else context.ledger.inbox


def _kept_as(endpoint: Endpoint, states: Collection[State] | None) -> list[State]:
    """Return the states in which the ledger has the messages that are shown in these; see `_unsettled`."""
    shown = {state: state for state in State}
    if _is_blocked(endpoint):
        shown[State.PENDING] = State.BLOCKED
    return [state for state in State if states is None or shown[state] in states]


def _is_blocked(endpoint: Endpoint) -> bool:
    return endpoint.error is not None and endpoint.error.state is State.BLOCKED


def _described(
    context: SyncContext, endpoint: Endpoint, direction: Direction, entries: Sequence[Entry]
) -> list[Unsettled]:
    out = [entry.position for entry in entries] if direction == "push" else []
    made = context.dwn.store.made(endpoint.tenant, out) if out else {}
    return [_unsettled(context, endpoint, direction, entry, made.get(entry.position)) for entry in entries]


def damaged_messages(
    context: SyncContext, tenants: Sequence[str], cids: Collection[str] | None = None, limit: int | None = None
) -> list[Unsettled]:
    """Return the messages that are held here and cannot be read, or whose data cannot; so many of each tenant."""
    ledger, found = context.ledger, []
    for tenant in tenants:
        for cid, damage in context.applying.damaged(tenant, cids, limit).items():
            detail = damage.detail
            if not any(ledger.inbox.remaining(endpoint.id, [cid]) for endpoint in ledger.endpoints(tenant)):
                detail += "; no node that is known has it"
            since = moment_or_none(damage.since)
            found.append(Unsettled(tenant, "", "pull", cid, State.DAMAGED, 0, detail, 0, None, since=since))
    return found


def _status(context: SyncContext, endpoint: Endpoint, link: Link | None, on: bool) -> EndpointStatus:
    inbox, outbox, registrar = context.ledger.inbox, context.ledger.outbox, context.registrar
    out, in_ = outbox.summary(endpoint.id), inbox.summary(endpoint.id)
    ahead = context.remote.clocks.ahead(endpoint.url)
    oldest = [side.oldest(endpoint.id) for side in (outbox, inbox)]
    blocked = sum(side.count(endpoint.id, State.PENDING) for side in (outbox, inbox)) if _is_blocked(endpoint) else 0
    return EndpointStatus(
        tenant=endpoint.tenant,
        endpoint=endpoint.url,
        reachable=link.reachable if link else None,
        syncing=link is not None and link.visiting,
        last_success=moment_or_none(endpoint.last_success),
        last_error=None if endpoint.error is None else Failure(endpoint.error.code, endpoint.error.detail),
        pending_out=out.unsettled,
        pending_in=in_.unsettled,
        refused=out.refused + in_.refused + blocked,
        did_error=context.tenant_error(endpoint.tenant),
        activity=_activity(endpoint, link, on),
        bytes_in=link.total.bytes_in if link else 0,
        bytes_out=link.total.bytes_out if link else 0,
        rate=_rate(context, link),
        oldest=moment_or_none(min((moment for moment in oldest if moment is not None), default=None)),
        next_try=moment_or_none(_next_try(context, link)),
        registration=registrar.status(endpoint.tenant, endpoint.url) if registrar else Registration(),
        displaced=outbox.count(endpoint.id, State.DISPLACED),
        variants=inbox.count(endpoint.id, SETTLED),
        clock_ahead=None if ahead is None else timedelta(microseconds=ahead),
    )


def _activity(endpoint: Endpoint, link: Link | None, on: bool) -> Activity:
    if link is not None and link.visiting:
        return Activity.SYNCING
    if link is not None and link.failure is not None:
        return Activity.BLOCKED if link.failure.needs_user_action else Activity.FAILING
    if (error := endpoint.error) is not None:  # it stands, or is of an earlier process
        return Activity.BLOCKED if recall(error.code, error.detail).needs_user_action else Activity.FAILING
    if link is not None and link.connected:
        return Activity.LIVE
    return Activity.IDLE if on else Activity.OFF


def _next_try(context: SyncContext, link: Link | None) -> int | None:
    if link is None or link.retry_at is None:
        return None
    return context.clock.now() + int((link.retry_at - context.clock.monotonic()) * 1_000_000)


def _rate(context: SyncContext, link: Link | None) -> float:
    if link is None or link.began is None:
        return 0.0
    began, moved = link.began
    passed = context.clock.monotonic() - began
    return (link.total.bytes_in + link.total.bytes_out - moved) / passed if passed > 0 else 0.0


def _unsettled(
    context: SyncContext, endpoint: Endpoint, direction: Direction, entry: Entry, made: int | None
) -> Unsettled:
    state, code, detail = entry.state, entry.code, entry.detail
    claim = context.claimed.get((endpoint.tenant, entry.cid))
    claimed = claim is not None and claim.endpoint == endpoint.id
    if (endpoint.id, entry.cid) in context.sending if direction == "push" else claimed:
        state = State.IN_FLIGHT
    elif state is State.PENDING and endpoint.error is not None:
        # The error is not about this message, but about all: the endpoint is blocked, or cannot be reached.
        state = State.BLOCKED if _is_blocked(endpoint) else state
        code, detail = endpoint.error.code, endpoint.error.detail
    paused = endpoint.error.not_before if endpoint.error else None
    next_try = max(entry.next_try or 0, paused or 0) or None
    return Unsettled(
        *(endpoint.tenant, endpoint.url, direction, entry.cid, state, code, detail),
        *(entry.attempts, moment_or_none(next_try), entry.waits_for, moment_or_none(made or entry.since)),
    )
