"""When rounds run: now, every interval, never two at a time, and how they are stopped."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from web5.ports.clock import Clock
from web5.sync.states import Direction, SyncReport

log = logging.getLogger(__name__)

LONGEST_SLEEP = 86_400.0
"""Seconds; a browser's timer fires at once if it is set to more than 24 days."""

Run = Callable[[set[str], set[Direction], SyncReport], Awaitable[None]]


@dataclass(slots=True)
class _Wanted:
    tenants: set[str] = field(default_factory=set)
    directions: set[Direction] = field(default_factory=set)
    report: SyncReport = field(default_factory=SyncReport)
    done: asyncio.Event = field(default_factory=asyncio.Event)
    error: BaseException | None = None


class Schedule:
    """Single flight: whoever asks during a round gets the next one, together with everyone else who asks meanwhile.

    Parameters:
        run: one round over tenants and directions; fills the report.
    """

    def __init__(self, run: Run, clock: Clock) -> None:
        self._run = run
        self._clock = clock
        self._next: _Wanted | None = None
        self._worker: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None

    async def now(self, tenants: set[str], directions: set[Direction]) -> SyncReport:
        """Run a round that begins after this call, and return its report. A `stop` meanwhile is told in the report."""
        wanted = self._want(tenants, directions)
        await wanted.done.wait()
        if wanted.error is not None:
            raise wanted.error
        return wanted.report

    def wake(self, tenants: set[str], directions: set[Direction]) -> None:
        """As `now`, but nobody waits for it."""
        self._want(tenants, directions)

    @property
    def ticking(self) -> bool:
        """True while rounds are run by time."""
        return self._timer is not None

    def _want(self, tenants: set[str], directions: set[Direction]) -> _Wanted:
        wanted = self._next = self._next or _Wanted()
        wanted.tenants |= tenants
        wanted.directions |= directions
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return wanted

    def every(self, seconds: float, round_: Callable[[], Awaitable[object]]) -> None:
        """Run a round now and then after every `seconds`; replaces the timer before."""
        self.cancel_timer()
        self._timer = asyncio.create_task(self._tick(seconds, round_))

    def cancel_timer(self) -> None:
        """Start no more rounds by time; one that runs goes on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    async def stop(self) -> None:
        """Cancel the timer and the round that runs, and return when both have ended."""
        self.cancel_timer()
        worker = self._worker
        if worker is not None:
            worker.cancel()
            await asyncio.wait([worker])

    async def _work(self) -> None:
        current: _Wanted | None = None
        try:
            while self._next is not None:
                current, self._next = self._next, None
                try:
                    await self._run(current.tenants, current.directions, current.report)
                except Exception as error:  # whoever asked gets it, and the worker lives on
                    log.exception("a round of sync failed")
                    current.error = error
                current.done.set()
        finally:
            self._worker = None
            for wanted in (current, self._next):
                if wanted is not None and not wanted.done.is_set():
                    wanted.report.stopped = True
                    wanted.done.set()
            self._next = None

    async def _tick(self, seconds: float, round_: Callable[[], Awaitable[object]]) -> None:
        while True:
            try:
                await round_()
            except Exception:
                log.info("the next round is tried in %s s", seconds)
            left = seconds
            while left > 0:
                await self._clock.sleep(min(left, LONGEST_SLEEP))
                left -= LONGEST_SLEEP
