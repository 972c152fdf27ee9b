"""The amounts that tenants keep, counted by the database itself, in the transaction that changes it.

Invariants:
1. The counts are those of what is stored: every row of a message or of large data that comes, changes or goes is
   counted by a trigger, whichever code did it, and is counted no more if its transaction is undone.
2. A guest's messages count for the tenant and, by themselves, for the guest.
"""

from __future__ import annotations

from dataclasses import dataclass

import apsw

from web5.dwn.store.database import Database


def _size(row: str) -> str:
    return f"octet_length({row}.message) + coalesce(octet_length({row}.data), 0)"


def _of_guest(row: str) -> str:
    return f"octet_length({row}.message) + CASE WHEN {row}.latest THEN coalesce({row}.data_size, 0) ELSE 0 END"


def _tenant(change: str, row: str) -> str:
    return f"UPDATE node_use SET {change} WHERE tenant = {row}.tenant;"


def _guest(change: str, row: str) -> str:
    return f"UPDATE node_guest_use SET {change} WHERE tenant = {row}.tenant AND guest = {row}.guest;"


SCHEMA = (
    f"""
    CREATE TABLE node_use (
        tenant INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL
    );
    CREATE TABLE node_guest_use (
        tenant INTEGER NOT NULL, guest TEXT NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (tenant, guest)
    ) WITHOUT ROWID;

    INSERT INTO node_use SELECT id, 0, 0 FROM dwn_tenant;
    UPDATE node_use SET (messages, bytes) = (
        SELECT count(*), coalesce(sum({_size("one")}), 0) FROM dwn_message AS one WHERE one.tenant = node_use.tenant
    );
    UPDATE node_use SET bytes = bytes + (
        SELECT coalesce(sum(size), 0) FROM dwn_blob WHERE dwn_blob.tenant = node_use.tenant
    );
    INSERT INTO node_guest_use
        SELECT tenant, guest, count(*), sum({_of_guest("one")})
        FROM dwn_message AS one WHERE guest IS NOT NULL GROUP BY tenant, guest;

    CREATE TRIGGER node_tenant_put AFTER INSERT ON dwn_tenant BEGIN
        INSERT INTO node_use VALUES (new.id, 0, 0);
    END;
    CREATE TRIGGER node_tenant_deleted AFTER DELETE ON dwn_tenant BEGIN
        DELETE FROM node_use WHERE tenant = old.id;
        DELETE FROM node_guest_use WHERE tenant = old.id;
    END;

    CREATE TRIGGER node_use_put AFTER INSERT ON dwn_message BEGIN
        {_tenant(f"messages = messages + 1, bytes = bytes + {_size('new')}", "new")}
    END;
    CREATE TRIGGER node_use_deleted AFTER DELETE ON dwn_message BEGIN
        {_tenant(f"messages = messages - 1, bytes = bytes - ({_size('old')})", "old")}
    END;
    CREATE TRIGGER node_use_changed AFTER UPDATE OF message, data ON dwn_message BEGIN
        {_tenant(f"bytes = bytes + {_size('new')} - ({_size('old')})", "new")}
    END;

    CREATE TRIGGER node_guest_put AFTER INSERT ON dwn_message WHEN new.guest IS NOT NULL BEGIN
        INSERT INTO node_guest_use VALUES (new.tenant, new.guest, 1, {_of_guest("new")})
            ON CONFLICT DO UPDATE SET messages = messages + 1, bytes = bytes + excluded.bytes;
    END;
    CREATE TRIGGER node_guest_deleted AFTER DELETE ON dwn_message WHEN old.guest IS NOT NULL BEGIN
        {_guest(f"messages = messages - 1, bytes = bytes - ({_of_guest('old')})", "old")}
        DELETE FROM node_guest_use WHERE tenant = old.tenant AND guest = old.guest AND messages <= 0;
    END;
    CREATE TRIGGER node_guest_changed AFTER UPDATE OF message, latest, data_size ON dwn_message
        WHEN new.guest IS NOT NULL BEGIN
        {_guest(f"bytes = bytes + {_of_guest('new')} - ({_of_guest('old')})", "new")}
    END;

    CREATE TRIGGER node_blob_put AFTER INSERT ON dwn_blob BEGIN {_tenant("bytes = bytes + new.size", "new")} END;
    CREATE TRIGGER node_blob_deleted AFTER DELETE ON dwn_blob BEGIN {_tenant("bytes = bytes - old.size", "old")} END;
    CREATE TRIGGER node_blob_changed AFTER UPDATE ON dwn_blob BEGIN
        {_tenant("bytes = bytes + new.size - old.size", "new")}
    END;
    """,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of messages, and of the bytes of them and of their data."""

    messages: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sum:
    """The amount that all tenants keep, and their number."""

    tenants: int = 0
    messages: int = 0
    bytes: int = 0


def prepare(database: Database) -> None:
    """Have a DWN's database, whose tables are there, count from now on; what it holds is counted once."""
    database.migrate("use", SCHEMA)


def used(db: apsw.Connection, did: str, guest: str | None = None) -> Amount:
    """Return how much a tenant keeps, or how much of that is a guest's."""
    table = "node_use" if guest is None else "node_guest_use"
    values = (did,) if guest is None else (did, guest)
    query = f"SELECT messages, bytes FROM {table} JOIN dwn_tenant ON id = tenant WHERE did = ?"
    row = db.execute(query if guest is None else f"{query} AND guest = ?", values).fetchone()
    return Amount() if row is None else Amount(*row)


def all_used(db: apsw.Connection) -> dict[str, Amount]:
    """Return how much each tenant keeps, by DID."""
    rows = db.execute("SELECT did, messages, bytes FROM node_use JOIN dwn_tenant ON id = tenant WHERE messages > 0")
    return {did: Amount(messages, size) for did, messages, size in rows}


def whole_use(db: apsw.Connection) -> Sum:
    """Return what all tenants keep."""
    query = "SELECT count(*), coalesce(sum(messages), 0), coalesce(sum(bytes), 0) FROM node_use WHERE messages > 0"
    [(tenants, messages, size)] = db.execute(query)
    return Sum(tenants, int(messages), int(size))


def largest(db: apsw.Connection, pattern: str, limit: int) -> dict[str, Amount]:
    """Return how much each of the tenants keeps that keep most, by DID.

    Parameters:
        pattern: of their DIDs, as LIKE has it, with "!" before what it is not to take for a sign.
    """
    rows = db.execute(
        "SELECT did, messages, bytes FROM node_use JOIN dwn_tenant ON id = tenant"
        " WHERE messages > 0 AND did LIKE ? ESCAPE '!' ORDER BY bytes DESC, did LIMIT ?",
        (pattern, limit),
    )
    return {did: Amount(messages, size) for did, messages, size in rows}
