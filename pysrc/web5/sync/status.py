"""The status of endpoints and of unsettled messages, read from ledger, links and registrations."""

from __future__ import annotations

from collections.abc import Sequence

from web5.sync.exchange.context import SyncContext
from web5.sync.exchange.links import Link, Links
from web5.sync.ledger.entries import SETTLED, Entry
from web5.sync.ledger.ledger import Endpoint
from web5.sync.states import Activity, Direction, EndpointStatus, Registration, State, Unsettled


def endpoint_statuses(context: SyncContext, links: Links, tenants: Sequence[str], *, on: bool) -> list[EndpointStatus]:
    """Return the status of every endpoint of the tenants, and one without an endpoint for each tenant that has none.

    Parameters:
        on: True while sync does anything by itself.
    """
    found: list[EndpointStatus] = []
    for tenant in tenants:
        endpoints = context.ledger.endpoints(tenant)
        found += [_status(context, one, links.get(tenant, one.url), on) for one in endpoints]
        if not endpoints:
            found.append(EndpointStatus(tenant, "", None, False, None, None, 0, 0, 0, context.tenant_error(tenant)))
    return found


def unsettled_messages(context: SyncContext, tenants: Sequence[str]) -> list[Unsettled]:
    """Return every message that is not yet where it should be, with the reason; outgoing first, oldest first."""
    ledger = context.ledger
    found: list[Unsettled] = []
    for tenant in tenants:
        for endpoint in ledger.endpoints(tenant):
            out = ledger.outbox.unsettled(endpoint.id)
            made = context.dwn.store.made(tenant, [entry.position for entry in out])
            found += [_unsettled(context, endpoint, "push", entry, made.get(entry.position)) for entry in out]
            found += [
                _unsettled(context, endpoint, "pull", entry, None) for entry in ledger.inbox.unsettled(endpoint.id)
            ]
    return found


def _status(context: SyncContext, endpoint: Endpoint, link: Link | None, on: bool) -> EndpointStatus:
    inbox, outbox, registrar = context.ledger.inbox, context.ledger.outbox, context.registrar
    out, in_ = outbox.summary(endpoint.id), inbox.summary(endpoint.id)
    oldest = [outbox.oldest(endpoint.id) if out.unsettled else None, inbox.oldest(endpoint.id)]
    return EndpointStatus(
        tenant=endpoint.tenant,
        endpoint=endpoint.url,
        reachable=link.reachable if link else None,
        syncing=link is not None and link.visiting,
        last_success=endpoint.last_success,
        last_error=None if endpoint.error is None else (endpoint.error.code, endpoint.error.detail),
        pending_out=out.unsettled,
        pending_in=in_.unsettled,
        refused=out.refused + in_.refused,
        did_error=context.tenant_error(endpoint.tenant),
        activity=_activity(endpoint, link, on),
        bytes_in=link.total.bytes_in if link else 0,
        bytes_out=link.total.bytes_out if link else 0,
        rate=_rate(context, link),
        oldest=min((moment for moment in oldest if moment is not None), default=None),
        next_try=_next_try(context, link),
        registration=registrar.status(endpoint.tenant, endpoint.url) if registrar else Registration(),
        displaced=outbox.count(endpoint.id, State.DISPLACED),
        variants=inbox.count(endpoint.id, SETTLED),
        clock_ahead=context.remote.clocks.ahead(endpoint.url),
    )


def _activity(endpoint: Endpoint, link: Link | None, on: bool) -> Activity:
    if link is not None and link.visiting:
        return Activity.SYNCING
    if link is not None and link.failure is not None:
        return Activity.BLOCKED if link.failure.needs_user_action else Activity.FAILING
    if endpoint.error is not None:  # of an earlier process
        return Activity.BLOCKED if endpoint.error.state is State.BLOCKED else Activity.FAILING
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
        state = State.BLOCKED if endpoint.error.state is State.BLOCKED else state
        code, detail = endpoint.error.code, endpoint.error.detail
    paused = endpoint.error.not_before if endpoint.error else None
    next_try = max(entry.next_try or 0, paused or 0) or None
    return Unsettled(
        *(endpoint.tenant, endpoint.url, direction, entry.cid, state, code, detail),
        *(entry.attempts, next_try, entry.waits_for, made or entry.since),
    )
