"""When rounds run by themselves: now and after every interval."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from web5.ports.clock import Clock

log = logging.getLogger(__name__)

LONGEST_SLEEP = 86_400.0
"""Seconds; a browser's timer fires at once if it is set to more than 24 days."""

NAP = 30.0
"""Seconds that live sync sleeps at a time, to notice that the device has slept meanwhile."""

LATE = 15.0
"""Seconds that a nap may be late before it counts as the device's sleep."""


class Timetable:
    """One timer."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._running: set[asyncio.Task[None]] = set()
        self._timer: asyncio.Task[None] | None = None

    @property
    def ticking(self) -> bool:
        """True while rounds are run by time."""
        return self._timer is not None

    def every(
        self,
        seconds: float,
        action: Callable[[], Awaitable[object]],
        woke: Callable[[], Awaitable[None]] | None = None,
        *,
        at_once: bool = True,
    ) -> None:
        """Do `action` now and then after every `seconds`; replaces the timer before.

        Parameters:
            at_once: False: the first time is after `seconds`.
            woke: called when the device seems to have slept; makes the timer wake up every `NAP` to see.
        """
        self.cancel()
        self._timer = asyncio.create_task(self._tick(seconds, action, woke, at_once))

    def cancel(self) -> None:
        """Start nothing more by time; what runs goes on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _tick(
        self,
        seconds: float,
        action: Callable[[], Awaitable[object]],
        woke: Callable[[], Awaitable[None]] | None,
        due: bool,
    ) -> None:
        while True:
            if due:
                # Nobody waits for it: a slow endpoint must not make the next round late for the others.
                running = asyncio.create_task(_logged(action))
                self._running.add(running)
                running.add_done_callback(self._running.discard)
            due = True
            left = seconds
            while left > 0:
                nap = min(left, LONGEST_SLEEP if woke is None else NAP)
                before = self._clock.now()
                await self._clock.sleep(nap)
                left -= nap
                if woke is not None and self._clock.now() - before > (nap + LATE) * 1_000_000:
                    await woke()


async def _logged(action: Callable[[], Awaitable[object]]) -> None:
    try:
        await action()
    except Exception:
        log.exception("a round of sync failed")
