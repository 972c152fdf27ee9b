"""The in side of the ledger: what endpoints have listed and this node does not hold yet."""

from __future__ import annotations

import json
from collections.abc import Sequence

from web5.dwn.store.database import Database
from web5.sync.ledger import entries as tables
from web5.sync.ledger.entries import Row, counts, rows
from web5.sync.plan.policy import Verdict
from web5.sync.states import State


class Inbox:
    """Rows of `sync_in`. Methods that say so must run inside a transaction; the others make their own."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def add(self, endpoint: int, cids: Sequence[str], now: int) -> None:
        """Rows for newly listed messages, pending since `now` (microseconds). Inside a transaction."""
        found = self._db.execute("SELECT max(position) FROM sync_in WHERE endpoint = ?", (endpoint,)).fetchone()
        last = (found[0] if found else None) or 0
        self._db.executemany(
            "INSERT OR IGNORE INTO sync_in (endpoint, cid, position, state, since) VALUES (?, ?, ?, 'pending', ?)",
            [(endpoint, cid, position, now) for position, cid in enumerate(cids, last + 1)],
        )

    def settle(self, endpoint: int, cid: str) -> bool:
        """Drop a row; False if there was none. Inside a transaction."""
        self._db.execute("DELETE FROM sync_in WHERE endpoint = ? AND cid = ?", (endpoint, cid))
        return bool(self._db.changes())

    def release(self, endpoint: int, keys: Sequence[str]) -> None:
        """Let what waits for one of these be tried again. Inside a transaction."""
        tables.release(self._db, "sync_in", endpoint, keys)

    def gone(self, endpoint: int, cid: str) -> None:
        """The endpoint does not hold the message any more."""
        with self._database.transaction():
            self.settle(endpoint, cid)

    def failed(self, endpoint: int, cid: str, verdict: Verdict, now: int) -> None:
        """Record why a message is not here; `now` in microseconds. A verdict "pending" leaves the row as it is."""
        if verdict.state in (None, State.PENDING):
            return
        with self._database.transaction() as db:
            row = db.execute("SELECT attempts FROM sync_in WHERE endpoint = ? AND cid = ?", (endpoint, cid)).fetchone()
            if row is not None:
                attempts = row[0] + 1
                db.execute(
                    "UPDATE sync_in SET state = ?, code = ?, detail = ?, attempts = ?, next_try = ?, waits_for = ?"
                    " WHERE endpoint = ? AND cid = ?",
                    (
                        *(verdict.state, verdict.code, verdict.detail, attempts),
                        *(verdict.next_try(attempts, now), verdict.waits_for, endpoint, cid),
                    ),
                )

    def due(self, endpoint: int, now: int) -> list[Row]:
        """What may be asked for now, in the endpoint's order."""
        due, moments = tables.is_due(now)
        return rows(self._db, "sync_in", "position", f"endpoint = ? AND {due}", (endpoint, *moments))

    def unsettled(self, endpoint: int) -> list[Row]:
        """Everything of the endpoint, in its order."""
        return rows(self._db, "sync_in", "position", "endpoint = ?", (endpoint,))

    def has(self, endpoint: int, cid: str) -> bool:
        """True if there is a row."""
        query = "SELECT 1 FROM sync_in WHERE endpoint = ? AND cid = ?"
        return self._db.execute(query, (endpoint, cid)).fetchone() is not None

    def left(self, endpoint: int, cids: Sequence[str]) -> list[str]:
        """Those of the messages that have a row, in their order."""
        query = "SELECT cid FROM sync_in WHERE endpoint = ? AND cid IN (SELECT value FROM json_each(?))"
        found = {cid for (cid,) in self._db.execute(query, (endpoint, json.dumps(list(cids))))}
        return [cid for cid in cids if cid in found]

    def has_pending(self, endpoint: int) -> bool:
        """True if something was not even tried yet."""
        query = "SELECT 1 FROM sync_in WHERE endpoint = ? AND state = 'pending' LIMIT 1"
        return self._db.execute(query, (endpoint,)).fetchone() is not None

    def next_due(self, endpoint: int) -> int | None:
        """When the first row that must not be tried yet may be tried."""
        return tables.next_due(self._db, "sync_in", endpoint)

    def oldest(self, endpoint: int) -> int | None:
        """Since when the oldest row is there."""
        found = self._db.execute("SELECT min(since) FROM sync_in WHERE endpoint = ?", (endpoint,)).fetchone()
        return found[0] if found else None

    def retry(self, endpoint: int, cid: str | None) -> int:
        """Forget the backoff of a message, or of all; how many that are. Inside a transaction."""
        return tables.retry(self._db, "sync_in", endpoint, cid)

    def counts(self, endpoint: int) -> tuple[int, int]:
        """How many rows there are, and how many of them were refused or blocked."""
        return counts(self._db, "sync_in", endpoint)
