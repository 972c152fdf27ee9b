"""What is where, for whoever asks: `status` and `unsettled`."""

from __future__ import annotations

from collections.abc import Sequence

from web5.sync.exchange.link import Line
from web5.sync.exchange.links import Lines
from web5.sync.exchange.local import Local
from web5.sync.exchange.registrar import Registrar
from web5.sync.ledger.entries import Row
from web5.sync.ledger.ledger import Endpoint
from web5.sync.plan.policy import Tell
from web5.sync.states import Activity, Direction, EndpointStatus, Registration, State, Unsettled


class Sight:
    """Reads ledger, lines and registrations."""

    def __init__(self, local: Local, lines: Lines, registrar: Registrar | None) -> None:
        self._local = local
        self._ledger = local.ledger
        self._lines = lines
        self._registrar = registrar

    def status(self, tenants: Sequence[str], *, on: bool) -> list[EndpointStatus]:
        """Every endpoint of the tenants, and a line without an endpoint for tenants that have none.

        Parameters:
            on: whether sync does anything by itself.
        """
        found: list[EndpointStatus] = []
        for tenant in tenants:
            endpoints = self._ledger.endpoints(tenant)
            error = self._local.trouble(tenant)
            found += [self._endpoint(endpoint, error, on) for endpoint in endpoints]
            if not endpoints:
                found.append(EndpointStatus(tenant, "", None, False, None, None, 0, 0, 0, error))
        return found

    def unsettled(self, tenants: Sequence[str]) -> list[Unsettled]:
        """Every message that is not yet where it should be, with the reason; outgoing first, oldest first."""
        found: list[Unsettled] = []
        for tenant in tenants:
            for endpoint in self._ledger.endpoints(tenant):
                out = self._ledger.outbox.unsettled(endpoint.id, tenant)
                made = self._local.dwn.store.made(tenant, [row.order for row in out])
                found += [self._unsettled(endpoint, "push", row, made.get(row.order)) for row in out]
                found += [
                    self._unsettled(endpoint, "pull", row, None) for row in self._ledger.inbox.unsettled(endpoint.id)
                ]
        return found

    def _endpoint(self, endpoint: Endpoint, did_error: str | None, on: bool) -> EndpointStatus:
        ledger, tenant = self._ledger, endpoint.tenant
        out, refused_out = ledger.outbox.counts(endpoint.id, tenant)
        in_, refused_in = ledger.inbox.counts(endpoint.id)
        line = self._lines.get(tenant, endpoint.url)
        oldest = [
            ledger.outbox.oldest(endpoint.id, tenant) if out else None,
            ledger.inbox.oldest(endpoint.id) if in_ else None,
        ]
        return EndpointStatus(
            tenant=tenant,
            endpoint=endpoint.url,
            reachable=line.reachable if line else None,
            syncing=line is not None and line.visiting,
            last_success=endpoint.last_success,
            last_error=None if endpoint.error is None else (endpoint.error.code, endpoint.error.detail),
            pending_out=out,
            pending_in=in_,
            refused=refused_out + refused_in,
            did_error=did_error,
            activity=_activity(endpoint, line, on),
            bytes_in=line.total.bytes_in if line else 0,
            bytes_out=line.total.bytes_out if line else 0,
            rate=self._rate(line),
            oldest=min((moment for moment in oldest if moment is not None), default=None),
            next_try=line.retry_at if line else None,
            registration=self._registrar.status(tenant, endpoint.url) if self._registrar else Registration(),
        )

    def _rate(self, line: Line | None) -> float:
        if line is None or line.began is None:
            return 0.0
        began, moved = line.began
        passed = self._local.clock.monotonic() - began
        return (line.total.bytes_in + line.total.bytes_out - moved) / passed if passed > 0 else 0.0

    def _unsettled(self, endpoint: Endpoint, direction: Direction, row: Row, made: int | None) -> Unsettled:
        state, code, detail = row.state, row.code, row.detail
        if self._is_in_flight(endpoint, direction, row.cid):
            state = State.IN_FLIGHT
        elif state is State.PENDING and endpoint.error is not None:
            # Nothing was said of this message, but of everything: the endpoint is blocked, or cannot be reached.
            state = State.BLOCKED if endpoint.error.state is State.BLOCKED else state
            code, detail = endpoint.error.code, endpoint.error.detail
        return Unsettled(
            *(endpoint.tenant, endpoint.url, direction, row.cid, state, code, detail),
            *(row.attempts, row.next_try, row.waits_for, made or row.since),
        )

    def _is_in_flight(self, endpoint: Endpoint, direction: Direction, cid: str) -> bool:
        if direction == "push":
            return (endpoint.id, cid) in self._local.sending
        return self._local.claimed.get((endpoint.tenant, cid)) == endpoint.id


def _activity(endpoint: Endpoint, line: Line | None, on: bool) -> Activity:
    if line is not None and line.visiting:
        return Activity.SYNCING
    if line is not None and line.failed is not None:
        return Activity.BLOCKED if line.failed.tell is Tell.PERSON else Activity.FAILING
    if endpoint.error is not None:  # of an earlier process
        return Activity.BLOCKED if endpoint.error.state is State.BLOCKED else Activity.FAILING
    if line is not None and line.connected:
        return Activity.LIVE
    return Activity.IDLE if on else Activity.OFF
