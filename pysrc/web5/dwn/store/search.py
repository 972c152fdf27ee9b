"""SQL for the terms of filters, over the records and over the event log, with the index that each statement uses.

What a query of records costs must not grow with the tenant, and SQLite, which knows nothing of the data, would guess:

1. What must equal one value (a record, a parent, a person, a tag) is rare: the first such term leads.
2. Else a range or a list (persons, a context, tags, dates) leads if it is narrow, which is tried out.
3. Else rows are walked in the order that is asked for, within a schema or a protocol if the filter has one.

The text of a statement depends only on which properties a filter has, so that SQLite keeps it prepared.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from heapq import merge
from itertools import chain
from math import inf
from typing import Any, NamedTuple

import apsw

from web5.dwn.store.store import Store
from web5.dwn.store.terms import Filter, Term, message_terms

Condition = tuple[str, tuple[Any, ...]]
Cursor = Mapping[str, Any]

NARROW = 500
"""Rows. As many as are read and sorted in about the time in which ten times as many index entries are walked."""

_EVERYTHING = 2**62
"""Any limit above this means the same, and SQLite holds no number that is much larger."""

_DIGITS = 18
"""Of a sequence number, at the most."""

_CID_BYTES = 62
"""A message's CID in JSON, with quotes and a comma."""

_LEADS = {
    "record_id": "dwn_by_record",
    "parent_id": "dwn_by_parent",
    "guest": "dwn_by_guest",
    "recipient": "dwn_by_recipient",
    "attester": "dwn_by_attester",
    "context_id": "dwn_by_context",
    "message_timestamp": "dwn_by_updated",
}
"""Columns that can lead, the rarest first, with their indexes."""

_WHOLE = frozenset({"record_id", "parent_id", "message_timestamp"})
"""Terms whose indexes hold all rows, not just the latest states."""

_WALKS = {"schema": "dwn_by_schema", "protocol": "dwn_by_protocol"}
"""Columns with an index in the order of creation for each value."""

SORTS = {
    "createdAscending": ("date_created", "ASC"),
    "createdDescending": ("date_created", "DESC"),
    "publishedAscending": ("date_published", "ASC"),
    "publishedDescending": ("date_published", "DESC"),
}
DEFAULT_SORT = "createdAscending"


_FEW_OF_METHOD: dict[Any, str] = {
    (("=", "Delete"),): "dwn_deletes",
    (("=", "Configure"),): "dwn_by_configured",
    (("in", ("Configure",)),): "dwn_by_configured",
}
"""Tests of the method that find few messages, with their indexes."""

_LITERAL = {True: "1", False: "0", "Write": "'Write'", "Delete": "'Delete'", "Configure": "'Configure'"}
_LITERAL_COLUMNS = frozenset({"published", "method"})
"""Partial indexes are about their values, and SQLite uses one only where the statement itself says the value."""


class Found(NamedTuple):
    """A message that a query found, with the `value` of the property it is sorted by."""

    cid: str
    record_id: str
    method: str
    initial: bool
    value: str
    body: str
    data: bytes | None


class _Query(NamedTuple):
    tenant: int
    method: str | None
    column: str
    direction: str
    after: tuple[str, str] | None
    limit: int | None


