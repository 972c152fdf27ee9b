"""How far each endpoint's log was read, and what tells that it is still the same log."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import apsw

from web5.sync.states import Listing

Cursor = dict[str, Any]

REPEATED = 32
"""A listing of at most so many messages is asked for again with the next one, to see that its last is still there."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How far an endpoint's log was read.

    Parameters:
        cursor: where the log went on when it was last listed; None: it never was.
        start: the cursor to ask with: `cursor`, or the one before it, if the last listing is to be repeated.
        batch: what was listed last; only the last of it, if that is not to be repeated.
    """

    cursor: Cursor | None = None
    start: Cursor | None = None
    batch: tuple[str, ...] = ()

    @property
    def witness(self) -> str | None:
        """The last message that was listed."""
        return self.batch[-1] if self.batch else None

    @property
    def repeats(self) -> bool:
        """Whether the next listing names the batch again, if the endpoint still has it."""
        return bool(self.batch) and self.start != self.cursor

    def is_continued_by(self, listing: Listing) -> bool:
        """False if a listing from `start` cannot be of the same log: a log only grows at its end, and loses messages.

        It says nothing of a listing that does not name the witness any more.
        """
        if not self.repeats or self.witness not in listing.cids:
            return True
        place = listing.cids.index(self.witness)
        grown = place + 1 < len(listing.cids)
        return set(listing.cids[:place]) <= set(self.batch) and (grown or listing.cursor == self.cursor)


class Feeds:
    """Rows of `sync_feed`."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db

    def get(self, endpoint: int, feed: str) -> Reading:
        """How far a feed of the endpoint was read."""
        found = self._db.execute(
            "SELECT cursor, start, batch FROM sync_feed WHERE endpoint = ? AND feed = ?", (endpoint, feed)
        ).fetchone()
        return Reading(json.loads(found[0]), json.loads(found[1]), tuple(json.loads(found[2]))) if found else Reading()

    def read_up_to(self, endpoint: int, feed: str, listing: Listing) -> None:
        """Keep how far a listing went. The next repeats its end if that is cheap, so that a log which has lost it is
        noticed. Inside a transaction."""
        known = self.get(endpoint, feed)
        repeated = known.witness in listing.cids
        fresh = listing.cids[listing.cids.index(known.witness or "") + 1 :] if repeated else listing.cids
        if listing.cursor is None or not fresh:
            return
        start = known.cursor if repeated else listing.begun
        if len(fresh) > REPEATED:
            start, fresh = listing.cursor, fresh[-1:]
        self._db.execute(
            "INSERT OR REPLACE INTO sync_feed VALUES (?, ?, ?, ?, ?)",
            (endpoint, feed, json.dumps(listing.cursor), json.dumps(start), json.dumps(fresh)),
        )

    def forget(self, endpoint: int, feed: str) -> None:
        """Begin anew. Inside a transaction."""
        self._db.execute("DELETE FROM sync_feed WHERE endpoint = ? AND feed = ?", (endpoint, feed))
