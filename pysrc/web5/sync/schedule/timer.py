"""The timer of sync by interval."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from web5.sync.exchange.context import SyncContext

LONGEST_SLEEP = 86_400.0
"""Seconds; a browser's timer fires at once if it is set to more than 24 days."""

NAP = 30.0
"""Seconds that live sync sleeps at a time, to notice that the device has slept meanwhile."""

LATE = 15.0
"""Seconds that a nap may be late before it counts as the device's sleep."""


async def run_every(
    context: SyncContext,
    seconds: float,
    action: Callable[[], Coroutine[Any, Any, object]],
    woke: Callable[[], Awaitable[None]] | None = None,
    *,
    at_once: bool = True,
) -> None:
    """Run `action` now and then after every `seconds`, until cancelled; a running action then goes on.

    Parameters:
        woke: called when the device seems to have slept; makes the timer wake up every `NAP` to see.
        at_once: False: the first time is after `seconds`.
    """
    clock, due = context.clock, at_once
    while True:
        if due:
            # Nobody waits for it: a slow endpoint must not make the next run late for the others.
            context.spawn(action())
        due, left = True, seconds
        while left > 0:
            nap = min(left, LONGEST_SLEEP if woke is None else NAP)
            before = clock.now()
            await clock.sleep(nap)
            left -= nap
            if woke is not None and clock.now() - before > (nap + LATE) * 1_000_000:
                await woke()
