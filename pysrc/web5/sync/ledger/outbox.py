"""The out side of the ledger: how far each endpoint has been given the event log, and the exceptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from web5.dwn.store.database import Database
from web5.sync.ledger import entries as tables
from web5.sync.ledger.entries import Row, counts, rows
from web5.sync.plan.policy import Verdict
from web5.sync.states import State

WINDOW = 200
"""Events that are turned into rows at a time."""

_WALK = 1000


class EventLog(Protocol):
    """The part of the engine's store that lists events (`dwn.store`)."""

    def entries_after(
        self, tenant: str, seq: int, limit: int, protocols: Sequence[str] | None = None
    ) -> Sequence[tuple[int, str]]: ...

    def made(self, tenant: str, seqs: Sequence[int]) -> dict[int, int]: ...


class Scope(Protocol):
    """What of a tenant is synced; None: everything (`ledger.Ledger`)."""

    def protocols(self, tenant: str) -> Sequence[str] | None: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message that was to be sent. `provides` are the keys (`dependencies`) that it provides."""

    seq: int
    cid: str
    verdict: Verdict
    provides: tuple[str, ...] = ()


class Outbox:
    """Rows of `sync_out` and the cursor `pushed_seq`.

    A row beyond the cursor is an exception to "pending": it is settled already (state 'settled', never shown), or it
    was sent ahead of its turn and failed. Methods that say so must run inside a transaction; the others make their own.
    """

    def __init__(self, database: Database, events: EventLog, scope: Scope) -> None:
        self._database = database
        self._db = database.connection
        self._events = events
        self._scope = scope

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
        entries = self._entries(tenant, self.cursor(endpoint), WINDOW)
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

    def record(self, endpoint: int, outcomes: Sequence[Outcome], now: int) -> None:
        """Take over what became of messages; `now` in microseconds. An endpoint that has left meanwhile gets no rows.

        "Pending" leaves a row as it is. What waits for something that was settled may be tried again.
        """
        with self._database.transaction() as db:
            if db.execute("SELECT 1 FROM sync_endpoint WHERE id = ?", (endpoint,)).fetchone() is None:
                return
            for outcome in outcomes:
                if outcome.verdict.settled:
                    self.mark_settled(endpoint, outcome.seq, outcome.cid)
                    tables.release(db, "sync_out", endpoint, outcome.provides)
                elif outcome.verdict.state is not State.PENDING:
                    self._fail(endpoint, outcome, now)

    def _fail(self, endpoint: int, outcome: Outcome, now: int) -> None:
        seq, verdict = outcome.seq, outcome.verdict
        query = "SELECT attempts, since FROM sync_out WHERE endpoint = ? AND seq = ?"
        attempts, since = self._db.execute(query, (endpoint, seq)).fetchone() or (0, None)
        attempts += 1
        self._db.execute(
            "INSERT OR REPLACE INTO sync_out"
            " (endpoint, seq, cid, state, code, detail, attempts, next_try, waits_for, since)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(endpoint, seq, outcome.cid, verdict.state, verdict.code, verdict.detail, attempts),
                *(verdict.next_try(attempts, now), verdict.waits_for, since or now),
            ),
        )

    def relist(self, endpoint: int, tenant: str, held: set[str]) -> int:
        """Begin anew: the endpoint told all that it holds, `held` of it also here. Inside a transaction.

        Returns how many messages that counted as settled turned out not to be there.
        """
        lost = 0
        rows_left = dict(self._db.execute("SELECT seq, state FROM sync_out WHERE endpoint = ?", (endpoint,)))
        reached = self.cursor(endpoint)
        self._db.execute("DELETE FROM sync_out WHERE endpoint = ? AND state = 'settled'", (endpoint,))
        self._db.execute("UPDATE sync_endpoint SET pushed_seq = 0 WHERE id = ?", (endpoint,))
        for seq, cid in self._beyond(endpoint, tenant):
            if cid in held:
                self.mark_settled(endpoint, seq, cid)
            else:
                lost += rows_left.get(seq, "settled" if seq <= reached else "pending") == "settled"
        return lost

    def due(self, endpoint: int, now: int, limit: int = WINDOW, after: int = 0) -> list[Row]:
        """Rows with a seq above `after` that may be sent now, oldest first."""
        due, moments = tables.is_due(now)
        where = f"endpoint = ? AND seq > ? AND state <> 'settled' AND {due}"
        return rows(self._db, "sync_out", "seq", where, (endpoint, after, *moments), limit)

    def is_settled(self, endpoint: int, seq: int) -> bool:
        """True if the endpoint needs nothing of this event any more (invariants 1 and 2 of the ledger)."""
        found = self._db.execute(
            "SELECT state FROM sync_out WHERE endpoint = ? AND seq = ?", (endpoint, seq)
        ).fetchone()
        return found[0] == "settled" if found else seq <= self.cursor(endpoint)

    def first_settled(self, endpoint: int, tenant: str) -> str | None:
        """The oldest message that the endpoint holds, as far as is known; only the oldest `WINDOW` are looked at."""
        entries = self._entries(tenant, 0, WINDOW)
        return next((cid for seq, cid in entries if self.is_settled(endpoint, seq)), None)

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

    def next_due(self, endpoint: int) -> int | None:
        """When the first row that must not be tried yet may be tried."""
        return tables.next_due(self._db, "sync_out", endpoint)

    def oldest(self, endpoint: int, tenant: str) -> int | None:
        """When the oldest message that the endpoint does not hold was made, or first failed."""
        ahead = self._entries(tenant, self.cursor(endpoint), 1)
        first = rows(self._db, "sync_out", "seq", "endpoint = ? AND state <> 'settled'", (endpoint,), 1)
        seqs = [seq for seq, _ in ahead if not self.is_settled(endpoint, seq)] + [row.order for row in first]
        return self._events.made(tenant, [min(seqs)]).get(min(seqs)) if seqs else None

    def retry(self, endpoint: int, cid: str | None) -> int:
        """Forget the backoff of a message, or of all; how many that are. Inside a transaction."""
        return tables.retry(self._db, "sync_out", endpoint, cid)

    def counts(self, endpoint: int, tenant: str) -> tuple[int, int]:
        """How many messages the endpoint does not hold yet, and how many of them it refused or blocks."""
        total, refused = counts(self._db, "sync_out", endpoint)
        cursor = self.cursor(endpoint)
        ahead = self._db.execute(
            "SELECT seq FROM sync_out WHERE endpoint = ? AND seq > ?", (endpoint, cursor)
        ).fetchall()
        seen = {seq for (seq,) in ahead}
        return total + sum(seq not in seen for seq, _ in self._beyond(endpoint, tenant)), refused

    def entries(self, tenant: str, after: int = 0) -> list[tuple[int, str]]:
        """All events of the tenant after a sequence number, as far as they are synced, oldest first."""
        found: list[tuple[int, str]] = []
        while page := self._entries(tenant, after, _WALK):
            found += page
            after = page[-1][0]
        return found

    def _beyond(self, endpoint: int, tenant: str) -> list[tuple[int, str]]:
        return self.entries(tenant, self.cursor(endpoint))

    def _entries(self, tenant: str, after: int, limit: int) -> Sequence[tuple[int, str]]:
        return self._events.entries_after(tenant, after, limit, self._scope.protocols(tenant))
