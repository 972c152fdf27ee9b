"""Queries for the rules of protocols: configurations, the ancestors of records, role records, descendants.

Each statement names its index, because SQLite would guess another that fits on paper and scans a protocol in truth.

`at` is the date of a message from the past (`dwn.history`): what ended later is there for it. None: what is there now.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any, NamedTuple

from web5.dwn.permissions import protocol as permissions
from web5.dwn.store.store import MessageRow, Store, parse_stored
from web5.dwn.values.contexts import END_OF_SEGMENT
from web5.dwn.values.types import Message

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

    @property
    def age(self) -> tuple[str, str]:
        """The order of a protocol's versions: the timestamp, then the CID."""
        return self.message_timestamp, self.cid

    @property
    def definition(self) -> Any:
        return self.message["descriptor"]["definition"]


def configured(store: Store, tenant: int, protocol: str) -> str | None:
    """Return the CID of the protocol's newest ProtocolsConfigure."""
    row = store.connection.execute(
        "SELECT cid FROM dwn_message INDEXED BY dwn_by_configured"
        " WHERE tenant = ? AND protocol = ? AND method = 'Configure'",
        (tenant, protocol),
    ).fetchone()
    return row[0] if row else None


def configured_at(store: Store, tenant: int, protocol: str, at: str) -> str | None:
    """Return the CID of the ProtocolsConfigure that was in force then; from before all that are kept, the oldest."""
    known = versions(store, tenant, protocol)
    then = [one for one in known if one.message_timestamp <= at]
    return then[-1].cid if then else known[0].cid if known else None


def configurations(
    store: Store, tenant: int, *, protocol: str | None, published_only: bool
) -> Generator[Configuration, None, None]:
    """Give ProtocolsConfigure messages, of one protocol if it is given, oldest first."""
    condition = (" AND protocol = ?" if protocol is not None else "") + (" AND published = 1" if published_only else "")
    rows = store.connection.execute(
        "SELECT cid, message_timestamp, message FROM dwn_message INDEXED BY dwn_by_configured"
        f" WHERE tenant = ? AND method = 'Configure'{condition} ORDER BY message_timestamp, cid",
        (tenant,) if protocol is None else (tenant, protocol),
    )
    with closing(rows):
        yield from (Configuration(*row) for row in rows)


def versions(store: Store, tenant: int, protocol: str) -> list[Configuration]:
    """Return all ProtocolsConfigure messages of a protocol that are kept, oldest first, the one in force last."""
    rows = store.connection.execute(
        "SELECT cid, message_timestamp, message FROM dwn_message INDEXED BY dwn_superseded"
        " WHERE tenant = ? AND protocol = ? AND method = 'Superseded' ORDER BY message_timestamp, cid",
        (tenant, protocol),
    )
    kept = [Configuration(*row) for row in rows]
    return [*kept, *configurations(store, tenant, protocol=protocol, published_only=False)]


def superseded(store: Store, tenant: int) -> set[str]:
    """Return the CIDs of the ProtocolsConfigure messages that are kept, and not in force any more."""
    query = "SELECT cid FROM dwn_message INDEXED BY dwn_superseded WHERE tenant = ? AND method = 'Superseded'"
    return {cid for (cid,) in store.connection.execute(query, (tenant,))}


def history(store: Store, tenant: int, after: int) -> Iterator[MessageRow]:
    """Give superseded definitions, and the initial writes of grants that ended, in the order of the event log.

    Parameters:
        after: the sequence number behind which to begin.
    """
    ended = (
        "SELECT seq, cid FROM dwn_message INDEXED BY dwn_superseded WHERE tenant = ?1 AND method = 'Superseded'"
        " UNION ALL SELECT seq, cid FROM dwn_message INDEXED BY dwn_by_protocol"
        " WHERE tenant = ?1 AND protocol = ?2 AND latest = 0 AND protocol_path = ?3 AND method = 'Write'"
        " AND data IS NOT NULL"
    )
    values = tenant, permissions.URI, permissions.GRANT
    for _, cid in sorted(row for row in store.connection.execute(ended, values) if row[0] > after):
        row = store.message(tenant, cid)
        assert row is not None
        yield row


_LINK = (
    "SELECT record_id, parent_id, protocol_path, context_id, recipient, guest FROM dwn_message INDEXED BY dwn_by_record"
    " WHERE tenant = ? AND record_id = ?"
)


def link(store: Store, tenant: int, record_id: str) -> RecordLink | None:
    row = store.connection.execute(f"{_LINK} AND initial = 1", (tenant, record_id)).fetchone()
    return RecordLink(*row) if row else None


def parent(store: Store, tenant: int, protocol: str, record_id: str, at: str | None = None) -> RecordLink | None:
    """Return a record that others of the protocol can be written under: not deleted, and not without data.

    Below one that was pruned there never was anything.
    """
    condition, values = "latest = 1 AND method = 'Write' AND protocol = ?", (tenant, record_id, protocol)
    row = store.connection.execute(f"{_LINK} AND {condition}", values).fetchone()
    if row is None and at is not None:
        condition = (
            "latest = 1 AND method = 'Delete' AND protocol = ? AND message_timestamp > ?"
            " AND NOT json_extract(message, '$.descriptor.prune')"
        )
        row = store.connection.execute(f"{_LINK} AND {condition}", (*values, at)).fetchone()
    return RecordLink(*row) if row else None


def role_records(
    store: Store,
    tenant: int,
    *,
    protocol: str,
    protocol_path: str,
    recipient: str,
    context: str | None,
    at: str | None = None,
    since: str | None = None,
) -> list[str]:
    """Return the IDs of a recipient's role records; only those within a context, if it is given.

    Parameters:
        since: only those that were created by then.
    """
    of_context, values = "", [tenant, recipient, protocol, protocol_path]
    if context:
        of_context = " AND context_id >= ? AND context_id < ?"
        values += [f"{context}/", context + END_OF_SEGMENT]
    wanted: list[tuple[str, tuple[str, ...]]] = [("method = 'Write'", ())]
    if at is not None:
        wanted.append(("method = 'Delete' AND message_timestamp > ?", (at,)))
    found: list[str] = []
    for condition, bounds in wanted:
        created = "" if since is None else " AND date_created <= ?"
        rows = store.connection.execute(
            "SELECT record_id FROM dwn_message INDEXED BY dwn_by_role"
            " WHERE tenant = ? AND recipient = ? AND protocol = ? AND protocol_path = ? AND latest = 1"
            f"{of_context} AND {condition}{created}",
            (*values, *bounds, *(() if since is None else (since,))),
        )
        found += [record_id for (record_id,) in rows]
    return found


def purge_descendants(store: Store, tenant: int, record_id: str) -> list[str]:
    """Forget everything that was written below a record, and return the keys of the blobs to delete."""
    descendants: list[str] = [one for (one,) in store.connection.execute(_BELOW, (tenant, record_id))]
    return [key for descendant in descendants for key in store.purge(tenant, descendant)]
