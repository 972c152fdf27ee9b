"""The messages to be sent to each endpoint: a cursor over the event log of the engine, and the exceptions to it.

Methods that say so must run inside a transaction; the others make their own. Times are microseconds since 1970.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress

from web5.dwn import Applied
from web5.dwn.store.database import Database
from web5.dwn.store.protocols import superseded
from web5.dwn.store.store import Store
from web5.errors import MessageDamaged
from web5.sync.ledger.entries import SETTLED, Entries, Entry
from web5.sync.ledger.totals import AHEAD, Totals
from web5.sync.plan.dependencies import provided_keys
from web5.sync.plan.policy import Outcome
from web5.sync.plan.push import Item
from web5.sync.states import State

WINDOW = 200
"""Events that are turned into entries at a time."""

_PASSED = 1000
"""Settled events that the cursor passes at a time."""

_PAGE = 1000


class Outbox(Entries):
    """The cursor `pushed_seq` over the engine's event log, and the exceptions to it; `position` is the event's seq.

    An entry beyond the cursor is an exception to "pending": it is settled already (state 'settled', never shown), or
    it was sent ahead of its turn and failed. `Totals` knows which events beyond it have none.
    """

    table = "sync_out"
    key = "position"

    def __init__(
        self, database: Database, totals: Totals, store: Store, protocols: Callable[[str], Sequence[str] | None]
    ) -> None:
        super().__init__(database, totals)
        self._store = store
        self._protocols = protocols

    def _cursor(self, endpoint: int) -> tuple[str, int]:
        """Return the endpoint's tenant, and the event up to which there are entries."""
        query = "SELECT tenant, pushed_seq FROM sync_endpoint WHERE id = ?"
        return self._db.execute(query, (endpoint,)).fetchone() or ("", 0)

    def appended(self, endpoint: int, applied: Applied) -> None:
        """Take note of a message that was just stored, as far as it is to be synced. Inside a transaction."""
        protocols = self._protocols(applied.tenant)
        if protocols is None or self._store.entries_after(applied.tenant, applied.seq - 1, 1, protocols):
            self._totals.add(endpoint, applied.seq)

    def recount(self, endpoint: int) -> None:
        """Find the events beyond the cursor that have no entry. Inside a transaction."""
        tenant, cursor = self._cursor(endpoint)
        self._totals.fill(endpoint, tenant, cursor, self._protocols(tenant))

    def mark_settled(self, endpoint: int, seq: int, cid: str) -> None:
        """Record that the endpoint holds this message. Inside a transaction."""
        if seq > self._cursor(endpoint)[1]:
            self._db.execute(
                "INSERT INTO sync_out (endpoint, position, cid, state) VALUES (?, ?, ?, 'settled')"
                " ON CONFLICT (endpoint, position) DO UPDATE SET state = 'settled', next_try = NULL, waits_for = NULL",
                (endpoint, seq, cid),
            )
        else:
            self._db.execute("DELETE FROM sync_out WHERE endpoint = ? AND position = ?", (endpoint, seq))

    def reopen(self, endpoint: int, seq: int, cid: str) -> None:
        """Record that the endpoint needs a message after all. Inside a transaction."""
        if self.is_settled(endpoint, seq):
            self._db.execute(
                "INSERT INTO sync_out (endpoint, position, cid, state) VALUES (?, ?, ?, 'pending')"
                " ON CONFLICT (endpoint, position) DO UPDATE SET state = 'pending'",
                (endpoint, seq, cid),
            )

    def came(self, endpoint: int, seq: int, cid: str, states: Collection[tuple[str, str]]) -> None:
        """Record that the endpoint holds a message that was just stored. Inside a transaction.

        Where nothing is pending before it, the cursor passes it, which costs no entry.

        Parameters:
            states: the endpoint's (`Totals.states`).
        """
        if (self.table, AHEAD) in states or (self.table, SETTLED) in states:
            self.mark_settled(endpoint, seq, cid)
        else:
            passed = "UPDATE sync_endpoint SET pushed_seq = ? WHERE id = ? AND pushed_seq < ?"
            self._db.execute(passed, (seq, endpoint, seq))

    def settle_listed(self, endpoint: int, held: set[str]) -> None:
        """Record that the endpoint listed messages that are held here too. Inside a transaction.

        What waits there for one that somebody else has brought may be tried again.
        """
        if not held:
            return
        came = self._came(endpoint, held)
        self._db.executemany(
            "DELETE FROM sync_out INDEXED BY sync_out_cid WHERE endpoint = ? AND cid = ? AND state <> 'settled'",
            [(endpoint, cid) for cid in held],
        )
        tenant, cursor = self._cursor(endpoint)
        for seq, cid in self._store.positions(tenant, held):
            if seq > cursor:
                self.mark_settled(endpoint, seq, cid)
        self.release(endpoint, came)

    def _came(self, endpoint: int, held: Collection[str]) -> list[str]:
        """Return what the messages provide that the endpoint is not known to hold yet, if something waits there."""
        if not self.count(endpoint, State.WAITING):
            return []
        store, tenant, keys = self._store, self._store.tenant(self._cursor(endpoint)[0]), list[str]()
        for entry in self.unsettled(endpoint, cids=held):
            if (row := store.message(tenant, entry.cid)) is not None:
                with suppress(MessageDamaged):
                    keys += provided_keys(row.message, store.initial_write(tenant, row.record_id))
        return keys

    def open_window(self, endpoint: int) -> int:
        """Turn the next `WINDOW` events into entries where they are not settled; return how many events there were."""
        tenant, cursor = self._cursor(endpoint)
        events = self._totals.ahead(endpoint, 0, WINDOW)
        last = events[-1][0] if len(events) == WINDOW else self._store.last_of(tenant)
        last = self._end(endpoint, last)
        events = [(seq, cid) for seq, cid in events if seq <= last]
        if last <= cursor:
            return 0
        with self._database.transaction(makes_room=True) as db:
            db.executemany(
                "INSERT INTO sync_out (endpoint, position, cid, state) VALUES (?, ?, ?, 'pending')",
                [(endpoint, seq, cid) for seq, cid in events],
            )
            db.execute(
                "DELETE FROM sync_out INDEXED BY sync_out_by_state"
                " WHERE endpoint = ? AND state = 'settled' AND position <= ?",
                (endpoint, last),
            )
            passed = db.changes()
            db.execute("UPDATE sync_endpoint SET pushed_seq = ? WHERE id = ?", (last, endpoint))
        return len(events) + passed

    def _end(self, endpoint: int, last: int) -> int:
        """Return the event up to which there are no more than `_PASSED` settled ones; `last` at the most."""
        query = (
            "SELECT position FROM sync_out INDEXED BY sync_out_by_state"
            " WHERE endpoint = ? AND state = 'settled' AND position < ? ORDER BY position LIMIT 1 OFFSET ?"
        )
        seq: int | None = self._db.execute(query, (endpoint, last, _PASSED)).get
        return last if seq is None else seq

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

        No endpoint lists superseded definitions; those that it had are lost if others are. Inside a transaction.
        """
        came = self._came(endpoint, held)
        lost, of_history = 0, list[tuple[int, str]]()
        unlisted = self._superseded(endpoint)
        reached = self._cursor(endpoint)[1]
        states = dict(self._db.execute("SELECT position, state FROM sync_out WHERE endpoint = ?", (endpoint,)))
        self._db.execute("DELETE FROM sync_out WHERE endpoint = ? AND state = 'settled'", (endpoint,))
        self._db.execute("UPDATE sync_endpoint SET pushed_seq = 0 WHERE id = ?", (endpoint,))
        for seq, cid in self._beyond(endpoint):
            if cid in held:
                self.mark_settled(endpoint, seq, cid)
            elif states.get(seq, "settled" if seq <= reached else "pending") == "settled":
                if cid in unlisted:
                    of_history.append((seq, cid))
                else:
                    lost += 1
        for seq, cid in [] if lost else of_history:
            self.mark_settled(endpoint, seq, cid)
        self.release(endpoint, came)
        self.recount(endpoint)
        return lost

    def _superseded(self, endpoint: int) -> set[str]:
        return superseded(self._store, self._store.tenant(self._cursor(endpoint)[0]))

    def is_settled(self, endpoint: int, seq: int) -> bool:
        """Return True if the endpoint needs nothing of this event any more (invariants 1 and 2 of the ledger)."""
        query = "SELECT state FROM sync_out WHERE endpoint = ? AND position = ?"
        state = self._db.execute(query, (endpoint, seq)).get
        return state == "settled" if state else seq <= self._cursor(endpoint)[1]

    def settled(self, endpoint: int, besides: Collection[str]) -> list[str]:
        """Return messages that the endpoint is known to hold, besides these, newest first; `WINDOW` are looked at."""
        tenant = self._cursor(endpoint)[0]
        protocols = self._protocols(tenant)
        if protocols is None:
            events = self._store.last_entries(tenant, WINDOW)
        else:  # the newest of some protocols may lie before any number of others
            events = sorted(self._store.some_of(tenant, protocols, WINDOW), reverse=True)
        left_out = self._superseded(endpoint).union(besides)
        return [cid for seq, cid in events if cid not in left_out and self.is_settled(endpoint, seq)]

    def has_settled(self, endpoint: int, cids: Collection[str]) -> bool:
        """Return True if the endpoint is known to hold one of these messages, superseded definitions left out."""
        found = self._store.positions(self._cursor(endpoint)[0], cids) if cids else []
        settled = {cid for seq, cid in found if self.is_settled(endpoint, seq)}
        return bool(settled and settled - self._superseded(endpoint))

    def unsettled(
        self,
        endpoint: int,
        limit: int = -1,
        after: int = 0,
        states: Collection[State] = tuple(State),
        cids: Collection[str] | None = None,
    ) -> list[Entry]:
        """Return the messages that the endpoint does not hold yet, oldest first; see `Entries.unsettled`."""
        found = super().unsettled(endpoint, limit, after, states, cids)
        ahead: list[Entry] = []
        if State.PENDING in states:
            ahead = [Entry(seq, cid, State.PENDING) for seq, cid in self._totals.ahead(endpoint, after, limit, cids)]
        merged = list(heapq.merge(found, ahead, key=lambda entry: entry.position))
        return merged if limit < 0 else merged[:limit]

    def oldest(self, endpoint: int) -> int | None:
        """Return when the oldest message that the endpoint does not hold was made."""
        made = self._store.made(self._cursor(endpoint)[0], [one.position for one in self.unsettled(endpoint, 1)])
        return next(iter(made.values()), None)

    def events(self, tenant: str, after: int = 0) -> list[tuple[int, str]]:
        """Return the synced events of the tenant after a sequence number, oldest first, as (seq, CID)."""
        found: list[tuple[int, str]] = []
        while page := self._events(tenant, after, _PAGE):
            found += page
            after = page[-1][0]
        return found

    def _beyond(self, endpoint: int) -> list[tuple[int, str]]:
        return self.events(*self._cursor(endpoint))

    def _events(self, tenant: str, after: int, limit: int) -> list[tuple[int, str]]:
        return self._store.entries_after(tenant, after, limit, self._protocols(tenant))
