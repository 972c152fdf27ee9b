"""The messages that were sent to an endpoint since it last listed its own.

An endpoint that lists messages anew which it is known to hold, and which nobody here has sent to it meanwhile, has lost
them, and got them again from others. What it lost besides, nobody may have sent again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection

from web5.sync.states import Listing

MOST = 1000
"""The messages that are kept in mind for a log; with more of them its next listing is no evidence."""


class Unlisted:
    """Messages that an endpoint may list next in one log, though it is known to hold them."""

    def __init__(self) -> None:
        self._sent: set[str] = set()
        self._is_complete = False
        self._begun_complete = False
        self._strays = False

    def add(self, cid: str) -> None:
        """Take note of a message that is being sent to the endpoint."""
        self._sent.add(cid)
        if len(self._sent) > MOST:
            self._sent.clear()
            self._is_complete = self._begun_complete = False

    def begin(self) -> None:
        """Take note that a listing is requested: it names all that was sent until now."""
        self._begun_complete = True

    def others(self, named: Collection[str]) -> list[str]:
        """Return the messages of a listing that were not sent from here; none where that is not known of all."""
        is_evidence = self._is_complete and not self._strays
        return [cid for cid in named if cid not in self._sent] if is_evidence else []

    def ended(self, listing: Listing, *, whole: bool) -> None:
        """Take over a listing.

        Parameters:
            whole: False if it may go on, or will be made once more.
        """
        self._sent.difference_update(listing.cids)
        self._is_complete = self._begun_complete and whole
        # Where a cursor is not that of the last message, what is listed next begins anywhere.
        self._strays |= bool(listing.cids) and (listing.cursor or {}).get("messageCid") != listing.cids[-1]


class UnlistedOf(defaultdict[int, defaultdict[str, Unlisted]]):
    """The unlisted messages of all endpoints, by the ID of the endpoint and the name of its log."""

    def __init__(self) -> None:
        super().__init__(lambda: defaultdict(Unlisted))

    def sent(self, endpoint: int, cid: str) -> None:
        """Take note of a message that is being sent to an endpoint."""
        for log in self.get(endpoint, {}).values():
            log.add(cid)