def search(
    db: apsw.Connection,
    tenant: int,
    alternatives: Sequence[Sequence[Term]],
    *,
    method: str | None = None,
    sort: tuple[str, str] = SORTS[DEFAULT_SORT],
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> Generator[Found, None, None]:
    """Give the latest states of records that fulfil all terms of one of the alternatives, in order; ties by CID.

    Rows are read as they are taken: whoever stops early closes the generator.

    Parameters:
        method: only messages of this method; without one they come in no order, for callers that want one record.
        after: the value of the sort property and the CID of the last message to leave out.
    """
    query = _Query(tenant, method, *sort, after, None if limit is None else min(limit, _EVERYTHING))
    if len(alternatives) == 1:
        yield from _find(db, query, alternatives[0])
        return
    with ExitStack() as stack:
        parts = [stack.enter_context(closing(_find(db, query, terms))) for terms in alternatives]
        merged: Iterable[Found] = chain.from_iterable(parts)
        if method is not None:
            merged = merge(*parts, key=lambda found: (found.value, found.cid), reverse=query.direction == "DESC")
        given: set[str] = set()
        for found in merged:
            if len(given) == query.limit:
                return
            if found.cid not in given:
                given.add(found.cid)
                yield found


def _find(db: apsw.Connection, query: _Query, terms: Sequence[Term]) -> Generator[Found, None, None]:
    lead = _lead(db, query, terms)
    where, key = ["tenant = ?", "latest = 1"], query.column
    values: list[Any] = [query.tenant]
    if query.method is not None:
        where.append(f"method = '{query.method}'")
    if lead is None:
        source = f"dwn_message INDEXED BY {_walk(query, terms)}"
    elif not lead.is_tag:
        source = f"dwn_message INDEXED BY {_LEADS[lead.name]}"
    elif _is_equal(lead):
        # The index of tags is in the order of creation too.
        source = "dwn_tag CROSS JOIN dwn_message NOT INDEXED ON seq = tagged"
        text, more = _tag_condition(lead)
        where += ["tag_tenant = ?1", text]
        values.extend(more)
        terms = [term for term in terms if term is not lead]
        key = "tag_created" if key == "date_created" else key
    else:
        source = "dwn_message NOT INDEXED"
    _add_conditions(terms, where, values)
    if query.after is not None:
        where.append(f"({key}, cid) {'>' if query.direction == 'ASC' else '<'} (?, ?)")
        values.extend(query.after)
    order = f" ORDER BY {key} {query.direction}, cid {query.direction}" if query.method is not None else ""
    limit = ""
    if query.limit is not None:
        limit = " LIMIT ?"
        values.append(query.limit)
    rows = db.execute(
        f"SELECT cid, record_id, method, initial, {query.column}, message, data FROM {source}"
        f" WHERE {' AND '.join(where)}{order}{limit}",
        values,
    )
    with closing(rows):
        yield from map(Found._make, rows)


def _lead(db: apsw.Connection, query: _Query, terms: Sequence[Term]) -> Term | None:
    """Return a term that finds few rows, or None."""
    ranks = list(_LEADS)
    able = sorted(filter(_can_lead, terms), key=lambda term: len(ranks) if term.is_tag else ranks.index(term.name))
    equal = next((term for term in able if _is_equal(term)), None)
    if equal is not None:
        return equal
    return next((term for term in able if _is_narrow(db, query.tenant, term)), None)


def _can_lead(term: Term) -> bool:
    # Among the authors, None is the tenant, who made most of the messages.
    return term.is_tag or (term.name in _LEADS and not any(test == "in" and None in one for test, one in term.tests))


def _is_equal(term: Term) -> bool:
    return all(test == "=" for test, _ in term.tests)


def _is_narrow(db: apsw.Connection, tenant: int, term: Term) -> bool:
    if term.is_tag:
        text, values = _tag_condition(term)
        source = f"dwn_tag WHERE tag_tenant = ? AND {text}"
    else:
        text, values = _condition(term)
        source = f"dwn_message INDEXED BY {_LEADS[term.name]} WHERE tenant = ? AND {text}"
        if term.name not in _WHOLE:
            source += " AND latest = 1"
    query = f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT {NARROW}) AS few"
    counted = db.execute(query, (tenant, *values)).fetchone()
    assert counted is not None
    return bool(counted[0] < NARROW)


def _walk(query: _Query, terms: Iterable[Term]) -> str:
    if query.column == "date_published":
        return "dwn_by_published"
    named = {term.name for term in terms if not term.is_tag and _is_equal(term)}
    return next((index for column, index in _WALKS.items() if column in named), "dwn_by_created")


