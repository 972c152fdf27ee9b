"""The totals of the ledger, kept by triggers, so that no question about them reads what they count.

They are temporary tables: they lie in memory and cost a flush no page, are undone with the transaction that changed
them, and are made anew when the ledger is opened.

Invariants:
1. `sync_total` has, for each endpoint, table and state, the number of its rows.
2. `sync_ahead` has the events that ledger invariant 2 calls pending: those beyond an endpoint's cursor, in its tenant's
   scope, without a row; their number is in `sync_total` too, in the state `AHEAD`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from web5.dwn.store.database import Database
from web5.dwn.store.store import Store

AHEAD = "ahead"
"""The state of an event without a row, which is pending."""

TABLES = ("sync_out", "sync_in")


def _count(row: str, table: str, step: int) -> str:
    return (
        f"INSERT INTO sync_total VALUES ({row}.endpoint, '{table}', {row}.state, {step})"
        " ON CONFLICT DO UPDATE SET number = number + excluded.number;"
    )


def _triggers(table: str) -> str:
    return f"""
    CREATE TEMP TRIGGER IF NOT EXISTS {table}_added AFTER INSERT ON main.{table}
        BEGIN {_count("NEW", table, 1)} END;
    CREATE TEMP TRIGGER IF NOT EXISTS {table}_dropped AFTER DELETE ON main.{table}
        BEGIN {_count("OLD", table, -1)} END;
    CREATE TEMP TRIGGER IF NOT EXISTS {table}_changed AFTER UPDATE OF state ON main.{table}
        WHEN NEW.state <> OLD.state BEGIN {_count("OLD", table, -1)} {_count("NEW", table, 1)} END;
    """


_TABLES = f"""
    CREATE TEMP TABLE IF NOT EXISTS sync_total (
        endpoint INTEGER NOT NULL,
        side TEXT NOT NULL,
        state TEXT NOT NULL,
        number INTEGER NOT NULL,
        PRIMARY KEY (endpoint, side, state)
    ) WITHOUT ROWID;
    CREATE TEMP TABLE IF NOT EXISTS sync_ahead (
        endpoint INTEGER NOT NULL,
        position INTEGER NOT NULL,
        PRIMARY KEY (endpoint, position)
    ) WITHOUT ROWID;
    {"".join(map(_triggers, TABLES))}
    CREATE TEMP TRIGGER IF NOT EXISTS sync_ahead_dropped AFTER DELETE ON sync_ahead BEGIN
        UPDATE sync_total SET number = number - 1
            WHERE endpoint = OLD.endpoint AND side = 'sync_out' AND state = '{AHEAD}';
    END;
    CREATE TEMP TRIGGER IF NOT EXISTS sync_out_noted AFTER INSERT ON main.sync_out
        BEGIN DELETE FROM sync_ahead WHERE endpoint = NEW.endpoint AND position = NEW.position; END;
    CREATE TEMP TRIGGER IF NOT EXISTS sync_event_gone AFTER DELETE ON main.dwn_message
        BEGIN DELETE FROM sync_ahead WHERE endpoint IN (SELECT id FROM sync_endpoint) AND position = OLD.seq; END;
"""


class Totals:
    """The two tables; methods that change something must run inside a transaction."""

    def __init__(self, database: Database, store: Store) -> None:
        self._db = database.connection
        self._store = store

    def open(self) -> None:
        """Count everything anew, but for the events ahead, which `fill` finds."""
        self._db.execute(_TABLES)
        self._db.execute("DELETE FROM sync_ahead")
        self._db.execute("DELETE FROM sync_total")
        for table in TABLES:
            self._db.execute(
                f"INSERT INTO sync_total SELECT endpoint, '{table}', state, count(*) FROM {table} GROUP BY 1, 3"
            )

    def fill(self, endpoint: int, tenant: str, cursor: int, protocols: Sequence[str] | None) -> None:
        """Find the events ahead of an endpoint's cursor."""
        self._db.execute("DELETE FROM sync_ahead WHERE endpoint = ?", (endpoint,))
        events, values = self._store.log(tenant, cursor, protocols)
        self._db.execute(
            f"INSERT INTO sync_ahead SELECT ?, seq {events}"
            " AND NOT EXISTS (SELECT 1 FROM sync_out WHERE endpoint = ? AND position = seq) ORDER BY seq",
            (endpoint, *values, endpoint),
        )
        # Not by a trigger, one by one: that takes several times as long.
        self._db.execute(
            f"INSERT INTO sync_total SELECT ?, 'sync_out', '{AHEAD}', count(*) FROM sync_ahead WHERE endpoint = ?"
            " ON CONFLICT DO UPDATE SET number = excluded.number",
            (endpoint, endpoint),
        )

    def add(self, endpoint: int, seq: int) -> None:
        """Add an event that was just stored."""
        self._db.execute("INSERT OR IGNORE INTO sync_ahead VALUES (?, ?)", (endpoint, seq))
        if self._db.changes():
            one_more = "number = number + 1 WHERE endpoint = ? AND side = 'sync_out' AND state = ?"
            self._db.execute(f"UPDATE sync_total SET {one_more}", (endpoint, AHEAD))

    def drop(self, endpoint: int) -> None:
        """Forget an endpoint, whose rows are gone."""
        self._db.execute("DELETE FROM sync_ahead WHERE endpoint = ?", (endpoint,))
        self._db.execute("DELETE FROM sync_total WHERE endpoint = ?", (endpoint,))

    def of(self, endpoint: int, table: str) -> dict[str, int]:
        """Return the number of an endpoint's rows in a table by state, as far as there are any."""
        query = "SELECT state, number FROM sync_total WHERE endpoint = ? AND side = ? AND number > 0"
        return dict(self._db.execute(query, (endpoint, table)))

    def states(self, endpoint: int) -> set[tuple[str, str]]:
        """Return the tables in which an endpoint has rows, each with the states of these."""
        query = "SELECT side, state FROM sync_total WHERE endpoint = ? AND number > 0"
        return set(self._db.execute(query, (endpoint,)))

    def ahead(
        self, endpoint: int, after: int, limit: int, cids: Collection[str] | None = None
    ) -> list[tuple[int, str]]:
        """Return the first events ahead of an endpoint's cursor, and beyond `after`, as (seq, CID).

        Parameters:
            limit: -1: none.
            cids: only these messages.
        """
        if cids is not None:
            tenant = self._db.execute("SELECT tenant FROM sync_endpoint WHERE id = ?", (endpoint,)).get or ""
            asked = "SELECT 1 FROM sync_ahead WHERE endpoint = ? AND position = ?"
            found = sorted((seq, cid) for seq, cid in self._store.positions(tenant, cids) if seq > after)
            found = [(seq, cid) for seq, cid in found if self._db.execute(asked, (endpoint, seq)).get is not None]
            return found if limit < 0 else found[:limit]
        query = (
            "SELECT seq, cid FROM sync_ahead CROSS JOIN dwn_message ON seq = position"
            " WHERE endpoint = ? AND position > ? ORDER BY position LIMIT ?"
        )
        return list(self._db.execute(query, (endpoint, after, limit)))
