"""Time, so that tests and the simulator can own it.

It is three things: the date on a message, which is never before what the message replaces (`LaterClock`); the wall
clock (`now`), which may be wrong, and be put right at any moment; and spans (`monotonic`), which never go back.
"""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

SLEWED = 1_000_000
"""Microseconds that the machine's clock may go back without being put right: it is coarse, or adjusted bit by bit."""

SLEPT = 5.0
"""Seconds that the wall clock must gain on the machine's monotonic one between two looks to count as sleep."""

NAP = 30.0
"""Seconds after which a sleeper looks at the clock: timers stand still while the device sleeps, and a browser's fires
at once if it is set to more than 24 days."""


class Clock(Protocol):
    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC by the wall clock; not the same twice in a row."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, for measuring spans; the device's sleep counts, where it shows."""

    async def sleep(self, seconds: float) -> None:
        """Wait, however long, until so much has passed by `monotonic`."""


class SystemClock:
    """The machine's clock; it steps by a microsecond where the machine's own resolution is coarser."""

    def __init__(self) -> None:
        self._last = 0
        self._seen: tuple[int, float] = time.time_ns(), time.monotonic()
        self._slept = 0.0

    def now(self) -> int:
        machine = time.time_ns() // 1000
        # A clock that was put back is followed: else all waits would end when it would have shown that time again.
        self._last = self._last + 1 if machine <= self._last < machine + SLEWED else machine
        return self._last

    def monotonic(self) -> float:
        wall, machine = time.time_ns(), time.monotonic()
        asleep = (wall - self._seen[0]) / 1e9 - (machine - self._seen[1])
        if asleep > SLEPT:
            self._slept += asleep
        self._seen = wall, machine
        return machine + self._slept

    async def sleep(self, seconds: float) -> None:
        end = self.monotonic() + seconds
        while True:
            await asyncio.sleep(min(seconds, NAP))
            if (seconds := end - self.monotonic()) <= 0:
                return


class LaterClock:
    """A clock that never shows less than a moment (microseconds since 1970), for what is to be dated after something.

    Parameters:
        clock: shows the time, once that is later.
    """

    def __init__(self, clock: Clock, moment: int) -> None:
        self._clock, self._moment = clock, moment

    def now(self) -> int:
        return max(self._clock.now(), self._moment)

    def monotonic(self) -> float:
        return self._clock.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
