"""Filters: which records, and which messages of any kind, are meant (`records-filter.json`, `messages-filter.json`)."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, Field, PlainValidator, with_config
from typing_extensions import TypedDict

from web5.dwn.messages import rules
from web5.dwn.messages.shapes import CLOSED, DateRange, Did, Number


@with_config(CLOSED)
class _NumberRange(TypedDict):
    gt: NotRequired[Number]
    gte: NotRequired[Number]
    lt: NotRequired[Number]
    lte: NotRequired[Number]


@with_config(CLOSED)
class _RecordsFilter(TypedDict):
    protocol: NotRequired[str]
    protocolPath: NotRequired[str]
    author: NotRequired[Did | list[Did]]
    attester: NotRequired[Did]
    recipient: NotRequired[Did | list[Did]]
    contextId: NotRequired[str]
    schema: NotRequired[str]
    tags: NotRequired[Annotated[dict[str, Annotated[Any, PlainValidator(rules.tag_filter)]], Field(min_length=1)]]
    recordId: NotRequired[str]
    parentId: NotRequired[str]
    published: NotRequired[bool]
    dataFormat: NotRequired[str]
    dataSize: NotRequired[Annotated[_NumberRange, AfterValidator(rules.range_bounds)]]
    dataCid: NotRequired[str]
    dateCreated: NotRequired[DateRange]
    datePublished: NotRequired[DateRange]
    dateUpdated: NotRequired[DateRange]


RecordsFilter = Annotated[_RecordsFilter, AfterValidator(rules.publication_filter)]


@with_config(CLOSED)
class _MessagesFilter(TypedDict):
    interface: NotRequired[Literal["Protocols", "Records"]]
    method: NotRequired[Literal["Configure", "Delete", "Write"]]
    protocol: NotRequired[str]
    messageTimestamp: NotRequired[DateRange]


MessagesFilter = Annotated[_MessagesFilter, AfterValidator(rules.not_empty)]
