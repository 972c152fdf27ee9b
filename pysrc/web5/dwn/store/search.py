"""From the terms of a filter to SQL that uses the index that we choose.

What a query costs must not grow with the tenant, and SQLite, which knows nothing of the data, would guess:

1. What must equal one value (a record, a parent, a person, a tag) is rare: the first such term leads.
2. Else a range or a list (persons, a context, tags, dates) leads if it is narrow, which is tried out.
3. Else rows are walked in the order that is asked for, within a schema or a protocol if the filter has one.

The text of a statement depends only on which properties a filter has, so that SQLite keeps it prepared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import apsw

from web5.dwn.store.conditions import condition, tag_condition
from web5.dwn.store.terms import Term

NARROW = 500
"""Rows. As many as are read and sorted in about the time in which ten times as many index entries are walked."""

_EVERYTHING = 2**62
"""Any limit above this means the same, and SQLite holds no number that is much larger."""

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
"""Those whose indexes hold all rows, not just the latest states."""

_WALKS = {"schema": "dwn_by_schema", "protocol": "dwn_by_protocol"}
"""Columns with an index in the order of creation for each value."""

SORTS = {
    "createdAscending": ("date_created", "ASC"),
    "createdDescending": ("date_created", "DESC"),
    "publishedAscending": ("date_published", "ASC"),
    "publishedDescending": ("date_published", "DESC"),
}
DEFAULT_SORT = "createdAscending"


@dataclass(frozen=True, slots=True)
class Found:
    """A message that a query found; `value` is that of the property it is sorted by."""

    cid: str
    record_id: str
    method: str
    initial: bool
    value: str
    body: str
    data: bytes | None


class _Wanted(NamedTuple):
    """What a search is for, but for its terms."""

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
) -> list[Found]:
    """The latest states of records that fulfil all terms of one of the alternatives, in order; ties by CID.

    Parameters:
        method: only messages of this method; without one they come in no order, for those who want a single record.
        sort: one of `SORTS`.
        after: the value of the sort property and the CID of a message; those up to it are left out.
        limit: the most messages to give.
    """
    wanted = _Wanted(tenant, method, *sort, after, None if limit is None else min(limit, _EVERYTHING))
    if len(alternatives) == 1:
        return _find(db, wanted, alternatives[0])
    merged = {found.cid: found for terms in alternatives for found in _find(db, wanted, terms)}
    ordered = sorted(merged.values(), key=lambda found: (found.value, found.cid), reverse=wanted.direction == "DESC")
    return ordered[: wanted.limit]


def _find(db: apsw.Connection, wanted: _Wanted, terms: Sequence[Term]) -> list[Found]:
    lead = _lead(db, wanted, terms)
    where, key = ["tenant = ?", "latest = 1"], wanted.column
    values: list[Any] = [wanted.tenant]
    if wanted.method is not None:
        where.append(f"method = '{wanted.method}'")
    if lead is None:
        source = f"dwn_message INDEXED BY {_walk(wanted, terms)}"
    elif not lead.is_tag:
        source = f"dwn_message INDEXED BY {_LEADS[lead.name]}"
    elif _is_equal(lead):
        # The index of tags is in the order of creation too.
        source = "dwn_tag CROSS JOIN dwn_message NOT INDEXED ON seq = tagged"
        text, more = tag_condition(lead)
        where += ["tag_tenant = ?1", text]
        values.extend(more)
        terms = [term for term in terms if term is not lead]
        key = "tag_created" if key == "date_created" else key
    else:
        source = "dwn_message NOT INDEXED"
    for term in terms:
        text, more = condition(term)
        where.append(text)
        values.extend(more)
    if wanted.after is not None:
        where.append(f"({key}, cid) {'>' if wanted.direction == 'ASC' else '<'} (?, ?)")
        values.extend(wanted.after)
    order = f" ORDER BY {key} {wanted.direction}, cid {wanted.direction}" if wanted.method is not None else ""
    values.append(-1 if wanted.limit is None else wanted.limit)
    rows = db.execute(
        f"SELECT cid, record_id, method, initial, {wanted.column}, message, data FROM {source}"
        f" WHERE {' AND '.join(where)}{order} LIMIT ?",
        values,
    )
    return [Found(*row) for row in rows]


def _lead(db: apsw.Connection, wanted: _Wanted, terms: Sequence[Term]) -> Term | None:
    """The term that finds few rows; None if there is none."""
    able = sorted((term for term in terms if _can_lead(term)), key=_rank)
    equal = next((term for term in able if _is_equal(term)), None)
    if equal is not None:
        return equal
    return next((term for term in able if _is_narrow(db, wanted.tenant, term)), None)


def _can_lead(term: Term) -> bool:
    # Among the authors, None is the tenant, who made most of the messages.
    return term.is_tag or (term.name in _LEADS and not any(test == "in" and None in one for test, one in term.tests))


def _rank(term: Term) -> int:
    return len(_LEADS) if term.is_tag else list(_LEADS).index(term.name)


def _is_equal(term: Term) -> bool:
    return all(test == "=" for test, _ in term.tests)


def _is_narrow(db: apsw.Connection, tenant: int, term: Term) -> bool:
    if term.is_tag:
        text, values = tag_condition(term)
        source = f"dwn_tag WHERE tag_tenant = ? AND {text}"
    else:
        text, values = condition(term)
        source = f"dwn_message INDEXED BY {_LEADS[term.name]} WHERE tenant = ? AND {text}"
        if term.name not in _WHOLE:
            source += " AND latest = 1"
    counted = db.execute(f"SELECT count(*) FROM (SELECT 1 FROM {source} LIMIT {NARROW})", (tenant, *values)).fetchone()
    assert counted is not None
    return bool(counted[0] < NARROW)


def _walk(wanted: _Wanted, terms: Iterable[Term]) -> str:
    """The index to walk in order, or nearly so."""
    if wanted.column == "date_published":
        return "dwn_by_published"
    named = {term.name for term in terms if not term.is_tag and _is_equal(term)}
    return next((index for column, index in _WALKS.items() if column in named), "dwn_by_created")