def query_events(
    store: Store, tenant: str, filters: Sequence[Filter], cursor: Cursor | None, room: float = inf
) -> tuple[list[str], Cursor | None]:
    """Return the CIDs in a tenant's event log after a cursor that one of the filters finds, and the next cursor.

    Parameters:
        room: the bytes of JSON that they may have.
    """
    most = None if room == inf else max(1, int(room) // _CID_BYTES)
    number, after = store.tenant(tenant), position(store, cursor)
    found: dict[int, str] = {}
    for terms in dict.fromkeys(map(tuple, message_terms(filters))):
        found |= _find_events(store.connection, number, after, terms, most)
    if not found:
        return [], None
    order = sorted(found)[:most]
    last = order[-1]
    return [found[seq] for seq in order], cursor_at(store, last, found[last])


def page_of_log(
    store: Store, tenant: str, *, method: str | None, cursor: Cursor | None, limit: int, newest_first: bool
) -> tuple[list[tuple[str, str]], Cursor | None]:
    """Return the CIDs and the stored texts of some messages of a tenant's event log, and the cursor of what follows.

    Parameters:
        method: only messages of this method, as `dwn_message` has it.
        cursor: that of the page before, of the same store and in the same order.
    """
    number, after = store.tenant(tenant), position(store, cursor)
    where, values = ["tenant = ?", "method <> 'Superseded'"], [number]
    if after:
        where.append("seq < ?" if newest_first else "seq > ?")
        values.append(after)
    if method is not None:
        where.append(f"method = {_LITERAL[method]}")
    index = {"Delete": "dwn_deletes", "Configure": "dwn_by_configured"}.get(method or "", "dwn_by_tenant")
    found: list[tuple[Any, ...]] = store.connection.execute(
        f"SELECT seq, cid, message FROM dwn_message INDEXED BY {index} WHERE {' AND '.join(where)}"
        f" ORDER BY seq {'DESC' if newest_first else 'ASC'} LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    page = found[:limit]
    following = cursor_at(store, page[-1][0], page[-1][1]) if len(found) > limit else None
    return [(cid, body) for _, cid, body in page], following


def _find_events(
    db: apsw.Connection, tenant: int, after: int, terms: Sequence[Term], most: int | None
) -> dict[int, str]:
    where = ["tenant = ?", "seq > ?", "method <> 'Superseded'"]
    values: list[Any] = [tenant, after]
    _add_conditions(terms, where, values)
    # What came after a cursor is little; from the beginning, the index of what the filter asks for finds less.
    source = "INDEXED BY dwn_by_tenant" if after else _log_index(terms)
    limit = "" if most is None else f" ORDER BY seq LIMIT {most}"
    return dict(db.execute(f"SELECT seq, cid FROM dwn_message {source} WHERE {' AND '.join(where)}{limit}", values))


def _log_index(terms: Sequence[Term]) -> str:
    named = {term.name: term for term in terms if not term.is_tag}
    if any(term.is_tag for term in terms):
        return "NOT INDEXED"  # the tags say which rows
    if "protocol" in named:
        return "INDEXED BY dwn_by_protocol"
    if "method" in named and named["method"].tests in _FEW_OF_METHOD:
        return f"INDEXED BY {_FEW_OF_METHOD[named['method'].tests]}"
    return "INDEXED BY dwn_by_updated" if "message_timestamp" in named else "INDEXED BY dwn_by_tenant"


def cursor_at(store: Store, seq: int, cid: str) -> Cursor:
    """Return the cursor behind a message of the event log."""
    return {"messageCid": cid, "value": f"{store.identity}-{seq:016d}"}


def position(store: Store, cursor: Cursor | None) -> int:
    """Return the sequence number behind which a cursor stands.

    A cursor of another store, such as one that was here before this one, starts at the beginning: else whoever syncs by
    it would silently miss messages.
    """
    value = cursor["value"] if cursor else None
    if isinstance(value, str):
        identity, _, seq = value.partition("-")
        if identity == store.identity and len(seq) <= _DIGITS and seq.isdecimal():
            return int(seq)
    return 0


def _add_conditions(terms: Iterable[Term], where: list[str], values: list[Any]) -> None:
    for term in terms:
        text, more = _condition(term)
        where.append(text)
        values.extend(more)


def _condition(term: Term) -> Condition:
    """Return a condition on a row of `dwn_message`, in a statement whose first parameter is the tenant."""
    if term.is_tag:
        text, values = _tag_condition(term)
        return f"seq IN (SELECT tagged FROM dwn_tag WHERE tag_tenant = ?1 AND {text})", values
    terms, values = [], ()
    for operator, wanted in term.tests:
        text, value = _test(term.name, operator, wanted)
        terms.append(text)
        values += value
    return " AND ".join(terms), values


def _tag_condition(term: Term) -> Condition:
    """Return a condition on a row of `dwn_tag`."""
    terms = "".join(f" AND value {operator} ?" for operator, _ in term.tests)
    return f"name = ?{terms}", (term.name, *(value for _, value in term.tests))


def _test(column: str, operator: str, wanted: Any) -> Condition:
    if operator == "in":
        return _one_of(column, wanted)
    if column in _LITERAL_COLUMNS:
        return f"{column} {operator} {_LITERAL[wanted]}", ()
    return f"{column} {operator} ?", (wanted,)


def _one_of(column: str, wanted: Sequence[Any]) -> Condition:
    if column in _LITERAL_COLUMNS:
        return f"{column} IN ({', '.join(_LITERAL[value] for value in wanted)})", ()
    if all(value is None for value in wanted):
        return f"{column} IS NULL", ()
    # One parameter however many there are: SQLite takes only so many, and the statement stays the same.
    listed = f"{column} IN (SELECT value FROM json_each(?))"
    values = json.dumps([value for value in wanted if value is not None])
    return (f"({column} IS NULL OR {listed})" if None in wanted else listed), (values,)
