"""What every Clock promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from web5.ports.clock import Clock

Case = Callable[[Clock], Awaitable[None]]

DAY = 24 * 3600.0


async def case_the_time_is_never_the_same_twice(clock: Clock) -> None:
    moments = [clock.now() for _ in range(1000)]
    assert moments == sorted(set(moments)), moments
    assert moments[0] > 1_700_000_000_000_000, moments[0]


async def case_a_wait_takes_its_time(clock: Clock) -> None:
    before = clock.monotonic()
    await clock.sleep(0.05)
    assert clock.monotonic() >= before + 0.05


async def case_a_wait_of_nothing_is_none(clock: Clock) -> None:
    for seconds in (0.0, -5.0):
        await clock.sleep(seconds)


async def case_no_wait_is_too_long(clock: Clock) -> None:
    """Timers of browsers fire at once if they are set to more than 2**31 - 1 milliseconds."""
    waits = [asyncio.ensure_future(clock.sleep(days * DAY)) for days in (1, 24, 25, 50, 400, 1e6)]
    done, waiting = await asyncio.wait(waits, timeout=0.3)
    for wait in waiting:
        wait.cancel()
    assert not done


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
