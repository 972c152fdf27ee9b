"""A clock for tests in which no time passes by itself."""

from __future__ import annotations


class ManualClock:
    """A `Clock` that the test moves; sleeping takes no real time.

    Parameters:
        us: the time, in microseconds since 1970.
        step: microseconds by which each look at the time moves it.
    """

    def __init__(self, us: int, step: int = 0) -> None:
        self.us = us
        self._step = step

    def now(self) -> int:
        self.us += self._step
        return self.us

    def monotonic(self) -> float:
        return self.us / 1_000_000

    async def sleep(self, seconds: float) -> None:
        self.us += int(seconds * 1_000_000)
