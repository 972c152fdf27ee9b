"""The identity and its remote nodes, in the shape the page shows. Times are milliseconds since 1970."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from web5 import Web5
from web5.agent.publication.status import PublicationState, PublicationStatus
from web5.dwn.values.timestamps import microseconds
from web5.sync import Demands, Difference, EndpointStatus, RegistrationState, State, Unsettled
from web5.sync.states import Wanted

SHOWN = 20
"""Refused messages that are listed for an endpoint; all of them are counted."""

FAILED = frozenset((State.REFUSED, State.BLOCKED, State.DISPLACED))


def state_of(web5: Web5) -> dict[str, Any]:
    """Return everything around the notes."""
    own = web5.vault.agent_did or ""
    statuses = web5.sync.status()
    return {
        "did": web5.connected_did,
        **_publication(web5.nodes.published, ""),
        **_publication(web5.vault.published, "keys_"),
        "damaged": len(web5.sync.damaged()),
        "interval": web5.sync.interval,
        "syncing": any(status.syncing for status in statuses),
        "did_error": next((status.did_error for status in statuses if status.did_error), None),
        "endpoints": [_endpoint(web5, one) for one in statuses if one.endpoint and one.tenant != own],
        # The records of the agent, which bring back the identities with their keys.
        "keys": [_endpoint(web5, one) for one in statuses if one.endpoint and one.tenant == own],
    }


def _publication(found: PublicationStatus, of: str) -> dict[str, Any]:
    error = None if found.is_found else found.reason
    return {
        f"{of}publish_error": error,
        f"{of}published_before": error is not None and found.before,
        f"{of}publish_tried": found.state != PublicationState.NO_GATEWAY,
    }


def unsettled_of(web5: Web5, cursor: str | None) -> dict[str, Any]:
    """Return a page of the messages that are not where they should be, with the reason."""
    page = web5.sync.unsettled(cursor=cursor)
    return {"messages": [_entry(entry) for entry in page], "cursor": page.cursor}


def difference_of(found: Difference, *, own: bool) -> dict[str, Any]:
    """Return the comparison of one endpoint with this node, in numbers; `own`: of the agent's records."""
    return {
        "endpoint": found.endpoint,
        "both": found.both,
        "only_here": len(found.only_here),
        "only_there": len(found.only_there),
        "mended": len(found.unexplained),
        "displaced": len(found.displaced),
        "keys": own,
        "error": None if found.error is None else _error(*found.error),
    }


def demands_of(demands: Demands) -> dict[str, Any]:
    """Return what a node asks of those who want to register."""
    return {
        "terms": demands.terms.text if demands.terms else None,
        "terms_hash": demands.terms.hash if demands.terms else None,
        "hashes": demands.challenge.hashes if demands.challenge else None,
        "invitation": demands.invitation,
    }


def _endpoint(web5: Web5, status: EndpointStatus) -> dict[str, Any]:
    registration = status.registration
    # While that is open the node refuses nothing in particular.
    is_open = registration.asks or registration.state == RegistrationState.WORKING
    failed = 0 if is_open else status.refused + status.displaced
    wanted = Wanted(status.endpoint, FAILED)
    shown = web5.agent.sync.unsettled(status.tenant, wanted, limit=SHOWN) if failed else []
    return {
        "endpoint": status.endpoint,
        "reachable": status.reachable,
        "last_success": _milliseconds(status.last_success),
        "last_error": None if status.last_error is None else _error(*status.last_error),
        "pending_out": status.pending_out,
        "pending_in": status.pending_in,
        "activity": status.activity,
        "next_try": _milliseconds(status.next_try),
        "rate": round(status.rate),
        "clock_ahead": None if status.clock_ahead is None else round(status.clock_ahead.total_seconds()),
        "registration": {
            "state": registration.state,
            "terms_hash": registration.terms_hash,
            "hashes": registration.hashes,
            "tried": registration.tried,
            "rate": round(registration.rate),
            "reason": registration.reason,
        },
        "refused": failed,
        "refusals": [_entry(entry) for entry in shown],
    }


def _error(code: int, detail: str) -> dict[str, Any]:
    return {"code": code, "detail": detail}


def _entry(entry: Unsettled) -> dict[str, Any]:
    return {
        "endpoint": entry.endpoint,
        "target": entry.target,
        "direction": entry.direction,
        "message_cid": entry.message_cid,
        "state": entry.state,
        "code": entry.code,
        "detail": entry.detail,
    }


def _milliseconds(moment: datetime | None) -> int | None:
    return None if moment is None else microseconds(moment) // 1000
