"""The engine's tables, and the row that holds a message.

A released step of `STEPS` is never edited: add another.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple

from web5.dwn.values.types import Message

SUPERSEDED = "Superseded"
"""The `method` of a ProtocolsConfigure that is kept, and not in force any more."""

STEPS = (
    """
    CREATE TABLE dwn_store (id TEXT NOT NULL);
    INSERT INTO dwn_store VALUES (lower(hex(randomblob(5))));

    CREATE TABLE dwn_tenant (id INTEGER PRIMARY KEY, did TEXT NOT NULL UNIQUE);

    -- Rows in the order of `seq` are the event log: a message and its event live and die together.
    -- `latest` marks the state of a record that queries see (the reference's isLatestBaseState).
    -- `guest` is the author where that is not the tenant: most rows carry no author, and the index holds only guests.
    -- What is immutable in a record stands in the row of its delete too, so that the same filters find it.
    -- A ProtocolsConfigure is no record: it has no `record_id` and no `date_created`, and is never `latest`. One that
    -- is kept for what was written under it has the `method` 'Superseded', and is found by MessagesHistory alone.
    CREATE TABLE dwn_message (
        seq INTEGER PRIMARY KEY,
        tenant INTEGER NOT NULL,
        cid TEXT NOT NULL,
        method TEXT NOT NULL,
        record_id TEXT,
        latest INTEGER NOT NULL,
        initial INTEGER NOT NULL,
        message_timestamp TEXT NOT NULL,
        date_created TEXT,
        published INTEGER,
        date_published TEXT,
        guest TEXT,
        attester TEXT,
        recipient TEXT,
        protocol TEXT,
        protocol_path TEXT,
        context_id TEXT,
        parent_id TEXT,
        schema TEXT,
        data_format TEXT,
        data_cid TEXT,
        data_size NUMERIC,
        message TEXT NOT NULL,
        data BLOB
    );
    CREATE UNIQUE INDEX dwn_by_cid ON dwn_message (tenant, cid);
    CREATE INDEX dwn_by_record ON dwn_message (tenant, record_id);
    CREATE INDEX dwn_by_tenant ON dwn_message (tenant, seq);
    CREATE INDEX dwn_by_updated ON dwn_message (tenant, message_timestamp);
    CREATE INDEX dwn_deletes ON dwn_message (tenant) WHERE method = 'Delete';
    CREATE UNIQUE INDEX dwn_by_configured ON dwn_message (tenant, protocol) WHERE method = 'Configure';
    CREATE INDEX dwn_superseded ON dwn_message (tenant, protocol, message_timestamp, cid) WHERE method = 'Superseded';

    -- Those with a date and a CID behind their column give rows in the order of creation; `published` stands last so
    -- that those who may see only that need not look at every row.
    CREATE INDEX dwn_by_created ON dwn_message (tenant, method, date_created, cid, published) WHERE latest = 1;
    CREATE INDEX dwn_by_published ON dwn_message (tenant, date_published, cid) WHERE latest = 1 AND published = 1;
    CREATE INDEX dwn_by_schema ON dwn_message (tenant, schema, method, date_created, cid, published)
        WHERE latest = 1 AND schema IS NOT NULL;
    CREATE INDEX dwn_by_protocol ON dwn_message
        (tenant, protocol, latest, protocol_path, method, date_created, cid, published) WHERE protocol IS NOT NULL;
    CREATE INDEX dwn_by_context ON dwn_message (tenant, context_id, method, date_created, cid)
        WHERE latest = 1 AND context_id IS NOT NULL;
    CREATE INDEX dwn_by_parent ON dwn_message (tenant, parent_id, latest, method, date_created, cid)
        WHERE parent_id IS NOT NULL;
    CREATE INDEX dwn_by_role ON dwn_message (tenant, recipient, protocol, protocol_path, method, context_id)
        WHERE latest = 1 AND protocol IS NOT NULL;
    CREATE INDEX dwn_by_recipient ON dwn_message (tenant, recipient, method, date_created, cid)
        WHERE latest = 1 AND recipient IS NOT NULL;
    CREATE INDEX dwn_by_guest ON dwn_message (tenant, guest, method, date_created, cid)
        WHERE latest = 1 AND guest IS NOT NULL;
    CREATE INDEX dwn_by_attester ON dwn_message (tenant, attester, method, date_created, cid)
        WHERE latest = 1 AND attester IS NOT NULL;

    -- Tags of the latest states. A value is stored as bytes that sort as JavaScript compares it (`stored_tag`).
    CREATE TABLE dwn_tag (
        tag_tenant INTEGER NOT NULL,
        name TEXT NOT NULL,
        value BLOB NOT NULL,
        tag_created TEXT NOT NULL,
        tagged INTEGER NOT NULL,
        PRIMARY KEY (tag_tenant, name, value, tag_created, tagged)
    ) WITHOUT ROWID;
    CREATE INDEX dwn_tag_by_message ON dwn_tag (tagged);

    -- Data that is too large to lie with its message.
    CREATE TABLE dwn_blob (
        tenant INTEGER NOT NULL,
        record_id TEXT NOT NULL,
        data_cid TEXT NOT NULL,
        size INTEGER NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (tenant, record_id, data_cid)
    ) WITHOUT ROWID;
    """,
)


class Columns(NamedTuple):
    """A row of `dwn_message`, but for its `seq`: the values that a message is found by, as stored, and the message."""

    tenant: int
    cid: str
    method: str
    record_id: str | None
    latest: bool
    initial: bool
    message_timestamp: str
    date_created: str | None
    published: bool | None
    date_published: str | None
    guest: str | None
    attester: str | None
    recipient: str | None
    protocol: str | None
    protocol_path: str | None
    context_id: str | None
    parent_id: str | None
    schema: str | None
    data_format: str | None
    data_cid: str | None
    data_size: float | None
    message: str
    data: bytes | None


def columns_of(
    tenant: int,
    did: str,
    cid: str,
    message: Message,
    author: str,
    record: Message,
    *,
    latest: bool = False,
    initial: bool = False,
    attester: str | None = None,
    data: bytes | None = None,
) -> Columns:
    """Return the row of a message.

    Parameters:
        did: the tenant's DID.
        author: the logical author, who is the grantor where a delegate signed.
        record: a RecordsWrite of the record that the message is about, for what all of its messages have in common.
            A ProtocolsConfigure has its definition in the place of such a descriptor.
    """
    descriptor, common = message["descriptor"], record["descriptor"]
    return Columns(
        tenant,
        cid,
        descriptor["method"],
        record.get("recordId"),
        latest,
        initial,
        descriptor["messageTimestamp"],
        common.get("dateCreated"),
        None if descriptor["method"] == "Delete" else common.get("published", False),
        descriptor.get("datePublished"),
        None if author == did else author,
        attester,
        common.get("recipient"),
        common.get("protocol"),
        common.get("protocolPath"),
        record.get("contextId"),
        common.get("parentId"),
        common.get("schema"),
        descriptor.get("dataFormat"),
        descriptor.get("dataCid"),
        descriptor.get("dataSize"),
        encode_message(message),
        data,
    )


encode_message = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
"""Made once: `json.dumps` makes one a call."""


def tag_values(message: Message) -> Iterator[tuple[str, Any]]:
    """Give the names and stored values of a write's tags; a list gives one for each of its items."""
    for name, value in message["descriptor"].get("tags", {}).items():
        for item in value if isinstance(value, list) else (value,):
            yield name, stored_tag(item)


_NUMBER, _BOOLEAN, _TEXT = b"\x01", b"\x02", b"\x03"
_SIGN = 1 << 63


def stored_tag(value: str | int | float | bool) -> bytes:
    """Return a tag's value as stored: bytes that begin with its type, and compare as the values do in JavaScript."""
    if isinstance(value, bool):
        return _BOOLEAN + (b"true" if value else b"false")
    if isinstance(value, str):
        return _TEXT + value.encode("utf-16-be")
    bits = int.from_bytes(struct.pack(">d", value + 0.0), "big")  # no -0.0
    return _NUMBER + (bits ^ (2 * _SIGN - 1 if bits & _SIGN else _SIGN)).to_bytes(8, "big")


def same_type(stored: bytes) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """Return the tests that the stored values of a tag's type pass, and no others."""
    kind = stored[:1]
    return (">=", kind), ("<", bytes([kind[0] + 1]))
