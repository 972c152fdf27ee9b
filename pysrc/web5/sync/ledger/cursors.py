"""The position in each endpoint's log, and the evidence that it is still the same log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import apsw

from web5.strict_json import parse_own
from web5.sync.states import Listing

Cursor = dict[str, Any]

REPEATED = 32
"""A listing of at most so many messages is asked for again with the next one, to see that its last is still there."""


@dataclass(frozen=True, slots=True)
class LogPosition:
    """A position in an endpoint's log.

    Parameters:
        cursor: where the log went on when it was last listed; None: it never was.
        start: the cursor to ask with: `cursor`, or the one before it, if the last listing is to be repeated.
        batch: the messages listed last; only the last of them, if that is not to be repeated.
    """

    cursor: Cursor | None = None
    start: Cursor | None = None
    batch: tuple[str, ...] = ()

    @property
    def last_cid(self) -> str | None:
        return self.batch[-1] if self.batch else None

    @property
    def repeats_batch(self) -> bool:
        """True if the next listing names the batch again, provided that the endpoint still has it."""
        return bool(self.batch) and self.start != self.cursor

    def repeated_in(self, listing: Listing) -> set[str]:
        """Return the messages of the batch that a listing only repeats; beyond the last of them, one came anew."""
        if self.last_cid not in listing.cids or not self.is_continued_by(listing):
            return set()
        return set(self.batch).intersection(listing.cids[: listing.cids.index(self.last_cid) + 1])

    def is_continued_by(self, listing: Listing) -> bool:
        """Return False if a listing from `start` cannot be of the same log: one only grows at its end, and loses.

        A listing that does not name the last message any more is no evidence either way.
        """
        if not self.repeats_batch or self.last_cid not in listing.cids:
            return True
        place = listing.cids.index(self.last_cid)
        grown = place + 1 < len(listing.cids)
        return set(listing.cids[:place]) <= set(self.batch) and (grown or listing.cursor == self.cursor)


class CursorTable:
    """Rows of `sync_cursor`; `log` is the name of a `RemoteLog`. Changes must run inside a transaction."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def get(self, endpoint: int, log: str) -> LogPosition:
        query = "SELECT cursor, start, batch FROM sync_cursor WHERE endpoint = ? AND log = ?"
        found = self._db.execute(query, (endpoint, log)).fetchone()
        if found is None:
            return LogPosition()
        cursor, start, batch = map(parse_own, found)
        return LogPosition(cursor, start, tuple(batch))

    def advance(self, endpoint: int, log: str, listing: Listing) -> None:
        """Move to the end of a listing, which the next one repeats if that is cheap, to notice if it is lost."""
        known = self.get(endpoint, log)
        repeated = known.last_cid in listing.cids
        fresh = listing.cids[listing.cids.index(known.last_cid or "") + 1 :] if repeated else listing.cids
        if listing.cursor is None or not fresh:
            return
        start = known.cursor if repeated else listing.begun
        if len(fresh) > REPEATED:
            start, fresh = listing.cursor, fresh[-1:]
        self._db.execute(
            "INSERT OR REPLACE INTO sync_cursor VALUES (?, ?, ?, ?, ?)",
            (endpoint, log, json.dumps(listing.cursor), json.dumps(start), json.dumps(fresh)),
        )

    def forget(self, endpoint: int, log: str) -> None:
        self._db.execute("DELETE FROM sync_cursor WHERE endpoint = ? AND log = ?", (endpoint, log))
