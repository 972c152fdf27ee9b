"""The ledger's entries: one for each message that is not settled with one endpoint, in a table for either direction.

Methods that say so must run inside a transaction; the others make their own. Times are microseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from web5.dwn.store.database import Database
from web5.dwn.store.store import Store
from web5.dwn.timestamps import format_timestamp
from web5.sync.plan.dependencies import time_key
from web5.sync.plan.policy import LONGEST, SOON, Outcome
from web5.sync.plan.push import Item
from web5.sync.states import State

SETTLED = "settled"
"""The state of a row that stands for no work: in `sync_out` beyond the cursor, in `sync_in` for a variant."""

MOST_LISTED = 200_000
"""Messages of one endpoint that are listed and not here yet; what it lists beyond is listed again when these are."""

WINDOW = 200
"""Events that are turned into entries at a time."""

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """One message that is not settled: its place in the log it comes from, and the fields of `states.Unsettled`."""

    position: int
    cid: str
    state: State
    code: int = 0
    detail: str = ""
    attempts: int = 0
    next_try: int | None = None
    waits_for: str | None = None
    since: int | None = None


class Summary(NamedTuple):
    """The number of unsettled messages, how many of them are refused or blocked, and when the first backoff ends."""

    unsettled: int
    refused: int
    next_due: int | None


class Entries:
    """The entries of one direction, in the table of this name; `key` is the column that tells an endpoint's apart."""

    table: str
    key: str

    def __init__(self, database: Database) -> None:
        self._database = database
        self._db = database.connection

    def due(self, endpoint: int, now: int, limit: int = -1, after: int = 0, there: int | None = None) -> list[Entry]:
        """Return the entries beyond position `after` that may be tried now, in their order.

        Parameters:
            limit: -1 is no limit.
            there: the time by the endpoint's clock, if that may be another.
        """
        # A due time that is too far ahead was written when this device's clock was ahead.
        latest, soon = (now + int(seconds * 1_000_000) for seconds in (LONGEST, SOON.most))
        reached = time_key(format_timestamp(now if there is None else there))
        due = (
            "position > ? AND (next_try IS NULL OR next_try <= ? OR next_try > ?"
            " OR (next_try > ? AND waits_for >= ? AND waits_for <= ?))"
        )
        return self._select(endpoint, limit, due, (after, now, latest, soon, time_key(""), reached))

    def unsettled(self, endpoint: int) -> list[Entry]:
        """Return the endpoint's entries, in their order."""
        return self._select(endpoint)

    def _select(
        self, endpoint: int, limit: int = -1, where: str = "1", values: tuple[int | str, ...] = ()
    ) -> list[Entry]:
        found = self._db.execute(
            "SELECT position, cid, state, code, detail, attempts, next_try, waits_for, since"
            f" FROM {self.table} WHERE endpoint = ? AND state <> 'settled' AND {where} ORDER BY position LIMIT ?",
            (endpoint, *values, limit),
        )
        return [Entry(position, cid, State(state), *rest) for position, cid, state, *rest in found]

    def summary(self, endpoint: int) -> Summary:
        [found] = self._db.execute(
            "SELECT count(*), count(*) FILTER (WHERE state IN ('refused', 'blocked')), min(next_try)"
            f" FROM {self.table} WHERE endpoint = ? AND state <> 'settled'",
            (endpoint,),
        )
        return Summary(*found)

    def count(self, endpoint: int, state: str) -> int:
        """Return the number of the endpoint's rows in a state."""
        query = f"SELECT count(*) FROM {self.table} WHERE endpoint = ? AND state = ?"
        number: int = self._db.execute(query, (endpoint, state)).get
        return number

    def release(self, endpoint: int, keys: Sequence[str]) -> None:
        """Let the messages that wait for one of these dependencies be tried again. Inside a transaction."""
        # Left to itself, SQLite looks at every row of the endpoint.
        self._db.executemany(
            f"UPDATE {self.table} INDEXED BY {self.table}_waiting SET next_try = NULL"
            " WHERE endpoint = ? AND waits_for = ? AND next_try IS NOT NULL",
            [(endpoint, key) for key in keys],
        )

    def retry(self, endpoint: int, cid: str | None) -> None:
        """Forget the backoff of a message, or of all. Inside a transaction."""
        self._db.execute(
            f"UPDATE {self.table} SET next_try = NULL WHERE endpoint = ? AND state <> 'settled' AND ifnull(cid = ?, 1)",
            (endpoint, cid),
        )

    def _fail(self, endpoint: int, key: int | str, outcome: Outcome, now: int) -> None:
        where = f"WHERE endpoint = ? AND {self.key} = ?"
        failures = self._db.execute(f"SELECT attempts FROM {self.table} {where}", (endpoint, key)).get
        if failures is not None:
            next_try = outcome.next_try(failures + 1, now)
            self._db.execute(
                f"UPDATE {self.table} SET state = ?, code = ?, detail = ?, attempts = ?, next_try = ?, waits_for = ?,"
                f" since = ifnull(since, ?) {where}",
                (
                    outcome.state,
                    outcome.code,
                    outcome.detail,
                    failures + 1,
                    next_try,
                    outcome.waits_for,
                    now,
                    endpoint,
                    key,
                ),
            )
            query = "UPDATE sync_endpoint SET tried = max(ifnull(tried, 0), ?) WHERE id = ?"
            self._db.execute(query, (now, endpoint))


