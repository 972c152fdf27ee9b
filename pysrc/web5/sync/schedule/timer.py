"""The timer of sync by interval: now and after every interval."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from web5.sync.exchange.context import SyncContext

LONGEST_SLEEP = 86_400.0
"""Seconds; a browser's timer fires at once if it is set to more than 24 days."""

NAP = 30.0
"""Seconds that live sync sleeps at a time, to notice that the device has slept meanwhile."""

LATE = 15.0
"""Seconds that a nap may be late before it counts as the device's sleep."""


class PeriodicTimer:
    """One timer that can be set anew."""

    def __init__(self, context: SyncContext) -> None:
        self._context = context
        self._clock = context.clock
        self._timer: asyncio.Task[None] | None = None

    @property
    def ticking(self) -> bool:
        """True from `every` until `cancel`."""
        return self._timer is not None

    def every(
        self,
        seconds: float,
        action: Callable[[], Coroutine[Any, Any, object]],
        woke: Callable[[], Awaitable[None]] | None = None,
        *,
        at_once: bool = True,
    ) -> None:
        """Run `action` now and then after every `seconds`; replaces the timer before.

        Parameters:
            woke: called when the device seems to have slept; makes the timer wake up every `NAP` to see.
            at_once: False: the first time is after `seconds`.
        """
        self.cancel()
        self._timer = asyncio.create_task(self._tick(seconds, action, woke, at_once))

    def cancel(self) -> None:
        """Start no more actions; the running ones go on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def _tick(
        self,
        seconds: float,
        action: Callable[[], Coroutine[Any, Any, object]],
        woke: Callable[[], Awaitable[None]] | None,
        due: bool,
    ) -> None:
        while True:
            if due:
                # Nobody waits for it: a slow endpoint must not make the next run late for the others.
                self._context.spawn(action())
            due = True
            left = seconds
            while left > 0:
                nap = min(left, LONGEST_SLEEP if woke is None else NAP)
                before = self._clock.now()
                await self._clock.sleep(nap)
                left -= nap
                if woke is not None and self._clock.now() - before > (nap + LATE) * 1_000_000:
                    await woke()
