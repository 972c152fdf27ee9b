"""What a filter asks of a message, as terms over the columns and tags that the store keeps.

One reading of the wire's filters (`Records.convertFilter`, `Messages.convertFilters`) for both who need it: the search,
which makes SQL of terms, and subscriptions, which test each message as it comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from web5.dwn.permissions import protocol as permissions
from web5.dwn.store.indexes import stored_tag

Filter = Mapping[str, Any]


class Term(NamedTuple):
    """Something that must hold for a message: one value fulfils all of the tests.

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
}
_COMPARE = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "from": ">=", "to": "<"}
_METHODS = {"Records": ("Write", "Delete"), "Protocols": ("Configure",)}
_END_OF_PREFIX = "\uffff"

PUBLISHED = Term("published", (("=", True),))
UNPUBLISHED = Term("published", (("=", False),))
WRITTEN = Term("published", (("in", (True, False)),))
"""A delete is neither published nor unpublished."""

OF_RECORDS = Term("method", (("in", _METHODS["Records"]),))


def record_terms(filter: Filter, tenant_did: str) -> Iterator[Term]:
    """The terms of a records filter that passed its schema; all of them must hold."""
    for name, value in filter.items():
        if name in _EQUAL:
            yield Term(_EQUAL[name], (("=", value),))
        elif name in _SPANS:
            yield _range(_SPANS[name], value)
        elif name == "contextId":
            # The reference takes an empty one for what it is, and any other for a prefix.
            yield Term("context_id", (("=", ""),)) if not value else _prefix("context_id", value)
        elif name == "dataSize":
            yield _range("data_size", value)
        elif name == "recipient" and value != []:
            yield _one_of("recipient", [value] if isinstance(value, str) else value)
        elif name == "author" and value != []:
            yield author_is([value] if isinstance(value, str) else value, tenant_did)
        elif name == "tags":
            for tag, wanted in value.items():
                yield tag_term(tag, wanted)
    if "datePublished" in filter:
        yield PUBLISHED


def seen_by(
    requester: str | None, tenant_did: str, terms: Sequence[Term], *, has_role: bool = False
) -> list[list[Term]]:
    """Which of the messages that fulfil the terms someone may see: those that fulfil one of these lists of terms.

    The tenant sees all of them, and whoever has a role, all writes. Others see what is published, by them or for them
    (`filterAsNonOwner`, `fetchRecordsAsNonOwner`). The lists may be none, where the reference shows a subscriber
    everything instead.
    """
    if requester == tenant_did:
        return [[*terms]]
    if has_role:
        return [[*terms, WRITTEN]]
    seen = [] if UNPUBLISHED in terms else [[*terms, PUBLISHED]]
    if requester is not None and PUBLISHED not in terms:
        seen.append([*terms, UNPUBLISHED, author_is([requester], tenant_did)])
        seen.append([*terms, UNPUBLISHED, recipient_is(requester)])
    return seen


def message_terms(filter: Filter) -> list[list[Term]]:
    """What finds a message by a messages filter: one of these lists, all of whose terms hold.

    What regulates a protocol goes with the protocol: its grants, requests and revocations carry it in a tag.
    """
    named = [_message_term(name, value) for name, value in filter.items()]
    if "protocol" not in filter:
        return [named]
    span = [_range("message_timestamp", filter["messageTimestamp"])] if "messageTimestamp" in filter else []
    regulating = [Term("protocol", (("=", permissions.URI),)), tag_term("protocol", filter["protocol"]), *span]
    return [named, regulating]


def author_is(authors: Sequence[str], tenant_did: str) -> Term:
    """That one of these is the author; the tenant stands in the column of authors as None."""
    return _one_of("guest", [None if author == tenant_did else author for author in authors])


def recipient_is(recipient: str) -> Term:
    return _one_of("recipient", [recipient])


def tag_term(name: str, wanted: Any) -> Term:
    """That a tag has, among its values, one that is wanted (`Records.convertTagsFilter`)."""
    if not isinstance(wanted, dict):
        return Term(name, (("=", stored_tag(wanted)),), is_tag=True)
    if "startsWith" in wanted:
        prefix = wanted["startsWith"]
        return Term(name, ((">=", stored_tag(prefix)), ("<", stored_tag(prefix + _END_OF_PREFIX))), is_tag=True)
    tests = tuple((_COMPARE[bound], stored_tag(limit)) for bound, limit in wanted.items())
    return Term(name, tests, is_tag=True)


def _message_term(name: str, value: Any) -> Term:
    if name == "interface":
        return _one_of("method", _METHODS[value])
    if name == "messageTimestamp":
        return _range("message_timestamp", value)
    return Term(_EQUAL[name], (("=", value),))


def _range(column: str, span: Mapping[str, Any]) -> Term:
    return Term(column, tuple((_COMPARE[bound], limit) for bound, limit in span.items()))


def _prefix(column: str, prefix: str) -> Term:
    return Term(column, ((">=", prefix), ("<", prefix + _END_OF_PREFIX)))


def _one_of(column: str, values: Sequence[str | None]) -> Term:
    if len(values) == 1 and values[0] is not None:
        return Term(column, (("=", values[0]),))
    return Term(column, (("in", tuple(values)),))
