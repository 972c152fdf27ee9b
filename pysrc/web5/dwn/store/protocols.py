"""Queries for the rules of protocols: configurations, the ancestors of records, role records, descendants.

Each statement names its index, because SQLite would guess another that fits on paper and scans a protocol in truth.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from typing import Any, NamedTuple

from web5.dwn.contexts import END_OF_SEGMENT
from web5.dwn.store.store import Store, parse_stored
from web5.dwn.types import Message

_BELOW = """
    WITH RECURSIVE below(id) AS (
        SELECT record_id FROM dwn_message WHERE tenant = ?1 AND parent_id = ?2 AND initial = 1
        UNION
        SELECT record_id FROM dwn_message, below WHERE tenant = ?1 AND parent_id = below.id AND initial = 1
    )
    SELECT id FROM below
"""


class RecordLink(NamedTuple):
    """The properties of a record that rules are about. `author` is None where that is the tenant."""

    record_id: str
    parent_id: str | None
    protocol_path: str | None
    context_id: str | None
    recipient: str | None
    author: str | None


class Configuration(NamedTuple):
    """A stored ProtocolsConfigure message."""

    cid: str
    message_timestamp: str
    body: str

    @property
    def message(self) -> Message:
        return parse_stored(self.body, self.cid)


def configured(store: Store, tenant: int, protocol: str) -> str | None:
    """Return the CID of the protocol's newest ProtocolsConfigure."""
    row = store.connection.execute(
        "SELECT cid FROM dwn_message INDEXED BY dwn_by_configured"
        " WHERE tenant = ? AND protocol = ? AND method = 'Configure'",
        (tenant, protocol),
    ).fetchone()
    return row[0] if row else None


def configurations(
    store: Store, tenant: int, *, protocol: str | None, published_only: bool
) -> Generator[Configuration, None, None]:
    """Give ProtocolsConfigure messages, of one protocol if it is given, oldest first."""
    condition = (" AND protocol = ?" if protocol is not None else "") + (" AND published" if published_only else "")
    rows = store.connection.execute(
        "SELECT cid, message_timestamp, message FROM dwn_message INDEXED BY dwn_by_configured"
        f" WHERE tenant = ? AND method = 'Configure'{condition} ORDER BY message_timestamp, cid",
        (tenant,) if protocol is None else (tenant, protocol),
    )
    with closing(rows):
        yield from (Configuration(*row) for row in rows)


_LINK = (
    "SELECT record_id, parent_id, protocol_path, context_id, recipient, guest FROM dwn_message INDEXED BY dwn_by_record"
    " WHERE tenant = ? AND record_id = ?"
)


def link(store: Store, tenant: int, record_id: str) -> RecordLink | None:
    row = store.connection.execute(f"{_LINK} AND initial = 1", (tenant, record_id)).fetchone()
    return RecordLink(*row) if row else None


def parent(store: Store, tenant: int, protocol: str, record_id: str) -> RecordLink | None:
    """Return a record that others of the protocol can be written under: not deleted, and not without data."""
    condition = "latest = 1 AND method = 'Write' AND protocol = ?"
    row = store.connection.execute(f"{_LINK} AND {condition}", (tenant, record_id, protocol)).fetchone()
    return RecordLink(*row) if row else None


def role_records(
    store: Store, tenant: int, *, protocol: str, protocol_path: str, recipient: str, context: str | None
) -> list[str]:
    """Return the IDs of a recipient's role records; only those within a context, if it is given."""
    terms = ""
    values: list[Any] = [tenant, recipient, protocol, protocol_path]
    if context:
        terms = " AND context_id >= ? AND context_id < ?"
        values += [f"{context}/", context + END_OF_SEGMENT]
    rows = store.connection.execute(
        "SELECT record_id FROM dwn_message INDEXED BY dwn_by_role"
        " WHERE tenant = ? AND recipient = ? AND protocol = ? AND protocol_path = ?"
        f" AND latest = 1 AND method = 'Write'{terms}",
        values,
    )
    return [record_id for (record_id,) in rows]


def purge_descendants(store: Store, tenant: int, record_id: str) -> list[str]:
    """Forget everything that was written below a record, and return the keys of the blobs to delete."""
    descendants: list[str] = [one for (one,) in store.connection.execute(_BELOW, (tenant, record_id))]
    return [key for descendant in descendants for key in store.purge(tenant, descendant)]
