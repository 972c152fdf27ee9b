"""The event log with filters and cursors (`src/event-log/event-log-level.ts`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from web5.dwn.store.conditions import condition
from web5.dwn.store.store import Store
from web5.dwn.store.terms import Filter, Term, message_terms

Cursor = Mapping[str, Any]

_FEW: dict[Any, str] = {
    (("=", "Delete"),): "dwn_deletes",
    (("=", "Configure"),): "dwn_by_configured",
    (("in", ("Configure",)),): "dwn_by_configured",
}
"""Methods of which a log has few messages, with their indexes."""


def query_events(
    store: Store, db: apsw.Connection, tenant: str, filters: Sequence[Filter], cursor: Cursor | None
) -> tuple[list[str], Cursor | None]:
    """CIDs of the messages after a cursor that any of the filters finds (all, without filters), and the next cursor."""
    number, after = store.tenant(tenant), _position(store, cursor)
    alternatives = [terms for filter in filters for terms in message_terms(filter)]
    found: dict[int, str] = {}
    for terms in alternatives or [[]]:
        found |= _find(db, number, after, terms)
    if not found:
        return [], None
    order = sorted(found)
    last = order[-1]
    return [found[seq] for seq in order], {"messageCid": found[last], "value": f"{store.identity}-{last:016d}"}


def _find(db: apsw.Connection, tenant: int, after: int, terms: Sequence[Term]) -> dict[int, str]:
    where = ["tenant = ?", "seq > ?"]
    parameters: list[Any] = [tenant, after]
    for term in terms:
        text, values = condition(term)
        where.append(text)
        parameters.extend(values)
    # What came after a cursor is little; from the beginning, the index of what the filter asks for finds less.
    source = "INDEXED BY dwn_by_tenant" if after else _source(terms)
    return dict(db.execute(f"SELECT seq, cid FROM dwn_message {source} WHERE {' AND '.join(where)}", parameters))


def _source(terms: Sequence[Term]) -> str:
    named = {term.name: term for term in terms if not term.is_tag}
    if any(term.is_tag for term in terms):
        return "NOT INDEXED"  # the tags say which rows
    if "protocol" in named:
        return "INDEXED BY dwn_by_protocol"
    if "method" in named and named["method"].tests in _FEW:
        return f"INDEXED BY {_FEW[named['method'].tests]}"
    return "INDEXED BY dwn_by_updated" if "message_timestamp" in named else "INDEXED BY dwn_by_tenant"


def _position(store: Store, cursor: Cursor | None) -> int:
    """Where to go on. A cursor of another store, such as one that was here before this one, starts at the beginning:
    else whoever syncs by it would silently miss messages."""
    value = cursor["value"] if cursor else None
    if isinstance(value, str):
        identity, _, seq = value.partition("-")
        if identity == store.identity and seq.isdecimal():
            return int(seq)
    return 0
