"""Filters of records, as an app gives them and as the wire has them (`RecordsFilter` of dwn-sdk-js)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from pydantic.alias_generators import to_camel

from web5.api import arguments
from web5.api.arguments import shown
from web5.errors import InvalidArgument

Span = Mapping[str, Any]
"""A range: `{"from": …, "to": …}`, or only one of them; of dates, datetimes. The end is not in it."""


class RecordFilter(TypedDict, total=False):
    """The filters of a question; what is left out, or None, narrows nothing.

    Parameters:
        attester, author, recipient: DIDs; of the latter two, a list means any of them.
        context_id: a context and all within it.
        data_cid, data_format, protocol, protocol_path, schema, record_id, parent_id: exactly this.
        data_size: a range: `{"gt": …, "gte": …, "lt": …, "lte": …}`.
        date_created, date_published, date_updated: ranges of dates: `{"from": …, "to": …}`.
        published: True or False.
        tags: by name: a value, a range as of `data_size`, or `{"startsWith": …}`.
    """

    attester: str | None
    author: str | Sequence[str] | None
    context_id: str | None
    data_cid: str | None
    data_format: str | None
    data_size: Mapping[str, int] | None
    date_created: Span | None
    date_published: Span | None
    date_updated: Span | None
    parent_id: str | None
    protocol: str | None
    protocol_path: str | None
    published: bool | None
    recipient: str | Sequence[str] | None
    record_id: str | None
    schema: str | None
    tags: Mapping[str, Any] | None


FILTERS = tuple(sorted(RecordFilter.__optional_keys__))

EVERYTHING: dict[str, Any] = {"dateCreated": {"from": "0000-01-01T00:00:00.000000Z"}}
"""A filter that every record passes: the wire wants at least one."""

_BOUNDS = ("gt", "gte", "lt", "lte")


def records_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the wire's filter; properties that are None are left out.

    Raises:
        InvalidArgument: there is no such filter, or its value cannot be one.
    """
    if unknown := sorted(given.keys() - RecordFilter.__optional_keys__):
        raise arguments.unknown_name("filter", unknown[0], FILTERS)
    return {to_camel(name): _CHECKS[name](name, value) for name, value in given.items() if value is not None}


def _dids(name: str, value: object) -> object:
    if isinstance(value, str):
        return arguments.did(name, value)
    return [arguments.did(name, one) for one in arguments.texts(name, value)]


def _dates(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value or value.keys() - {"from", "to"}:
        raise InvalidArgument(f'{name}={shown(value)} has to be a range of dates: {{"from": …, "to": …}}.')
    found = {bound: arguments.date(f"{name}[{bound!r}]", one) for bound, one in value.items()}
    return {bound: one for bound, one in found.items() if one is not None}


def _sizes(name: str, value: object) -> dict[str, int]:
    if not isinstance(value, Mapping) or not value or value.keys() - set(_BOUNDS):
        raise InvalidArgument(f'{name}={shown(value)} has to be a range, such as {{"gte": 1000, "lt": 2000}}.')
    return dict(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise InvalidArgument(f"{name}={shown(value)} has to be True or False.")
    return value


def _tags(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidArgument(f"{name}={shown(value)} has to be a mapping of names to values.")
    return dict(value)


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    **dict.fromkeys(FILTERS, arguments.text),
    **dict.fromkeys(("author", "recipient"), _dids),
    **dict.fromkeys(("date_created", "date_published", "date_updated"), _dates),
    "attester": arguments.did,
    "data_size": _sizes,
    "published": _flag,
    "tags": _tags,
}
