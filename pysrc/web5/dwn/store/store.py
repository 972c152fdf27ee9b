"""Messages of all tenants in one SQLite database; every call is synchronous.

Invariants:
1. A record has at most two messages: its initial write, which stays, and its newest; the newest may be the initial. A
   delete is newer than any write, whatever their dates.
2. At most one message of a record is `latest`. None is, if the record is only an initial write that came without data.
3. The event log is the messages in the order of `seq`. A sequence number is never given twice: this process remembers
   the last one from `open` on, since messages are deleted before the one that replaces them gets its number; and
   whatever deletes messages adds a later one in the same transaction, so that the last stays stored; but where all of
   a tenant is erased, nothing that is kept refers to its numbers (`whole.erase`).
   (SQLite's AUTOINCREMENT would do the same for one more page in each flush.)
4. A blob row exists exactly as long as a message of that record that is not superseded names its data.
5. What once allowed a message is kept: superseded definitions, the dates of a deleted record's first and last message,
   and the data of a grant. So what comes late can be judged by what held at its own time (`dwn.history`).

Methods that write run inside the caller's `Database.transaction()`.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from web5.dwn.permissions import protocol as permissions
from web5.dwn.store.database import Database
from web5.dwn.store.schema import STEPS, SUPERSEDED, Columns, encode_message, stored_tag
from web5.dwn.values.timestamps import parse_timestamp
from web5.dwn.values.types import Message
from web5.errors import MessageDamaged
from web5.strict_json import parse_own

_INSERT = (
    f"INSERT INTO dwn_message (seq, {', '.join(Columns._fields)})"
    f" VALUES (max(?, (SELECT coalesce(max(seq), 0) FROM dwn_message)) + 1, {', '.join('?' * len(Columns._fields))})"
)
_SELECT = "SELECT seq, cid, method, record_id, latest, initial, message_timestamp, message, data FROM dwn_message"


@dataclass(slots=True)
class MessageRow:
    """A stored message with its data, if that is small; large data is found by `Store.blob`."""

    seq: int
    cid: str
    method: str
    record_id: str
    latest: bool
    initial: bool
    message_timestamp: str
    body: str
    data: bytes | None

    @property
    def message(self) -> Message:
        return parse_stored(self.body, self.cid)

    @property
    def is_readable(self) -> bool:
        try:
            return bool(self.message)
        except MessageDamaged:
            return False

    @property
    def age(self) -> tuple[str, str]:
        """The order of a record's messages: the timestamp, then the CID."""
        return self.message_timestamp, self.cid


@dataclass(frozen=True, slots=True)
class BlobRow:
    key: str
    size: int


