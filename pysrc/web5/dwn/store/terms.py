"""Filters as terms over the columns and tags of the store (`Records.convertFilter`, `Messages.convertFilters`).

The search makes SQL of terms; subscriptions test each message against them as it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from web5.dwn.permissions import protocol as permissions
from web5.dwn.store.schema import same_type, stored_tag
from web5.dwn.values.contexts import END_OF_SEGMENT

Filter = Mapping[str, Any]


class Term(NamedTuple):
    """A condition on a message: one value passes all of the tests.

    Parameters:
        name: a column, or a tag if `is_tag`.
        tests: operators ("=", "<", "<=", ">", ">=" or "in") with what the stored value is compared to.
    """

    name: str
    tests: tuple[tuple[str, Any], ...]
    is_tag: bool = False


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
    "method": "method",
}
_SPANS = {
    "dateCreated": "date_created",
    "datePublished": "date_published",
    "dateUpdated": "message_timestamp",
    "messageTimestamp": "message_timestamp",
    "dataSize": "data_size",
}
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "from": ">=", "to": "<"}
_METHODS = {"Records": ("Write", "Delete"), "Protocols": ("Configure",)}
_END_OF_PREFIX = "\uffff"

PUBLISHED = Term("published", (("=", True),))
UNPUBLISHED = Term("published", (("=", False),))
WRITTEN = Term("published", (("in", (True, False)),))
"""A delete is neither published nor unpublished."""

MAX_TAGS = 10
"""The limit for the tags of a record (`records-write-unidentified.json`)."""

_NOTHING = Term("record_id", (("=", ""),))

OF_RECORDS = Term("method", (("in", _METHODS["Records"]),))


def record_terms(filter: Filter, tenant_did: str, *, asked_by: str | None) -> Iterator[Term]:
    """Give the terms of a records filter that passed its schema; all of them must hold.

    Parameters:
        asked_by: who signed the question. The tenant may ask for any beginning of a context ID, as in the reference;
            for everybody else, segments are whole, or one character would open what they have no role in.
    """
    for name, value in filter.items():
        if name in _EQUAL or name in _SPANS:
            yield _term(name, value)
        elif name == "contextId":
            # The reference takes an empty one for what it is, and any other for a prefix.
            end = _END_OF_PREFIX if asked_by == tenant_did else END_OF_SEGMENT
            prefix = ((">=", value), ("<", value + end))
            yield Term("context_id", prefix if value else (("=", ""),))
        elif name == "recipient" and value != []:
            yield _one_of("recipient", [value] if isinstance(value, str) else value)
        elif name == "author" and value != []:
            yield _author_is([value] if isinstance(value, str) else value, tenant_did)
        elif name == "tags" and len(value) > MAX_TAGS:
            yield _NOTHING
        elif name == "tags":
            for tag, wanted in value.items():
                yield _tag_term(tag, wanted)
    if "datePublished" in filter:
        yield PUBLISHED


def seen_by(
    requester: str | None, tenant_did: str, terms: Sequence[Term], *, has_role: bool = False
) -> list[list[Term]]:
    """Return lists of terms, one of which a message must fulfil to be visible to a requester.

    The tenant sees all messages that fulfil `terms`, and whoever has a role, all writes. Others see what is published,
    by them or for them (`filterAsNonOwner`, `fetchRecordsAsNonOwner`).
    """
    if requester == tenant_did:
        return [[*terms]]
    if has_role:
        return [[*terms, WRITTEN]]
    seen = [] if UNPUBLISHED in terms else [[*terms, PUBLISHED]]
    if requester is not None and PUBLISHED not in terms:
        seen.append([*terms, UNPUBLISHED, _author_is([requester], tenant_did)])
        seen.append([*terms, UNPUBLISHED, _one_of("recipient", [requester])])
    return seen


def message_terms(filters: Sequence[Filter]) -> list[list[Term]]:
    """Return lists of terms, one of which a message must fulfil to match one of some messages filters; none match all.

    Grants, requests and revocations about a protocol carry it in a tag, and are found with the protocol.
    """
    alternatives: list[list[Term]] = []
    for filter in filters:
        alternatives.append(
            [
                _one_of("method", _METHODS[value]) if name == "interface" else _term(name, value)
                for name, value in filter.items()
            ]
        )
        if "protocol" in filter:
            span = [_term("messageTimestamp", filter["messageTimestamp"])] if "messageTimestamp" in filter else []
            tagged = _tag_term("protocol", filter["protocol"])
            alternatives.append([Term("protocol", (("=", permissions.URI),)), tagged, *span])
    return alternatives or [[]]


def _author_is(authors: Sequence[str], tenant_did: str) -> Term:
    # The tenant stands in the column of authors as None.
    return _one_of("guest", [None if author == tenant_did else author for author in authors])


def _tag_term(name: str, wanted: Any) -> Term:
    # `Records.convertTagsFilter`: a tag has, among its values, one that is wanted.
    if not isinstance(wanted, dict):
        return Term(name, (("=", stored_tag(wanted)),), is_tag=True)
    if "startsWith" in wanted:
        prefix = wanted["startsWith"]
        return Term(name, ((">=", stored_tag(prefix)), ("<", stored_tag(prefix + _END_OF_PREFIX))), is_tag=True)
    tests = tuple((_COMPARE[bound], stored_tag(limit)) for bound, limit in wanted.items())
    return Term(name, (*tests, *same_type(tests[0][1])), is_tag=True)  # a range stays within its own type


def _term(name: str, value: Any) -> Term:
    if name in _EQUAL:
        return Term(_EQUAL[name], (("=", value),))
    return Term(_SPANS[name], tuple((_COMPARE[bound], limit) for bound, limit in value.items()))


def _one_of(column: str, values: Sequence[str | None]) -> Term:
    if len(values) == 1 and values[0] is not None:
        return Term(column, (("=", values[0]),))
    return Term(column, (("in", tuple(values)),))
