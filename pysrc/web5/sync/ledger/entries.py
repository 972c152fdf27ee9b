"""The ledger's entries: one for each message that is not settled with one endpoint, in a table for either direction.

Methods that say so must run inside a transaction; the others make their own. Times are microseconds since 1970.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from web5.dwn.store.database import Database
from web5.dwn.values.timestamps import format_timestamp
from web5.sync.ledger.totals import AHEAD, Totals
from web5.sync.plan.dependencies import time_key
from web5.sync.plan.policy import LONGEST, SOON, Outcome
from web5.sync.states import State

SETTLED = "settled"
"""The state of a row that stands for no work: in `sync_out` beyond the cursor, in `sync_in` for a variant."""

MOST_LISTED = 200_000
"""Messages of one endpoint that are listed and not here yet; what it lists beyond is listed again when these are."""

FAILED = (State.REFUSED, State.BLOCKED)

_NOT_TRIED = (State.PENDING, SETTLED, AHEAD)
"""The states of what waits for nothing."""

_READY = "next_try IS NULL AND state NOT IN ('pending', 'settled')"
"""The condition of the index `…_ready`, word for word."""


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
    """The entries of one direction, in the table of this name; `key` is the column that tells an endpoint's apart.

    What is asked for while sync runs is found by an index, or counted by `Totals`: it takes no longer with more rows.
    Statements name their index: left to itself, SQLite would look at every row of the endpoint.
    """

    table: str
    key: str

    def __init__(self, database: Database, totals: Totals) -> None:
        self._database = database
        self._db = database.connection
        self._totals = totals

    def due(self, endpoint: int, now: int, limit: int = -1, after: int = 0, there: int | None = None) -> list[Entry]:
        """Return the entries beyond position `after` that may be tried now, in their order.

        Parameters:
            limit: -1 is no limit.
            there: the time by the endpoint's clock, if that may be another.
        """
        self._end_backoffs(endpoint, now, now if there is None else there)
        pending = self._select("by_state", endpoint, "state = 'pending' AND position > ?", (after,), limit)
        ready = self._select("ready", endpoint, f"{_READY} AND position > ?", (after,), limit)
        return _first(pending + ready, limit)

    def _end_backoffs(self, endpoint: int, now: int, there: int) -> None:
        """Let the messages whose time has come be tried again."""
        # A due time that is too far ahead was written when this device's clock was ahead.
        latest, soon = (now + int(seconds * 1_000_000) for seconds in (LONGEST, SOON.most))
        reached = time_key(format_timestamp(there))
        for index, condition, values in (
            ("later", "next_try <= ?", (now,)),
            ("later", "next_try > ?", (latest,)),
            ("waiting", "waits_for >= ? AND waits_for <= ? AND next_try > ?", (time_key(""), reached, soon)),
        ):
            rows = f"{self.table} INDEXED BY {self.table}_{index}"
            where = f"WHERE endpoint = ? AND next_try IS NOT NULL AND {condition}"
            if self._db.execute(f"SELECT 1 FROM {rows} {where} LIMIT 1", (endpoint, *values)).get is not None:
                with self._database.transaction(makes_room=True) as db:
                    db.execute(f"UPDATE {rows} SET next_try = NULL {where}", (endpoint, *values))

    def unsettled(
        self,
        endpoint: int,
        limit: int = -1,
        after: int = 0,
        states: Collection[State] = tuple(State),
        cids: Collection[str] | None = None,
    ) -> list[Entry]:
        """Return the endpoint's entries in their order.

        Parameters:
            limit: of their number; -1: none.
            after: only those beyond this position.
            states: only those in these states.
            cids: only those of these messages.
        """
        if cids is not None:
            listed = "cid IN (SELECT value FROM json_each(?)) AND position > ?"
            found = self._select("cid", endpoint, listed, (json.dumps(list(cids)), after))
            return _first([entry for entry in found if entry.state in states], limit)
        here = self._totals.of(endpoint, self.table)
        each = [
            self._select("by_state", endpoint, "state = ? AND position > ?", (state, after), limit)
            for state in states
            if state in here
        ]
        return _first([entry for of_state in each for entry in of_state], limit)

    def _select(
        self, index: str, endpoint: int, where: str, values: tuple[int | str, ...], limit: int = -1
    ) -> list[Entry]:
        found = self._db.execute(
            "SELECT position, cid, state, code, detail, attempts, next_try, waits_for, since"
            f" FROM {self.table} INDEXED BY {self.table}_{index}"
            f" WHERE endpoint = ? AND {where} ORDER BY position LIMIT ?",
            (endpoint, *values, limit),
        )
        return [Entry(position, cid, State(state), *rest) for position, cid, state, *rest in found if state != SETTLED]

    def summary(self, endpoint: int) -> Summary:
        here = self._totals.of(endpoint, self.table)
        later = f"{self.table} INDEXED BY {self.table}_later"
        query = f"SELECT min(next_try) FROM {later} WHERE endpoint = ? AND next_try IS NOT NULL"
        unsettled = sum(number for state, number in here.items() if state != SETTLED)
        refused = sum(here.get(state, 0) for state in FAILED)
        return Summary(unsettled, refused, self._db.execute(query, (endpoint,)).get)

    def oldest(self, endpoint: int) -> int | None:
        """Return when the first of the messages was listed or made."""
        return next((entry.since for entry in self.unsettled(endpoint, 1)), None)

    def refusals(self, endpoint: int) -> list[tuple[int, str]]:
        """Return the codes with which messages were refused or blocked, each with the detail of one of them."""
        query = (
            f"SELECT code, detail FROM {self.table} INDEXED BY {self.table}_refused"
            " WHERE endpoint = ? AND state IN ('refused', 'blocked') AND code > ? ORDER BY code LIMIT 1"
        )
        found: list[tuple[int, str]] = []
        while one := self._db.execute(query, (endpoint, found[-1][0] if found else -1)).fetchone():
            found.append(one)  # one by one: there are few codes, and any number of messages
        return found

    def count(self, endpoint: int, state: str) -> int:
        """Return the number of the endpoint's messages in a state."""
        here = self._totals.of(endpoint, self.table)
        return here.get(state, 0) + (here.get(AHEAD, 0) if state == State.PENDING else 0)

    def release(self, endpoint: int, keys: Sequence[str]) -> None:
        """Let the messages that wait for one of these dependencies be tried again. Inside a transaction."""
        # Not `executemany`, which takes longer than one or two of these.
        update = (
            f"UPDATE {self.table} INDEXED BY {self.table}_waiting SET next_try = NULL"
            " WHERE endpoint = ? AND waits_for = ? AND next_try IS NOT NULL"
        )
        for key in keys:
            self._db.execute(update, (endpoint, key))

    def have_failed(self, states: Collection[tuple[str, str]]) -> bool:
        """Return True if a message has failed, and may wait for another; `states` are the endpoint's (`Totals`)."""
        return any(side == self.table and state not in _NOT_TRIED for side, state in states)

    def retry(self, endpoint: int, cid: str | None) -> None:
        """Forget the backoff of a message, or of all. Inside a transaction."""
        self._db.execute(
            f"UPDATE {self.table} INDEXED BY {self.table}_later SET next_try = NULL"
            " WHERE endpoint = ? AND next_try IS NOT NULL AND ifnull(cid = ?, 1)",
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
        last = self._db.execute("SELECT max(position) FROM sync_in WHERE endpoint = ?", (endpoint,)).get or 0
        number = sum(self._totals.of(endpoint, "sync_in").values())
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
        return self.count(endpoint, State.PENDING) > 0


def _first(entries: list[Entry], limit: int) -> list[Entry]:
    """Return the first entries by their position; -1: all."""
    found = sorted(entries, key=lambda entry: entry.position)
    return found if limit < 0 else found[:limit]
