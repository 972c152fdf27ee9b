"""The event log with filters and cursors (`src/event-log/event-log-level.ts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from .store import Store

Cursor = Mapping[str, Any]

_METHODS = {"Records": "method IN ('Write', 'Delete')", "Protocols": "method = 'Configure'"}


def query_events(
    store: Store, db: apsw.Connection, tenant: str, filters: Sequence[Mapping[str, Any]], cursor: Cursor | None
) -> tuple[list[str], Cursor | None]:
    """CIDs of the messages after a cursor that any of the filters finds (all, without filters), and the next cursor."""
    terms, parameters = ["tenant = ?", "seq > ?"], [store.tenant(tenant), _position(store, cursor)]
    alternatives = []
    for filter in filters:
        found = [_term(name, value, parameters) for name, value in filter.items()]
        alternatives.append(f"({' AND '.join(found)})")
    if alternatives:
        terms.append(f"({' OR '.join(alternatives)})")
    rows = list(db.execute(f"SELECT cid, seq FROM dwn_message WHERE {' AND '.join(terms)} ORDER BY seq", parameters))
    if not rows:
        return [], None
    cid, seq = rows[-1]
    return [cid for cid, _ in rows], {"messageCid": cid, "value": f"{store.identity}-{seq:016d}"}


def _term(name: str, value: Any, parameters: list[Any]) -> str:
    if name == "interface":
        return _METHODS[value]
    if name == "messageTimestamp":
        terms = []
        for bound, operator in (("from", ">="), ("to", "<")):
            if bound in value:
                terms.append(f"message_timestamp {operator} ?")
                parameters.append(value[bound])
        return " AND ".join(terms)
    parameters.append(value)
    return f"{name} = ?"


def _position(store: Store, cursor: Cursor | None) -> int:
    """Where to go on. A cursor of another store, such as one that was here before this one, starts at the beginning:
    else whoever syncs by it would silently miss messages."""
    value = cursor["value"] if cursor else None
    if isinstance(value, str):
        identity, _, seq = value.partition("-")
        if identity == store.identity and seq.isdecimal():
            return int(seq)
    return 0