class Inbox(Entries):
    """Messages that endpoints have listed and this node does not hold yet, and the variants among them, as settled."""

    table = "sync_in"
    key = "cid"

    def add(self, endpoint: int, cids: Sequence[str], now: int) -> bool:
        """Add newly listed messages, pending since `now`; return False if there are too many. Inside a transaction."""
        query = "SELECT ifnull(max(position), 0), count(*) FROM sync_in WHERE endpoint = ?"
        [(last, number)] = self._db.execute(query, (endpoint,)) if cids else [(0, 0)]
        fitting = cids[: max(0, MOST_LISTED - number)]
        self._db.executemany(
            "INSERT OR IGNORE INTO sync_in (endpoint, cid, position, state, since) VALUES (?, ?, ?, 'pending', ?)",
            [(endpoint, cid, position, now) for position, cid in enumerate(fitting, last + 1)],
        )
        return len(fitting) == len(cids)

    def settle(self, endpoint: int, cid: str) -> bool:
        """Drop an entry; return False if there was none. Inside a transaction."""
        self._db.execute("DELETE FROM sync_in WHERE endpoint = ? AND cid = ?", (endpoint, cid))
        return bool(self._db.changes())

    def gone(self, endpoint: int, cid: str) -> None:
        """Drop the entry of a message that the endpoint does not hold any more."""
        with self._database.transaction(makes_room=True):
            self.settle(endpoint, cid)

    def set_aside(self, endpoint: int, cid: str, record_id: str) -> None:
        """Record that a message is a variant of one of a record, so that it need not be fetched again."""
        with self._database.transaction(makes_room=True) as db:
            db.execute(
                "UPDATE sync_in SET state = 'settled', next_try = NULL, detail = ? WHERE endpoint = ? AND cid = ?",
                (record_id, endpoint, cid),
            )

    def variants(self, endpoint: int) -> dict[str, str]:
        """Return the variants that the endpoint has listed, with the IDs of their records."""
        query = "SELECT cid, detail FROM sync_in WHERE endpoint = ? AND state = 'settled'"
        return dict(self._db.execute(query, (endpoint,)))

    def keep(self, endpoint: int, cids: Sequence[str]) -> None:
        """Drop the entries of all other messages: the endpoint does not list them any more. Inside a transaction."""
        self._db.execute(
            "DELETE FROM sync_in WHERE endpoint = ? AND cid NOT IN (SELECT value FROM json_each(?))",
            (endpoint, json.dumps(list(cids))),
        )

    def failed(self, endpoint: int, cid: str, outcome: Outcome, now: int) -> None:
        """Record why a message is not here. The outcome "pending" leaves its entry as it is."""
        if outcome.state not in (None, State.PENDING):
            with self._database.transaction(makes_room=True):
                self._fail(endpoint, cid, outcome, now)

    def remaining(self, endpoint: int, cids: Sequence[str]) -> list[str]:
        """Return the messages among these that have an entry, in their order."""
        query = (
            "SELECT cid FROM sync_in WHERE endpoint = ? AND state <> 'settled'"
            " AND cid IN (SELECT value FROM json_each(?))"
        )
        found = {cid for (cid,) in self._db.execute(query, (endpoint, json.dumps(list(cids))))}
        return [cid for cid in cids if cid in found]

    def has_pending(self, endpoint: int) -> bool:
        """Return True if a message was not even tried yet."""
        query = "SELECT 1 FROM sync_in WHERE endpoint = ? AND state = 'pending' LIMIT 1"
        return self._db.execute(query, (endpoint,)).get is not None

    def oldest(self, endpoint: int) -> int | None:
        """Return when the oldest message was listed first."""
        query = "SELECT min(since) FROM sync_in WHERE endpoint = ? AND state <> 'settled'"
        since: int | None = self._db.execute(query, (endpoint,)).get
        return since


