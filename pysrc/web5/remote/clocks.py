"""The clocks of remote nodes, as they tell them: what a node is asked is dated by its own.

Invariants:
1. A node moves only its own clock, which dates only questions that it is asked. Messages keep their own dates. It has
   another for each identity that asks, so that its own lie does not tell it that two of them are the same person.
2. No node makes a question that is dated more than `MOST_AHEAD` after this device's clock: it could keep that, and ask
   another node with it when its time has come. (A date in the past is of use nowhere, so that is not bounded.)
3. How far this device's clock is from a node's is measured to tell the person (`NodeClocks.ahead`), and does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime

from web5.dwn.time_window import told_time
from web5.dwn.values.timestamps import microseconds
from web5.lru import LruCache
from web5.ports.clock import Clock
from web5.urls import same_endpoint

MOST_AHEAD = 24 * 60 * 60 * 1_000_000
"""Microseconds. A clock that is set to the local time of another zone, or to yesterday, is wrong by less."""

TOLERATED = 60 * 1_000_000
"""Microseconds by which a clock may differ from a node's without the person being told."""

SLOWEST = 10.0
"""Seconds after which an answer says too little of when it was made."""

REMEMBERED = 256

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)"
_HTTP_DATES = (
    re.compile(rf"\w+, (?P<day>\d\d)[ -](?P<month>\w{{3}})[ -](?P<year>\d{{4}}|\d\d) {_TIME} GMT", re.ASCII),
    re.compile(rf"\w{{3}} (?P<month>\w{{3}}) (?P<day>[ \d]\d) {_TIME} (?P<year>\d{{4}})", re.ASCII),
)
"""The forms of dates in HTTP, today's and both obsolete ones (RFC 9110, section 5.6.7)."""


class NodeClock:
    """The clock of one node for one identity (a `Clock`): this device's, until the node says otherwise.

    Parameters:
        told: called with what the node says, in microseconds since 1970.
    """

    def __init__(self, clock: Clock, told: Callable[[int], None]) -> None:
        self._clock = clock
        self._told = told
        self._shift = 0

    def now(self) -> int:
        return self._clock.now() + self._shift

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)

    def learn(self, detail: str) -> bool:
        """Take over the time that a refusal with this detail tells; return True if a question is worth asking anew."""
        told, here = told_time(detail), self._clock.now()
        if told is None:
            return False
        self._told(told)
        if told - here > MOST_AHEAD:
            return False
        self._shift = told - here
        return True


class NodeClocks:
    """The clocks of the nodes that were asked lately; `clock` is this device's."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._known: LruCache[tuple[str, str], NodeClock] = LruCache(REMEMBERED)
        self._ahead: LruCache[str, int] = LruCache(REMEMBERED)

    def of(self, endpoint: str, did: str) -> NodeClock:
        """Return the clock of the node with this URL, as it tells it to the one who asks."""
        key = same_endpoint(endpoint), did
        if (found := self._known.get(key)) is None:
            found = NodeClock(self.clock, lambda told: self._saw(endpoint, told))
            self._known.put(key, found)
        return found

    def ahead(self, endpoint: str) -> int | None:
        """Return the microseconds by which this device's clock was ahead of the node's when that told it last.

        They are negative if it was behind; None if the node never told.
        """
        return self._ahead.get(same_endpoint(endpoint))

    def is_off(self, endpoint: str) -> bool:
        """Return True if this device's clock was further from the node's than is tolerated."""
        return abs(self.ahead(endpoint) or 0) > TOLERATED

    def answered(self, endpoint: str, date: str | None, seconds: float) -> None:
        """Note that the node has just answered.

        Parameters:
            date: the header of that name, if it can be seen.
            seconds: how long the answer took.
        """
        told = None if date is None or seconds > SLOWEST else http_date(date)
        if told is not None:
            self._saw(endpoint, told + 500_000)  # it tells whole seconds

    def _saw(self, endpoint: str, told: int) -> None:
        self._ahead.put(same_endpoint(endpoint), self.clock.now() - told)


def http_date(text: str) -> int | None:
    """Return the moment of a date in HTTP in microseconds since 1970, or None if it is none."""
    match = next(filter(None, (form.fullmatch(text.strip()) for form in _HTTP_DATES)), None)
    if match is None or match["month"] not in _MONTHS:
        return None
    year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
    hour, minute, second = (int(match[part]) for part in ("hour", "minute", "second"))
    try:
        moment = datetime(year, 1 + _MONTHS.index(match["month"]), int(match["day"]), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return microseconds(moment)
