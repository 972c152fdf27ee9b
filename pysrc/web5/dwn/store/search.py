"""From a records filter to SQL that uses the indexes (`Records.convertFilter`, `FilterUtility`).

The text of a statement depends only on which properties a filter has, so that SQLite keeps it prepared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import apsw

from .indexes import stored_tag

Filter = Mapping[str, Any]
Condition = tuple[str, tuple[Any, ...]]

_EQUAL = {
    "recordId": "record_id",
    "parentId": "parent_id",
    "protocol": "protocol",
    "protocolPath": "protocol_path",
    "schema": "schema",
    "attester": "attester",
    "dataFormat": "data_format",
    "dataCid": "data_cid",
    "published": "published",
}
_DATES = {"dateCreated": "date_created", "datePublished": "date_published", "dateUpdated": "message_timestamp"}
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_END_OF_PREFIX = "\uffff"
_LOWEST_TEXT_TAG, _ABOVE_NUMBER_TAGS = b"", ""

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
    for name, value in filter.items():
        if name in _EQUAL:
            yield f"{_EQUAL[name]} = ?", (value,)
        elif name in _DATES:
            yield from _dates(_DATES[name], value)
        elif name == "contextId":
            yield _context(value)
        elif name == "dataSize":
            for bound, limit in value.items():
                yield f"data_size {_COMPARE[bound]} ?", (limit,)
        elif name == "recipient" and value != []:
            yield _one_of("recipient", [value] if isinstance(value, str) else value)
        elif name == "author" and value != []:
            yield _author([value] if isinstance(value, str) else value, tenant_did)
        elif name == "tags":
            for tag, wanted in value.items():
                yield _tag(tag, wanted)
    if "datePublished" in filter:
        yield "published = 1", ()


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
    return [Found(*row) for row in db.execute(sql, (*parameters, -1 if limit is None else limit))]


def _dates(column: str, span: Mapping[str, str]) -> Iterator[Condition]:
    if "from" in span:
        yield f"{column} >= ?", (span["from"],)
    if "to" in span:
        yield f"{column} < ?", (span["to"],)


def _context(prefix: str) -> Condition:
    if not prefix:
        return "context_id = ?", ("",)
    return "context_id >= ? AND context_id < ?", (prefix, prefix + _END_OF_PREFIX)


def _one_of(column: str, values: Sequence[str]) -> Condition:
    if len(values) == 1:
        return f"{column} = ?", tuple(values)
    return f"{column} IN ({', '.join('?' * len(values))})", tuple(values)


def _author(authors: Sequence[str], tenant_did: str) -> Condition:
    guests = [author for author in authors if author != tenant_did]
    if not guests:
        return "guest IS NULL", ()
    term, values = _one_of("guest", guests)
    return (term, values) if len(guests) == len(authors) else (f"(guest IS NULL OR {term})", values)


def _tag(name: str, wanted: Any) -> Condition:
    if not isinstance(wanted, dict):
        bounds = [("=", stored_tag(wanted))]
    elif "startsWith" in wanted:
        prefix = wanted["startsWith"]
        bounds = [(">=", stored_tag(prefix)), ("<", stored_tag(prefix + _END_OF_PREFIX))]
    else:
        bounds = [(_COMPARE[bound], stored_tag(limit)) for bound, limit in wanted.items()]
        # SQLite sorts numbers before texts before bytes; a range stays within its own type.
        if isinstance(bounds[0][1], bytes):
            bounds.append((">=", _LOWEST_TEXT_TAG))
        else:
            bounds.append(("<", _ABOVE_NUMBER_TAGS))
    # ?1 is the tenant, always the first parameter of a search.
    terms = " AND ".join(f"value {operator} ?" for operator, _ in bounds)
    return (
        f"seq IN (SELECT message FROM dwn_tag WHERE tenant = ?1 AND name = ? AND {terms})",
        (name, *(value for _, value in bounds)),
    )