class Store:
    """The engine's tables. `identity` is a random name of the database, a part of cursors."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.connection = database.connection
        self.identity = ""
        self._last_seq = 0

    def open(self) -> None:
        self._database.migrate("dwn", STEPS)
        [(self.identity,)] = self.connection.execute("SELECT id FROM dwn_store")
        self._last_seq = self.last_seq()

    # Reading

    def last_seq(self) -> int:
        """Return the last sequence number that is stored."""
        [(seq,)] = self.connection.execute("SELECT coalesce(max(seq), 0) FROM dwn_message")
        return int(seq)

    def tenant(self, did: str) -> int:
        """Return the tenant's number; 0, which owns nothing, if it never had a message."""
        row = self.connection.execute("SELECT id FROM dwn_tenant WHERE did = ?", (did,)).fetchone()
        return row[0] if row else 0

    def record(self, tenant: int, record_id: str) -> list[MessageRow]:
        """Return the messages of a record, oldest first."""
        found = self.connection.execute(f"{_SELECT} WHERE tenant = ? AND record_id = ?", (tenant, record_id))
        return sorted((MessageRow(*values) for values in found), key=lambda row: (row.method == "Delete", row.age))

    def message(self, tenant: int, cid: str) -> MessageRow | None:
        values = self.connection.execute(f"{_SELECT} WHERE tenant = ? AND cid = ?", (tenant, cid)).fetchone()
        return MessageRow(*values) if values else None

    def initial_write(self, tenant: int, record_id: str) -> Message | None:
        """Return the first write of a record, without its data."""
        found = self.initial_body(tenant, record_id)
        return None if found is None else parse_stored(*found)

    def initial_body(self, tenant: int, record_id: str) -> tuple[str, str] | None:
        """Return the JSON of the first write of a record, and its CID."""
        row: tuple[str, str] | None = self.connection.execute(
            "SELECT message, cid FROM dwn_message INDEXED BY dwn_by_record"
            " WHERE tenant = ? AND record_id = ? AND initial = 1",
            (tenant, record_id),
        ).fetchone()
        return row

    def first_child_date(self, tenant: int, parent_id: str, protocol_path: str) -> str | None:
        """Return the earliest timestamp among the latest states of a record's children of one kind."""
        sql = (
            "SELECT message_timestamp FROM dwn_message"
            " WHERE tenant = ? AND latest = 1 AND parent_id = ? AND protocol_path = ?"
        )
        return min((date for (date,) in self.connection.execute(sql, (tenant, parent_id, protocol_path))), default=None)

    def blob(self, tenant: int, record_id: str, data_cid: str) -> BlobRow | None:
        """Return the blob that holds large data of a record."""
        row = self.connection.execute(
            "SELECT key, size FROM dwn_blob WHERE tenant = ? AND record_id = ? AND data_cid = ?",
            (tenant, record_id, data_cid),
        ).fetchone()
        return BlobRow(*row) if row else None

    def has_blob(self, tenant: int, key: str) -> bool:
        """Return True if a message needs the blob with this key. It looks at all blobs of the tenant."""
        query = "SELECT 1 FROM dwn_blob WHERE tenant = ? AND key = ?"
        return self.connection.execute(query, (tenant, key)).fetchone() is not None

    def large_records(self, tenant: str) -> set[str]:
        """Return the IDs of the tenant's records that have large data."""
        found = self.connection.execute("SELECT record_id FROM dwn_blob WHERE tenant = ?", (self.tenant(tenant),))
        return {record_id for (record_id,) in found}

    def blob_keys(self) -> set[str]:
        """Return the keys of all blobs that a message needs."""
        return {key for (key,) in self.connection.execute("SELECT key FROM dwn_blob")}

    def entries_after(
        self, tenant: str, seq: int, limit: int, protocols: Sequence[str] | None = None
    ) -> list[tuple[int, str]]:
        """Return the sequence numbers and CIDs in a tenant's event log after a sequence number, oldest first.

        Parameters:
            protocols: only messages of these protocols and what regulates them, as a messages filter finds them.
        """
        log, values = self.log(tenant, seq, protocols)
        return list(self.connection.execute(f"SELECT seq, cid {log} ORDER BY seq LIMIT ?", (*values, limit)))

    def states_between(self, tenant: str, after: int, until: int) -> Iterator[tuple[int, Columns]]:
        """Give the numbers in the log, and the rows, of what subscribers are told of, oldest first.

        That are a tenant's records in their latest states, and its protocols.
        """
        query = (
            f"SELECT seq, {', '.join(Columns._fields)} FROM dwn_message"
            " WHERE tenant = ? AND seq > ? AND seq <= ? AND (latest = 1 OR method = 'Configure') ORDER BY seq"
        )
        found: list[tuple[Any, ...]] = self.connection.execute(query, (self.tenant(tenant), after, until)).fetchall()
        for seq, *values in found:
            yield seq, Columns._make(values)

    def log(self, tenant: str, seq: int, protocols: Sequence[str] | None) -> tuple[str, tuple[Any, ...]]:
        """Return the SQL clauses FROM and WHERE for `entries_after`, and their values."""
        condition, values = ("", ()) if protocols is None else _of_protocols(protocols)
        return f"FROM dwn_message WHERE tenant = ? AND seq > ?{condition}", (self.tenant(tenant), seq, *values)

    def last_entries(self, tenant: str, limit: int) -> list[tuple[int, str]]:
        """Return the last entries of a tenant's event log, as (sequence number, CID), newest first."""
        log, values = self.log(tenant, 0, None)
        return list(self.connection.execute(f"SELECT seq, cid {log} ORDER BY seq DESC LIMIT ?", (*values, limit)))

    def delegated_writes(self, tenant: str) -> list[tuple[int, str]]:
        """Return the sequence numbers and CIDs of the initial writes that a delegate has signed, oldest first."""
        query = (
            "SELECT seq, cid FROM dwn_message INDEXED BY dwn_by_tenant"
            " WHERE tenant = ? AND initial = 1 AND instr(message, '\"authorDelegatedGrant\"') ORDER BY seq"
        )
        return list(self.connection.execute(query, (self.tenant(tenant),)))

    def some_of(self, tenant: str, protocols: Sequence[str], limit: int) -> list[tuple[int, str]]:
        """Return the sequence numbers and CIDs of messages of some protocols, in no particular order."""
        marks = ", ".join("?" * len(protocols))
        return list(
            self.connection.execute(
                "SELECT seq, cid FROM dwn_message INDEXED BY dwn_by_protocol"
                f" WHERE tenant = ? AND protocol IN ({marks}) LIMIT ?",
                (self.tenant(tenant), *protocols, limit),
            )
        )

    def last_of(self, tenant: str) -> int:
        """Return the last sequence number in a tenant's event log; 0 if it is empty."""
        query = "SELECT max(seq) FROM dwn_message WHERE tenant = ?"
        return self.connection.execute(query, (self.tenant(tenant),)).get or 0

    def positions(self, tenant: str, cids: Collection[str]) -> list[tuple[int, str]]:
        """Return the sequence numbers and CIDs of those of the messages that the tenant has."""
        return list(
            self.connection.execute(
                "SELECT seq, cid FROM dwn_message WHERE tenant = ? AND cid IN (SELECT value FROM json_each(?))",
                (self.tenant(tenant), json.dumps(list(cids))),
            )
        )

    def made(self, tenant: str, seqs: Sequence[int]) -> dict[int, int]:
        """Return the timestamps of the messages with these sequence numbers, in microseconds since 1970."""
        found = self.connection.execute(
            # Left to itself, SQLite looks at every message of the tenant.
            "SELECT seq, message_timestamp FROM json_each(?) CROSS JOIN dwn_message ON seq = value WHERE tenant = ?",
            (json.dumps(list(seqs)), self.tenant(tenant)),
        )
        return {seq: parse_timestamp(timestamp) for seq, timestamp in found}

    def has(self, tenant: str, cid: str) -> bool:
        return not self.missing(tenant, (cid,))

    def missing(self, tenant: str, cids: Iterable[str]) -> set[str]:
        """Return those of the CIDs whose messages the tenant does not have."""
        wanted = set(cids)
        held = self.connection.execute(
            "SELECT cid FROM dwn_message WHERE tenant = ? AND cid IN (SELECT value FROM json_each(?))",
            (self.tenant(tenant), json.dumps(list(wanted))),
        )
        return wanted - {cid for (cid,) in held}

    # Writing

    def enrol(self, did: str) -> int:
        """Return the tenant's number, a new one if need be."""
        number = self.tenant(did)
        if number == 0:
            self.connection.execute("INSERT INTO dwn_tenant (did) VALUES (?)", (did,))
            number = self.connection.last_insert_rowid()
        return number

    def put(self, columns: Columns, tags: Iterable[tuple[str, Any]] = ()) -> int:
        """Add a message, with the names and stored values of its tags, and return its sequence number."""
        self.connection.execute(_INSERT, (self._last_seq, *columns))
        seq: int = self.connection.last_insert_rowid()
        self._last_seq = seq
        for name, value in tags:
            self.connection.execute(
                "INSERT OR IGNORE INTO dwn_tag VALUES (?, ?, ?, ?, ?)",
                (columns.tenant, name, value, columns.date_created, seq),
            )
        return seq

    def supersede(self, rows: Iterable[MessageRow]) -> None:
        """Drop messages that a newer one replaces; an initial write stays, no longer latest and without data.

        The first data of a grant stay until two later messages have come: from then on nobody knows when they ended.
        """
        for row in rows:
            # The event log still finds an initial permission record by its protocol (`Messages.convertFilters`).
            kept = "protocol" if row.initial else None
            self.connection.execute("DELETE FROM dwn_tag WHERE tagged = ? AND name IS NOT ?", (row.seq, kept))
            if not row.initial:
                self.connection.execute("DELETE FROM dwn_message WHERE seq = ?", (row.seq,))
            elif row.latest or row.data is not None:
                self.connection.execute(
                    "UPDATE dwn_message SET latest = 0,"
                    " data = CASE WHEN latest = 1 AND protocol = ? AND protocol_path = ? THEN data END WHERE seq = ?",
                    (permissions.URI, permissions.GRANT, row.seq),
                )

    def set_aside(self, tenant: int, protocol: str) -> None:
        """Make room for another definition of a protocol: the one in force is superseded."""
        self.connection.execute(
            "UPDATE dwn_message INDEXED BY dwn_by_configured SET method = ?"
            " WHERE tenant = ? AND protocol = ? AND method = 'Configure'",
            (SUPERSEDED, tenant, protocol),
        )

    def put_again(self, row: MessageRow, columns: Columns, tags: Iterable[tuple[str, Any]]) -> int:
        """Put a message in the place of the same one that lacks its data; it is the last of the log then."""
        self.connection.execute("DELETE FROM dwn_tag WHERE tagged = ?", (row.seq,))
        self.connection.execute("DELETE FROM dwn_message WHERE seq = ?", (row.seq,))
        return self.put(columns, tags)

    def forget(self, tenant: int, cids: Iterable[str]) -> None:
        """Drop definitions of protocols that nothing can need any more."""
        self.connection.executemany(
            "DELETE FROM dwn_message WHERE tenant = ? AND cid = ?", ((tenant, cid) for cid in cids)
        )

    def rewrite(self, tenant: int, cid: str, message: Message, data: bytes | None) -> None:
        """Put a message in the place of the same one, which cannot be read any more.

        Parameters:
            data: what lies with it; None: that is as it was.
        """
        self.connection.execute(
            "UPDATE dwn_message SET message = ?, data = ifnull(?, data) WHERE tenant = ? AND cid = ?",
            (encode_message(message), data, tenant, cid),
        )

    def purge(self, tenant: int, record_id: str) -> list[str]:
        """Forget all of a record, its initial write too, and return the keys of the blobs to delete."""
        record = "tenant = ? AND record_id = ?"
        self.connection.execute(
            f"DELETE FROM dwn_tag WHERE tagged IN (SELECT seq FROM dwn_message WHERE {record})", (tenant, record_id)
        )
        self.connection.execute(f"DELETE FROM dwn_message WHERE {record}", (tenant, record_id))
        return self.drop_blobs(tenant, record_id, keep=None)

    def add_blob(self, tenant: int, record_id: str, data_cid: str, blob: BlobRow) -> None:
        self.connection.execute(
            "INSERT INTO dwn_blob VALUES (?, ?, ?, ?, ?)", (tenant, record_id, data_cid, blob.size, blob.key)
        )

    def drop_blobs(self, tenant: int, record_id: str, *, keep: str | None) -> list[str]:
        """Forget the blobs of a record but the one with the CID `keep`, and return the keys of those to delete."""
        found = self.connection.execute(
            "DELETE FROM dwn_blob WHERE tenant = ? AND record_id = ? AND data_cid IS NOT ? RETURNING key",
            (tenant, record_id, keep),
        )
        return [key for (key,) in found]


def parse_stored(body: str, cid: str) -> Message:
    """Return a stored message.

    Raises:
        MessageDamaged: it is none any more.
    """
    try:
        message = parse_own(body)
    except ValueError as error:
        raise MessageDamaged(cid, f"message {cid} cannot be read: {error}") from error
    if not isinstance(message, dict):
        raise MessageDamaged(cid, f"message {cid} cannot be read: it is no object")
    return message


def _of_protocols(protocols: Sequence[str]) -> tuple[str, tuple[Any, ...]]:
    # As `terms.message_terms` has it for one protocol.
    marks = ", ".join("?" * len(protocols))
    condition = (
        f" AND (protocol IN ({marks}) OR protocol = ? AND EXISTS"
        f" (SELECT 1 FROM dwn_tag WHERE tagged = seq AND name = 'protocol' AND value IN ({marks})))"
    )
    return condition, (*protocols, permissions.URI, *map(stored_tag, protocols))
