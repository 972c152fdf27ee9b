"""Time, so that tests and the simulator can own it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> int:
        """Return microseconds since 1970-01-01 UTC; never the same twice, never going back."""

    def monotonic(self) -> float:
        """Return seconds from an arbitrary start, for measuring spans."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clock; it steps by a microsecond where the machine's own resolution is coarser."""

    def __init__(self) -> None:
        self._last = 0

    def now(self) -> int:
        self._last = max(self._last + 1, time.time_ns() // 1000)
        return self._last

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
