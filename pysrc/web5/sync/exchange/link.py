"""One endpoint of one tenant: what is wanted of it adds up, and one visit to it runs at a time.

Invariants:
1. At most one visit runs; what is wanted meanwhile is done by the next, which follows at once.
2. After a visit that failed, only `visit` (somebody asked, or the time has come) leads to another; a `wake` is kept
   for it. So an endpoint that is down costs one request a try, whatever happens on this side.
3. No line waits for another.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Flag, auto

from web5.ports.clock import Clock
from web5.sync.plan.policy import RECONNECT, Verdict
from web5.sync.states import EndpointReport

log = logging.getLogger(__name__)


class Want(Flag):
    """What a visit is for."""

    LIST = auto()
    """Ask what is new."""
    RELIST = auto()
    """The same, unless it was asked just now."""
    FETCH = auto()
    """Fetch what was listed."""
    PUSH = auto()

    NOTHING = 0
    PULL = LIST | FETCH
    ALL = LIST | FETCH | PUSH
    FOLLOW = RELIST | FETCH | PUSH
    """Another endpoint has brought something: ask whether this one has it already, else it would be an echo."""


class Line:
    """The way to one endpoint.

    Parameters:
        visit: one visit; returns why it ended early, if it did.
        changed: called when visits begin, and when they have ended.
        jitter: gives numbers from 0 to 1.

    Attributes:
        total: what was done since this line exists.
        connected: whether it is heard of at once what happens there.
        reachable: whether a DWN answered the last time.
        began: when the visit that runs began (seconds, monotonic), with the bytes moved until then.
        listed_at: when it was last asked what is new (seconds, monotonic).
        doubted_at: when it was last asked for all that it has because of what it said of a dependency (likewise).
        probed: whether it was asked for its last message since it was last unreachable.
        retry_at: when a failing endpoint is tried again (microseconds), if by itself.
        crash: what a visit raised that it must not raise.
    """

    def __init__(
        self,
        tenant: str,
        url: str,
        clock: Clock,
        visit: Callable[[Line, Want], Awaitable[Verdict | None]],
        changed: Callable[[Line], None],
        jitter: Callable[[], float],
    ) -> None:
        self.tenant = tenant
        self.url = url
        self.total = EndpointReport(tenant, url)
        self.connected = False
        self.reachable: bool | None = None
        self.listed_at: float | None = None
        self.doubted_at: float | None = None
        self.probed = False
        self.began: tuple[float, int] | None = None
        self.retry_at: int | None = None
        self.crash: Exception | None = None
        self.failed: Verdict | None = None
        self._clock = clock
        self._visit = visit
        self._changed = changed
        self._jitter = jitter
        self._wanted = Want.NOTHING
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self._alarm: asyncio.Task[None] | None = None
        self._resting = asyncio.Event()
        self._resting.set()
        self._succeeded = asyncio.Event()
        self._by_itself = False

    # -- what others want of it

    def wake(self, want: Want) -> None:
        """Something may be to be done (invariant 2)."""
        self._wanted |= want
        if self.failed is None:
            self._go()

    def visit(self, want: Want) -> None:
        """Visit it in any case."""
        self._wanted |= want
        self._go()

    def by_itself(self, on: bool) -> None:
        """Whether it retries, after failures and when a message's backoff is over, without being told to."""
        self._by_itself = on
        if not on:
            self._silence()

    def wake_at(self, moment: int | None) -> None:
        """Visit it then (microseconds since 1970), if it acts by itself; replaces what was set before."""
        self._silence()
        if self._by_itself and moment is not None:
            self._alarm = asyncio.create_task(self._ring(max(0, moment - self._clock.now()) / 1_000_000))

    @property
    def visiting(self) -> bool:
        """Whether a visit runs, or the next follows at once."""
        return self._task is not None

    async def rest(self) -> None:
        """Return when no visit runs and none follows by what is known now."""
        await self._resting.wait()

    async def success(self) -> None:
        """Return when a visit from now on has ended without failure."""
        self._succeeded.clear()
        await self._succeeded.wait()

    async def stop(self) -> None:
        """End the visit at once, and forget what was wanted; return when it has ended."""
        self._wanted = Want.NOTHING
        self._by_itself = False
        self._silence()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    # -- how it does it

    def _go(self) -> None:
        if self._task is None and self._wanted:
            self._silence()
            self._resting.clear()
            self._task = asyncio.create_task(self._work())

    async def _work(self) -> None:
        try:
            self._changed(self)
            while self._wanted:
                want, self._wanted = self._wanted, Want.NOTHING
                self.began = self._clock.monotonic(), self.total.bytes_in + self.total.bytes_out
                self.failed = await self._guarded(want)
                if self.failed is not None:
                    self._wanted |= want
                    self._after_failure()
                    return
                self._failures = 0
                self.retry_at = None
                self._succeeded.set()
        finally:
            self.began = None
            self._task = None
            self._resting.set()
            self._changed(self)

    async def _guarded(self, want: Want) -> Verdict | None:
        try:
            return await self._visit(self, want)
        except Exception as error:  # a fault of ours: it is told, and ends nothing but this visit
            log.exception("a visit to %s failed", self.url)
            self.crash = error
            return Verdict("this side failed", None, detail=f"{type(error).__name__}: {error}")

    def _after_failure(self) -> None:
        self._failures += 1
        if self._by_itself:
            delay = RECONNECT.spread(self._failures, self._jitter())
            self.retry_at = self._clock.now() + int(delay * 1_000_000)
            self.wake_at(self.retry_at)

    async def _ring(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._alarm = None
        self.visit(self._wanted | Want.FETCH | Want.PUSH)

    def _silence(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
