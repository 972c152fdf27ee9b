"""From the terms of a filter to SQL that uses the indexes.

The text of a statement depends only on which properties a filter has, so that SQLite keeps it prepared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from .terms import Filter, Term, record_terms

Condition = tuple[str, tuple[Any, ...]]

_EVERYTHING = 2**62
"""Any limit above this means the same, and SQLite holds no number that is much larger."""

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


def conditions(filter: Filter, tenant_did: str) -> Iterator[Condition]:
    """What a row must fulfil to be found by a records filter that passed its schema."""
    return map(condition, record_terms(filter, tenant_did))


def condition(term: Term) -> Condition:
    """A term in SQL, about a row of `dwn_message` whose tenant is the statement's first parameter."""
    if term.is_tag:
        return _tag_condition(term)
    terms, values = [], []
    for operator, wanted in term.tests:
        if operator == "in":
            terms.append(_one_of(term.name, wanted))
            values.append(json.dumps([value for value in wanted if value is not None]))
        else:
            terms.append(f"{term.name} {operator} ?")
            values.append(wanted)
    return " AND ".join(terms), tuple(values)


def visible_to(requester: str | None) -> Condition:
    """What someone other than the tenant may see without a protocol or a grant (`fetchRecordsAsNonOwner`)."""
    if requester is None:
        return "published = 1", ()
    return "(published = 1 OR guest = ? OR recipient = ?)", (requester, requester)


def search(
    db: apsw.Connection,
    tenant: int,
    wanted: Sequence[Condition],
    *,
    method: str | None = None,
    sort: tuple[str, str] = ("message_timestamp", "ASC"),
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[Found]:
    """The latest states of records that fulfil all conditions, in order; ties by CID.

    Parameters:
        method: only messages of this method.
        after: the value of the sort property and the CID of a message; those up to it are left out.
        limit: the most messages to give.
    """
    column, direction = sort
    terms = ["tenant = ?", "latest = 1"]
    parameters: list[Any] = [tenant]
    if method is not None:
        terms.append("method = ?")
        parameters.append(method)
    for term, values in wanted:
        terms.append(term)
        parameters.extend(values)
    if after is not None:
        terms.append(f"({column}, cid) {'>' if direction == 'ASC' else '<'} (?, ?)")
        parameters.extend(after)
    sql = (
        f"SELECT cid, record_id, method, initial, {column}, message, data FROM dwn_message"
        f" WHERE {' AND '.join(terms)} ORDER BY {column} {direction}, cid {direction} LIMIT ?"
    )
    most = -1 if limit is None else min(limit, _EVERYTHING)
    return [Found(*row) for row in db.execute(sql, (*parameters, most))]


def _one_of(column: str, wanted: Sequence[Any]) -> str:
    # One parameter however many there are: SQLite takes only so many, and the statement stays the same.
    listed = f"{column} IN (SELECT value FROM json_each(?))"
    return f"({column} IS NULL OR {listed})" if None in wanted else listed


def _tag_condition(term: Term) -> Condition:
    tests = list(term.tests)
    # SQLite sorts numbers before texts before bytes; a range stays within its own type.
    if all(operator != "=" for operator, _ in tests):
        tests.append((">=", b"") if isinstance(tests[0][1], bytes) else ("<", ""))
    terms = " AND ".join(f"value {operator} ?" for operator, _ in tests)
    return (
        f"seq IN (SELECT message FROM dwn_tag WHERE tenant = ?1 AND name = ? AND {terms})",
        (term.name, *(value for _, value in tests)),
    )
