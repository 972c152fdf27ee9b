"""The event log with filters and cursors (`src/event-log/event-log-level.ts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from .search import condition
from .store import Store
from .terms import Filter, Term, message_terms

Cursor = Mapping[str, Any]


def query_events(
    store: Store, db: apsw.Connection, tenant: str, filters: Sequence[Filter], cursor: Cursor | None
) -> tuple[list[str], Cursor | None]:
    """CIDs of the messages after a cursor that any of the filters finds (all, without filters), and the next cursor."""
    number, after = store.tenant(tenant), _position(store, cursor)
    alternatives = [terms for filter in filters for terms in message_terms(filter)]
    found: dict[int, str] = {}
    # One statement for each alternative, because each has its own index.
    for terms in alternatives or [[]]:
        found |= _find(db, number, after, terms)
    if not found:
        return [], None
    order = sorted(found)
    last = order[-1]
    return [found[seq] for seq in order], {"messageCid": found[last], "value": f"{store.identity}-{last:016d}"}


def _find(db: apsw.Connection, tenant: int, after: int, terms: Sequence[Term]) -> dict[int, str]:
    where, parameters = ["tenant = ?", "seq > ?"], [tenant, after]
    for term in terms:
        text, values = condition(term)
        where.append(text)
        parameters.extend(values)
    return dict(db.execute(f"SELECT seq, cid FROM dwn_message WHERE {' AND '.join(where)} ORDER BY seq", parameters))


def _position(store: Store, cursor: Cursor | None) -> int:
    """Where to go on. A cursor of another store, such as one that was here before this one, starts at the beginning:
    else whoever syncs by it would silently miss messages."""
    value = cursor["value"] if cursor else None
    if isinstance(value, str):
        identity, _, seq = value.partition("-")
        if identity == store.identity and seq.isdecimal():
            return int(seq)
    return 0
