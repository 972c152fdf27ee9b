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

_SIZE = "octet_length({row}.message) + coalesce(octet_length({row}.data), 0)"
_GUESTS = "octet_length({row}.message) + CASE WHEN {row}.latest THEN coalesce({row}.data_size, 0) ELSE 0 END"


def _count(row: str, sign: str) -> str:
    size, of_guest = _SIZE.format(row=row), _GUESTS.format(row=row)
    return f"""
        INSERT INTO node_use VALUES ({row}.tenant, {sign}1, {sign}({size}))
            ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes;
        INSERT INTO node_guest_use SELECT {row}.tenant, {row}.guest, {sign}1, {sign}({of_guest})
            WHERE {row}.guest IS NOT NULL
            ON CONFLICT DO UPDATE SET messages = messages + excluded.messages, bytes = bytes + excluded.bytes;
    """


def _count_blob(row: str, sign: str) -> str:
    return f"""
        INSERT INTO node_use VALUES ({row}.tenant, 0, {sign}{row}.size)
            ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
    """


SCHEMA = (
    f"""
    CREATE TABLE node_use (
        tenant INTEGER PRIMARY KEY, messages INTEGER NOT NULL, bytes INTEGER NOT NULL
    );
    CREATE TABLE node_guest_use (
        tenant INTEGER NOT NULL, guest TEXT NOT NULL, messages INTEGER NOT NULL, bytes INTEGER NOT NULL,
        PRIMARY KEY (tenant, guest)
    ) WITHOUT ROWID;

    CREATE TRIGGER node_use_put AFTER INSERT ON dwn_message BEGIN {_count("new", "+")} END;
    CREATE TRIGGER node_use_deleted AFTER DELETE ON dwn_message BEGIN
        {_count("old", "-")}
        DELETE FROM node_guest_use WHERE tenant = old.tenant AND guest = old.guest AND messages <= 0;
    END;
    CREATE TRIGGER node_use_changed AFTER UPDATE OF message, data, latest, guest, data_size ON dwn_message BEGIN
        {_count("old", "-")} {_count("new", "+")}
    END;
    CREATE TRIGGER node_use_blob_put AFTER INSERT ON dwn_blob BEGIN {_count_blob("new", "+")} END;
    CREATE TRIGGER node_use_blob_deleted AFTER DELETE ON dwn_blob BEGIN {_count_blob("old", "-")} END;
    CREATE TRIGGER node_use_blob_changed AFTER UPDATE ON dwn_blob BEGIN
        {_count_blob("old", "-")} {_count_blob("new", "+")}
    END;
    CREATE TRIGGER node_use_over AFTER DELETE ON dwn_tenant BEGIN
        DELETE FROM node_use WHERE tenant = old.id;
        DELETE FROM node_guest_use WHERE tenant = old.id;
    END;

    INSERT INTO node_use
        SELECT tenant, count(*), sum({_SIZE.format(row="dwn_message")}) FROM dwn_message GROUP BY tenant;
    INSERT INTO node_use SELECT tenant, 0, sum(size) FROM dwn_blob WHERE true GROUP BY tenant
        ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes;
    INSERT INTO node_guest_use
        SELECT tenant, guest, count(*), sum({_GUESTS.format(row="dwn_message")})
        FROM dwn_message WHERE guest IS NOT NULL GROUP BY tenant, guest;
    """,
)


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of messages, and of the bytes of them and of their data."""

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
