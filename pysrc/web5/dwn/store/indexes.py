"""What a message is found by: the values of its row and its tags (the reference's `constructIndexes`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

Message = Mapping[str, Any]

COLUMNS = (
    "tenant",
    "cid",
    "method",
    "record_id",
    "latest",
    "initial",
    "message_timestamp",
    "date_created",
    "published",
    "date_published",
    "guest",
    "attester",
    "recipient",
    "protocol",
    "protocol_path",
    "context_id",
    "parent_id",
    "schema",
    "data_format",
    "data_cid",
    "data_size",
    "message",
    "data",
)
"""Of a row, in the order in which its values are given."""


def write_columns(
    tenant: int,
    did: str,
    cid: str,
    message: Message,
    *,
    author: str,
    attester: str | None,
    latest: bool,
    initial: bool,
    data: bytes | None,
) -> tuple[Any, ...]:
    """The row of a RecordsWrite, in the order of the store's columns.

    Parameters:
        tenant: the tenant's number.
        did: the tenant's DID.
        author: who made the message, in the reference's sense (behind a delegate, the one who granted).
    """
    descriptor = message["descriptor"]
    return (
        tenant,
        cid,
        "Write",
        message["recordId"],
        latest,
        initial,
        descriptor["messageTimestamp"],
        descriptor["dateCreated"],
        bool(descriptor.get("published")),
        descriptor.get("datePublished"),
        None if author == did else author,
        attester,
        *_immutable(message),
        descriptor["dataFormat"],
        descriptor["dataCid"],
        descriptor["dataSize"],
        _text(message),
        data,
    )


def delete_columns(
    tenant: int, did: str, cid: str, message: Message, *, author: str, initial_write: Message
) -> tuple[Any, ...]:
    """The row of a RecordsDelete, with what is immutable in the record that it deletes."""
    descriptor = message["descriptor"]
    return (
        tenant,
        cid,
        "Delete",
        descriptor["recordId"],
        True,
        False,
        descriptor["messageTimestamp"],
        initial_write["descriptor"]["dateCreated"],
        None,
        None,
        None if author == did else author,
        None,
        *_immutable(initial_write),
        None,
        None,
        None,
        _text(message),
        None,
    )


def configure_columns(tenant: int, did: str, cid: str, message: Message, *, author: str) -> tuple[Any, ...]:
    """The row of a ProtocolsConfigure, which is found by its protocol and by whether that is published."""
    descriptor = message["descriptor"]
    definition = descriptor["definition"]
    immutable = (None, definition["protocol"], None, None, None, None)
    return (
        tenant,
        cid,
        "Configure",
        None,
        False,
        False,
        descriptor["messageTimestamp"],
        None,
        definition["published"],
        None,
        None if author == did else author,
        None,
        *immutable,
        None,
        None,
        None,
        _text(message),
        None,
    )


def tag_values(message: Message) -> Iterator[tuple[str, Any]]:
    """Names and stored values of a write's tags; a list gives one for each of its items."""
    for name, value in message["descriptor"].get("tags", {}).items():
        for item in value if isinstance(value, list) else (value,):
            yield name, stored_tag(item)


def stored_tag(value: str | int | float | bool) -> bytes | str | int | float:
    """How a tag's value is stored, so that texts, numbers and booleans compare as in JavaScript, and never mix."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.encode("utf-16-be") if isinstance(value, str) else value


def _immutable(write: Message) -> tuple[Any, ...]:
    descriptor = write["descriptor"]
    return (
        descriptor.get("recipient"),
        descriptor.get("protocol"),
        descriptor.get("protocolPath"),
        write.get("contextId"),
        descriptor.get("parentId"),
        descriptor.get("schema"),
    )


def _text(message: Message) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
