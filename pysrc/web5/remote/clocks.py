"""The clocks of remote nodes, as they tell them: what a node is asked is dated by its own.

Invariants:
1. A node moves only its own clock, which dates only questions that it is asked. Messages keep their own dates. It has
   another for each identity that asks, so that its own lie does not tell it that two of them are the same person.
2. No node makes a question that is dated more than `MOST_AHEAD` after this device's clock: it could keep that, and ask
   another node with it when its time has come. (A date in the past is of use nowhere, so that is not bounded.)
"""

from __future__ import annotations

from web5.dwn.time_window import told_time
from web5.lru import LruCache
from web5.ports.clock import Clock

MOST_AHEAD = 24 * 60 * 60 * 1_000_000
"""Microseconds. A clock that is set to the local time of another zone, or to yesterday, is wrong by less."""

REMEMBERED = 256


class NodeClock:
    """The clock of one node for one identity (a `Clock`): this device's, until the node says otherwise."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
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
        if told is None or told - here > MOST_AHEAD:
            return False
        self._shift = told - here
        return True


class NodeClocks:
    """The clocks of the nodes that were asked lately; `clock` is this device's."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._known: LruCache[tuple[str, str], NodeClock] = LruCache(REMEMBERED)

    def of(self, endpoint: str, did: str) -> NodeClock:
        """Return the clock of the node with this URL, as it tells it to the one who asks."""
        if (found := self._known.get((endpoint, did))) is None:
            found = NodeClock(self.clock)
            self._known.put((endpoint, did), found)
        return found
