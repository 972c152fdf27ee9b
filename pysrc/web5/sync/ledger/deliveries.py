"""The messages that were sent to somebody else: each is kept until his nodes have it, or until it is withdrawn.

Methods that write must run inside a transaction. Times are microseconds since 1970.

Invariants:
1. A delivery has a row for each endpoint of the target, as far as these are known; else one, without an endpoint.
2. A row is settled once its endpoint has the message. When all rows of a delivery are, all of them go.
3. A message that is not held by the engine is kept here, with its data, as long as a delivery of it has a row; so is
   one that is held, with small data, since the engine forgets it when its record is updated.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from web5.dwn.store.database import Database
from web5.dwn.values.timestamps import moment_of, moment_or_none
from web5.dwn.values.types import Message
from web5.strict_json import parse_own
from web5.sync.ledger.entries import FAILED, SETTLED
from web5.sync.plan.policy import Outcome
from web5.sync.states import DeliveryStatus, State

BLOB_PREFIX = "delivery-"
"""The beginning of the keys of blobs that are kept here."""


class Row(NamedTuple):
    """One message for one endpoint of a target."""

    id: int
    author: str
    target: str
    url: str
    cid: str
    record: str
    position: int
    state: State
    code: int
    detail: str
    attempts: int
    next_try: int | None
    waits_for: str | None
    since: int


class Carried(NamedTuple):
    """A message as it was sent, its data if they are small, or the key of the blob with them.

    Parameters:
        held: the engine held it when it was sent.
    """

    message: Message
    data: bytes | None = None
    blob: str | None = None
    held: bool = False


class Letter(NamedTuple):
    """A message to be delivered; `carried` is None if it is read where the engine holds it."""

    cid: str
    record: str
    carried: Carried | None = None


_COLUMNS = ", ".join(Row._fields)
_OF = "author = ? AND target = ?"
_DUE = "(next_try IS NULL OR next_try <= ? OR tried > ?)"
"""The condition of a row that may be tried now; where the clock was put back since, its due time counts for nothing."""


class DeliveryTable:
    """The deliveries of all authors."""

    def __init__(self, database: Database) -> None:
        self._db = database.connection

    # -- what is kept

    def count(self, author: str) -> int:
        """Return the number of an author's deliveries."""
        query = "SELECT count(DISTINCT position) FROM sync_delivery WHERE author = ?"
        return self._db.execute(query, (author,)).get or 0

    def targets(self, authors: Collection[str] | None = None) -> list[tuple[str, str]]:
        """Return the authors of deliveries, each with each target; None: of all authors."""
        found = self._db.execute("SELECT author, target FROM sync_delivery GROUP BY 1, 2 ORDER BY min(position)")
        return [(author, target) for author, target in found if authors is None or author in authors]

    def urls(self, author: str, target: str) -> set[str]:
        """Return the endpoints of which there are rows."""
        found = self._db.execute(f"SELECT DISTINCT url FROM sync_delivery WHERE {_OF}", (author, target))
        return {url for (url,) in found}

    def rows(self, author: str, target: str, *, cid: str | None = None, record: str | None = None) -> list[Row]:
        """Return the rows of a target that are not settled, of one message, or of one record."""
        chosen = {name: value for name, value in (("cid", cid), ("record", record)) if value is not None}
        where = "".join(f" AND {name} = ?" for name in chosen)
        return self._select(f"{_OF} AND state <> ?{where}", (author, target, SETTLED, *chosen.values()))

    def due(self, author: str, target: str, url: str, now: int, limit: int, after: int) -> list[Row]:
        """Return the rows of an endpoint beyond position `after` that may be tried now, in their order."""
        where = f"{_OF} AND url = ? AND position > ? AND state <> ? AND {_DUE}"
        return self._select(where, (author, target, url, after, SETTLED, now, now), "position", limit)

    def next_due(self, author: str, target: str, url: str) -> int | None:
        """Return when the first backoff ends of a row of an endpoint; None if there is none."""
        query = f"SELECT min(next_try) FROM sync_delivery WHERE {_OF} AND url = ? AND next_try IS NOT NULL"
        found: int | None = self._db.execute(query, (author, target, url)).get
        return found

    def page(
        self,
        authors: Collection[str] | None,
        *,
        after: int = 0,
        limit: int = -1,
        target: str | None = None,
        url: str | None = None,
        states: Collection[State] | None = None,
        cids: Collection[str] | None = None,
    ) -> list[Row]:
        """Return the rows that are not settled, by their IDs, as far as they fit all that is given."""
        where, values = ["id > ?", "state <> ?"], list[Any]([after, SETTLED])
        for column, chosen in (("author", authors), ("state", states), ("cid", cids)):
            if chosen is not None:
                where.append(f"{column} IN (SELECT value FROM json_each(?))")
                values.append(json.dumps(list(chosen)))
        for column, value in (("target", target), ("url", url)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        return self._select(" AND ".join(where), tuple(values), "id", limit)

    def _select(self, where: str, values: tuple[Any, ...], order: str = "position, id", limit: int = -1) -> list[Row]:
        query = f"SELECT {_COLUMNS} FROM sync_delivery WHERE {where} ORDER BY {order} LIMIT ?"
        found = [Row(*row) for row in self._db.execute(query, (*values, limit))]
        return [row._replace(state=State(row.state)) for row in found]

    def statuses(self, authors: Collection[str] | None) -> list[DeliveryStatus]:
        """Return the number of deliveries by endpoint."""
        refused = ", ".join(f"'{state}'" for state in FAILED)
        found = self._db.execute(
            f"SELECT author, target, url, count(*), sum(state IN ({refused})), min(since), min(next_try), max(detail)"
            " FROM sync_delivery WHERE state <> ? GROUP BY author, target, url ORDER BY min(position), url",
            (SETTLED,),
        )
        return [
            DeliveryStatus(author, target, url, number, refused, moment_of(since), moment_or_none(due), detail)
            for author, target, url, number, refused, since, due, detail in found
            if authors is None or author in authors
        ]

    def paused(self) -> dict[str, tuple[int, int]]:
        """Return until when endpoints asked to be left alone, and with which status."""
        found = self._db.execute(
            "SELECT url, max(next_try), code FROM sync_delivery"
            " WHERE state = ? AND code IN (429, 503) AND next_try IS NOT NULL GROUP BY url",
            (State.BLOCKED,),
        )
        return {url: (until, code) for url, until, code in found}

    # -- messages as they were sent

    def carried(self, author: str, cid: str) -> Carried | None:
        query = "SELECT message, data, blob, held FROM sync_carried WHERE author = ? AND cid = ?"
        found = self._db.execute(query, (author, cid)).fetchone()
        return None if found is None else Carried(parse_own(found[0]), found[1], found[2], bool(found[3]))

    def blobs(self) -> set[str]:
        """Return the keys of all blobs that are needed."""
        return {key for (key,) in self._db.execute("SELECT blob FROM sync_carried WHERE blob IS NOT NULL")}

    # -- changes

    def add(self, author: str, target: str, letters: Sequence[Letter], now: int) -> list[str]:
        """Add deliveries in this order, which are not yet at any endpoint; one that is there already begins anew.

        Returns:
            The blobs of messages that are kept already.
        """
        needless: list[str] = []
        for letter in letters:
            self._db.execute(f"DELETE FROM sync_delivery WHERE {_OF} AND cid = ?", (author, target, letter.cid))
            position = (self._db.execute("SELECT max(position) FROM sync_delivery").get or 0) + 1
            self._db.execute(
                "INSERT INTO sync_delivery (author, target, url, cid, record, position, since)"
                " VALUES (?, ?, '', ?, ?, ?, ?)",
                (author, target, letter.cid, letter.record, position, now),
            )
            if (carried := letter.carried) is not None:
                self._db.execute(
                    "INSERT OR IGNORE INTO sync_carried VALUES (?, ?, ?, ?, ?, ?)",
                    (author, letter.cid, json.dumps(carried.message), carried.data, carried.blob, carried.held),
                )
                if not self._db.changes() and carried.blob is not None:
                    needless.append(carried.blob)
        return needless

    def place(self, author: str, target: str, urls: Sequence[str]) -> list[str]:
        """Take over the target's endpoints (invariant 1); return the blobs that nothing needs any more.

        What had only endpoints that are gone moves to the others; what all that are left have is delivered.
        """
        known, urls = self.urls(author, target), urls or [""]
        only_new = known - {""} == set(urls)
        unplaced = " AND url = ''" if only_new else ""
        for url in urls:
            self._db.execute(
                "INSERT OR IGNORE INTO sync_delivery (author, target, url, cid, record, position, since)"
                " SELECT DISTINCT author, target, ?, cid, record, position, since FROM sync_delivery"
                f" WHERE {_OF}{unplaced} ORDER BY position",
                (url, author, target),
            )
        for url in known.difference(urls):
            self._db.execute(f"DELETE FROM sync_delivery WHERE {_OF} AND url = ?", (author, target, url))
        if not known - {""} - set(urls):
            return []
        cids = self._db.execute(f"SELECT DISTINCT cid FROM sync_delivery WHERE {_OF}", (author, target))
        return [blob for (cid,) in list(cids) for blob in self._tidy(author, target, cid)]

    def unplaced(self, author: str, target: str, outcome: Outcome, now: int) -> None:
        """Record why the endpoints of deliveries are not known."""
        self._db.execute(
            f"UPDATE sync_delivery SET state = ?, code = 0, detail = ?, tried = ? WHERE {_OF} AND url = ''",
            (State.PENDING, outcome.detail, now, author, target),
        )

    def settle(self, row: Row, provides: Iterable[str]) -> list[str]:
        """Record that an endpoint has a message, and let what waits for it there be tried; return needless blobs."""
        self._db.execute("UPDATE sync_delivery SET state = ?, next_try = NULL WHERE id = ?", (SETTLED, row.id))
        self._db.executemany(
            f"UPDATE sync_delivery SET next_try = NULL WHERE {_OF} AND url = ? AND waits_for = ?",
            [(row.author, row.target, row.url, key) for key in provides],
        )
        return self._tidy(row.author, row.target, row.cid)

    def fail(self, row: Row, outcome: Outcome, now: int) -> None:
        """Record why an endpoint does not have a message; "pending" costs it nothing."""
        attempts = row.attempts + (outcome.state is not State.PENDING)
        self._db.execute(
            "UPDATE sync_delivery SET state = ?, code = ?, detail = ?, attempts = ?, next_try = ?, tried = ?,"
            " waits_for = ? WHERE id = ?",
            (
                *(outcome.state, outcome.code, outcome.detail, attempts),
                *(outcome.not_before or outcome.next_try(max(1, attempts), now), now, outcome.waits_for, row.id),
            ),
        )

    def halt(self, author: str, target: str, url: str, outcome: Outcome, now: int) -> None:
        """Record why nothing more is sent to an endpoint now: of what is due there, it is the reason."""
        state = outcome.state if outcome.ends_visit else State.PENDING
        self._db.execute(
            "UPDATE sync_delivery SET state = ?, code = ?, detail = ?, tried = ?, next_try = ?"
            f" WHERE {_OF} AND url = ? AND state <> ? AND {_DUE}"
            # Most had the same reason before: of these no page is written anew.
            " AND (state, code, detail, ifnull(next_try, 0)) <> (?, ?, ?, ?)",
            (
                *(state, outcome.code, outcome.detail, now, outcome.not_before),
                *(author, target, url, SETTLED, now, now),
                *(state, outcome.code, outcome.detail, outcome.not_before or 0),
            ),
        )

    def retry(self, authors: Collection[str] | None, url: str | None = None, cid: str | None = None) -> None:
        """Forget the backoff of deliveries."""
        for author in {author for author, _ in self.targets(authors)}:
            self._db.execute(
                "UPDATE sync_delivery SET next_try = NULL"
                " WHERE author = ? AND ifnull(url = ?, 1) AND ifnull(cid = ?, 1)",
                (author, url, cid),
            )

    def drop(self, author: str, target: str, cid: str) -> list[str]:
        """Give a delivery up; return the blobs that nothing needs any more."""
        self._db.execute(f"DELETE FROM sync_delivery WHERE {_OF} AND cid = ?", (author, target, cid))
        return self._tidy(author, target, cid)

    def _tidy(self, author: str, target: str, cid: str) -> list[str]:
        """Drop a delivery that is done (invariant 2), and a message that is needed no more (invariant 3)."""
        left = f"SELECT 1 FROM sync_delivery WHERE {_OF} AND cid = ? AND state <> ? LIMIT 1"
        if self._db.execute(left, (author, target, cid, SETTLED)).get is None:
            self._db.execute(f"DELETE FROM sync_delivery WHERE {_OF} AND cid = ?", (author, target, cid))
        needed = "SELECT 1 FROM sync_delivery WHERE author = ? AND cid = ? LIMIT 1"
        if self._db.execute(needed, (author, cid)).get is not None:
            return []
        blob = self._db.execute("SELECT blob FROM sync_carried WHERE author = ? AND cid = ?", (author, cid)).get
        self._db.execute("DELETE FROM sync_carried WHERE author = ? AND cid = ?", (author, cid))
        return [] if blob is None else [blob]