class Outbox(Entries):
    """The cursor `pushed_seq` over the engine's event log, and the exceptions to it; `position` is the event's seq.

    An entry beyond the cursor is an exception to "pending": it is settled already (state 'settled', never shown), or
    it was sent ahead of its turn and failed.

    """

    table = "sync_out"
    key = "position"

    def __init__(self, database: Database, store: Store, protocols: Callable[[str], Sequence[str] | None]) -> None:
        super().__init__(database)
        self._store = store
        self._protocols = protocols

    def _cursor(self, endpoint: int) -> tuple[str, int]:
        """Return the endpoint's tenant, and the event up to which there are entries."""
        query = "SELECT tenant, pushed_seq FROM sync_endpoint WHERE id = ?"
        return self._db.execute(query, (endpoint,)).fetchone() or ("", 0)

    def mark_settled(self, endpoint: int, seq: int, cid: str) -> None:
        """Record that the endpoint holds this message. Inside a transaction."""
        if seq > self._cursor(endpoint)[1]:
            self._db.execute(
                "INSERT OR REPLACE INTO sync_out (endpoint, position, cid, state) VALUES (?, ?, ?, 'settled')",
                (endpoint, seq, cid),
            )
        else:
            self._db.execute("DELETE FROM sync_out WHERE endpoint = ? AND position = ?", (endpoint, seq))

    def settle_listed(self, endpoint: int, held: set[str]) -> None:
        """Record that the endpoint listed messages that are held here too. Inside a transaction."""
        if not held:
            return
        self._db.executemany(
            "DELETE FROM sync_out WHERE cid = ? AND endpoint = ? AND state <> 'settled'",
            [(cid, endpoint) for cid in held],
        )
        for seq, cid in self._beyond(endpoint):
            if cid in held:
                self.mark_settled(endpoint, seq, cid)

    def open_window(self, endpoint: int) -> int:
        """Turn the next `WINDOW` events into entries where they are not settled; return how many events there were."""
        tenant, cursor = self._cursor(endpoint)
        events = self._events(tenant, cursor, WINDOW)
        if events:
            last = events[-1][0]
            with self._database.transaction(makes_room=True) as db:
                db.executemany(
                    "INSERT OR IGNORE INTO sync_out (endpoint, position, cid, state) VALUES (?, ?, ?, 'pending')",
                    [(endpoint, seq, cid) for seq, cid in events],
                )
                db.execute(
                    "DELETE FROM sync_out WHERE endpoint = ? AND position <= ? AND state = 'settled'", (endpoint, last)
                )
                db.execute("UPDATE sync_endpoint SET pushed_seq = ? WHERE id = ?", (last, endpoint))
        return len(events)

    def record(self, endpoint: int, outcomes: Sequence[tuple[Item, Outcome]], now: int) -> None:
        """Record the outcomes of sent messages; an endpoint that has left meanwhile gets no entries.

        "Pending" leaves an entry as it is. Messages that wait for one that was settled may be tried again.
        """
        with self._database.transaction(makes_room=True) as db:
            if not self._cursor(endpoint)[0]:
                return
            for item, outcome in outcomes:
                if outcome.settled:
                    self.mark_settled(endpoint, item.seq, item.cid)
                    self.release(endpoint, item.provides)
                elif outcome.state is not State.PENDING:
                    db.execute(
                        "INSERT OR IGNORE INTO sync_out (endpoint, position, cid, state) VALUES (?, ?, ?, 'pending')",
                        (endpoint, item.seq, item.cid),
                    )
                    self._fail(endpoint, item.seq, outcome, now)

    def relist(self, endpoint: int, held: set[str]) -> int:
        """Begin anew from a listing of everything, `held` of it also here; return how many settled messages are lost.

        Inside a transaction.
        """
        lost = 0
        reached = self._cursor(endpoint)[1]
        states = dict(self._db.execute("SELECT position, state FROM sync_out WHERE endpoint = ?", (endpoint,)))
        self._db.execute("DELETE FROM sync_out WHERE endpoint = ? AND state = 'settled'", (endpoint,))
        self._db.execute("UPDATE sync_endpoint SET pushed_seq = 0 WHERE id = ?", (endpoint,))
        for seq, cid in self._beyond(endpoint):
            if cid in held:
                self.mark_settled(endpoint, seq, cid)
            else:
                lost += states.get(seq, "settled" if seq <= reached else "pending") == "settled"
        return lost

    def is_settled(self, endpoint: int, seq: int) -> bool:
        """Return True if the endpoint needs nothing of this event any more (invariants 1 and 2 of the ledger)."""
        query = "SELECT state FROM sync_out WHERE endpoint = ? AND position = ?"
        state = self._db.execute(query, (endpoint, seq)).get
        return state == "settled" if state else seq <= self._cursor(endpoint)[1]

    def first_settled(self, endpoint: int) -> str | None:
        """Return the oldest message that the endpoint is known to hold; only the oldest `WINDOW` are looked at."""
        events = self._events(self._cursor(endpoint)[0], 0, WINDOW)
        return next((cid for seq, cid in events if self.is_settled(endpoint, seq)), None)

    def unsettled(self, endpoint: int) -> list[Entry]:
        """Return every message that the endpoint does not hold yet, oldest first."""
        implied = [Entry(seq, cid, State.PENDING) for seq, cid in self._implied(endpoint)]
        return sorted(super().unsettled(endpoint) + implied, key=lambda entry: entry.position)

    def summary(self, endpoint: int) -> Summary:
        found = super().summary(endpoint)
        return found._replace(unsettled=found.unsettled + len(self._implied(endpoint)))

    def oldest(self, endpoint: int) -> int | None:
        """Return when the oldest message that the endpoint does not hold was made."""
        tenant, cursor = self._cursor(endpoint)
        ahead = self._events(tenant, cursor, 1)
        seqs = [seq for seq, _ in ahead if not self.is_settled(endpoint, seq)]
        seqs += [entry.position for entry in self._select(endpoint, 1)]
        return self._store.made(tenant, [min(seqs)]).get(min(seqs)) if seqs else None

    def events(self, tenant: str, after: int = 0) -> list[tuple[int, str]]:
        """Return the synced events of the tenant after a sequence number, oldest first, as (seq, CID)."""
        found: list[tuple[int, str]] = []
        while page := self._events(tenant, after, _PAGE):
            found += page
            after = page[-1][0]
        return found

    def _beyond(self, endpoint: int) -> list[tuple[int, str]]:
        return self.events(*self._cursor(endpoint))

    def _implied(self, endpoint: int) -> list[tuple[int, str]]:
        """Return the events beyond the cursor that have no entry, so are pending."""
        query = "SELECT position FROM sync_out WHERE endpoint = ? AND position > ?"
        seen = {seq for (seq,) in self._db.execute(query, (endpoint, self._cursor(endpoint)[1]))}
        return [(seq, cid) for seq, cid in self._beyond(endpoint) if seq not in seen]

    def _events(self, tenant: str, after: int, limit: int) -> list[tuple[int, str]]:
        return self._store.entries_after(tenant, after, limit, self._protocols(tenant))
