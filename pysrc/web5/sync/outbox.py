"""The out side of the ledger: how far each endpoint has been given the event log, and the exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from web5.dwn.store.database import Database
from web5.sync.policy import Verdict
from web5.sync.rows import Row, counts, rows
from web5.sync.states import State

WINDOW = 200
"""Events that are turned into rows at a time."""

_WALK = 1000


class EventLog(Protocol):
    """The part of the engine's store that lists events (`dwn.store`)."""

    def entries_after(self, tenant: str, seq: int, limit: int) -> Sequence[tuple[int, str]]: ...


class Outbox:
    """Rows of `sync_out` and the cursor `pushed_seq`.

    A row beyond the cursor is an exception to "pending": it is settled already (state 'settled', never shown), or it
    was sent ahead of its turn and failed. Methods that say so must run inside a transaction; the others make their own.
    """

    def __init__(self, database: Database, events: EventLog) -> None:
        self._database = database
        self._db = database.connection
        self._events = events

    def cursor(self, endpoint: int) -> int:
        """The event up to which there are rows."""
        found = self._db.execute("SELECT pushed_seq FROM sync_endpoint WHERE id = ?", (endpoint,)).fetchone()
        return int(found[0]) if found else 0

    def mark_settled(self, endpoint: int, seq: int, cid: str) -> None:
        """The endpoint holds this message. Inside a transaction."""
        if seq > self.cursor(endpoint):
            self._db.execute(
                "INSERT OR REPLACE INTO sync_out (endpoint, seq, cid, state) VALUES (?, ?, ?, 'settled')",
                (endpoint, seq, cid),
            )
        else:
            self._db.execute("DELETE FROM sync_out WHERE endpoint = ? AND seq = ?", (endpoint, seq))

    def settle_listed(self, endpoint: int, tenant: str, held: set[str]) -> None:
        """The endpoint listed messages that are held here too. Inside a transaction."""
        if not held:
            return
        self._db.executemany(
            "DELETE FROM sync_out WHERE cid = ? AND endpoint = ? AND state <> 'settled'",
            [(cid, endpoint) for cid in held],
        )
        for seq, cid in self._beyond(endpoint, tenant):
            if cid in held:
                self.mark_settled(endpoint, seq, cid)

    def open_window(self, endpoint: int, tenant: str) -> int:
        """Turn the next `WINDOW` events into rows where they are not settled; returns how many events there were."""
        entries = self._events.entries_after(tenant, self.cursor(endpoint), WINDOW)
        if entries:
            last = entries[-1][0]
            with self._database.transaction() as db:
                db.executemany(
                    "INSERT OR IGNORE INTO sync_out (endpoint, seq, cid, state) VALUES (?, ?, ?, 'pending')",
                    [(endpoint, seq, cid) for seq, cid in entries],
                )
                db.execute(
                    "DELETE FROM sync_out WHERE endpoint = ? AND seq <= ? AND state = 'settled'", (endpoint, last)
                )
                db.execute("UPDATE sync_endpoint SET pushed_seq = ? WHERE id = ?", (last, endpoint))
        return len(entries)

    def record(self, endpoint: int, outcomes: Sequence[tuple[int, str, Verdict]], now: int) -> None:
        """Take over what became of messages (seq, CID, verdict); `now` in microseconds.

        "Pending" leaves a row as it is. Where something was settled, what waits may be tried again.
        """
        with self._database.transaction() as db:
            for seq, cid, verdict in outcomes:
                if verdict.settled:
                    self.mark_settled(endpoint, seq, cid)
                elif verdict.state is not State.PENDING:
                    self._fail(endpoint, seq, cid, verdict, now)
            if any(verdict.settled for _, _, verdict in outcomes):
                db.execute(
                    "UPDATE sync_out SET next_try = NULL"
                    " WHERE endpoint = ? AND state = 'waiting' AND next_try IS NOT NULL",
                    (endpoint,),
                )

    def _fail(self, endpoint: int, seq: int, cid: str, verdict: Verdict, now: int) -> None:
        query = "SELECT attempts FROM sync_out WHERE endpoint = ? AND seq = ?"
        found = self._db.execute(query, (endpoint, seq)).fetchone()
        attempts = (found[0] if found else 0) + 1
        values = (endpoint, seq, cid, verdict.state, verdict.code, verdict.detail, attempts)
        self._db.execute(
            "INSERT OR REPLACE INTO sync_out VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (*values, verdict.next_try(attempts, now)),
        )

    def due(self, endpoint: int, now: int, limit: int = WINDOW, after: int = 0) -> list[Row]:
        """Rows with a seq above `after` that may be sent now, oldest first."""
        return rows(
            self._db,
            "sync_out",
            "seq",
            "endpoint = ? AND seq > ? AND state <> 'settled' AND (next_try IS NULL OR next_try <= ?)",
            (endpoint, after, now),
            limit,
        )

    def is_settled(self, endpoint: int, seq: int) -> bool:
        """True if the endpoint needs nothing of this event any more (invariants 1 and 2 of the ledger)."""
        found = self._db.execute(
            "SELECT state FROM sync_out WHERE endpoint = ? AND seq = ?", (endpoint, seq)
        ).fetchone()
        return found[0] == "settled" if found else seq <= self.cursor(endpoint)

    def unsettled(self, endpoint: int, tenant: str) -> list[Row]:
        """Everything that the endpoint does not hold yet, oldest first."""
        with_rows = rows(self._db, "sync_out", "seq", "endpoint = ? AND state <> 'settled'", (endpoint,))
        seen = {seq for (seq,) in self._db.execute("SELECT seq FROM sync_out WHERE endpoint = ?", (endpoint,))}
        implied = [
            Row(seq, cid, State.PENDING, 0, "", 0, None)
            for seq, cid in self._beyond(endpoint, tenant)
            if seq not in seen
        ]
        return sorted(with_rows + implied, key=lambda row: row.order)

    def counts(self, endpoint: int, tenant: str) -> tuple[int, int]:
        """How many messages the endpoint does not hold yet, and how many of them it refused or blocks."""
        total, refused = counts(self._db, "sync_out", endpoint)
        cursor = self.cursor(endpoint)
        ahead = self._db.execute(
            "SELECT seq FROM sync_out WHERE endpoint = ? AND seq > ?", (endpoint, cursor)
        ).fetchall()
        seen = {seq for (seq,) in ahead}
        return total + sum(seq not in seen for seq, _ in self._beyond(endpoint, tenant)), refused

    def _beyond(self, endpoint: int, tenant: str) -> list[tuple[int, str]]:
        entries: list[tuple[int, str]] = []
        last = self.cursor(endpoint)
        while page := self._events.entries_after(tenant, last, _WALK):
            entries += page
            last = page[-1][0]
        return entries
