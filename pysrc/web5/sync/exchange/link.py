"""One endpoint of one tenant: requested work adds up, and one visit runs at a time.

Invariants:
1. At most one visit runs; work that is requested meanwhile is done by the next, which follows at once.
2. After a visit that failed, only `visit` (somebody asked, or the retry is due) leads to another; a `wake` is kept for
   it. So an endpoint that is down costs one request a try, whatever happens on this side.
3. No link waits for another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Flag, auto

from web5.ports.clock import Clock
from web5.sync.plan.policy import RECONNECT, Outcome
from web5.sync.states import EndpointReport


class Work(Flag):
    """The work of a visit."""

    LIST = auto()
    """List new messages."""
    RELIST = auto()
    """The same, unless they were listed just now."""
    FETCH = auto()
    """Fetch listed messages."""
    PUSH = auto()

    NOTHING = 0
    PULL = LIST | FETCH
    ALL = LIST | FETCH | PUSH
    FOLLOW = RELIST | FETCH | PUSH
    """Another endpoint has brought something: list first whether this one has it already, else it would be an echo."""


class Link:
    """The visits to one endpoint.

    Parameters:
        visit: makes one visit; returns why it ended early, or None.
        changed: called when visits begin, and when they have ended.
        jitter: returns numbers from 0 to 1.

    Attributes:
        total: counts of the work done since this link exists.
        connected: True while a subscription is open.
        reachable: whether a DWN answered the last time; None: never asked.
        began: when the visit that runs began (seconds, monotonic), with the bytes moved until then.
        listed_at: when new messages were last listed (seconds, monotonic).
        suspected_at: when everything was last listed because a dependency was lost (likewise).
        probed: True if the endpoint was asked for its last message since it was last unreachable.
        retry_at: when a failing endpoint is visited again (microseconds), if that is planned.
        failure: why the last visit ended early; None: it did not.
        crash: the error of the last visit, if it was a fault of this program.
    """

    def __init__(
        self,
        tenant: str,
        url: str,
        clock: Clock,
        visit: Callable[[Link, Work], Awaitable[Outcome | None]],
        changed: Callable[[], None],
        jitter: Callable[[], float],
    ) -> None:
        self.tenant = tenant
        self.url = url
        self.total = EndpointReport(tenant, url)
        self.connected = False
        self.reachable: bool | None = None
        self.listed_at: float | None = None
        self.suspected_at: float | None = None
        self.probed = False
        self.began: tuple[float, int] | None = None
        self.retry_at: int | None = None
        self.failure: Outcome | None = None
        self.crash: Exception | None = None
        self._clock = clock
        self._visit = visit
        self._changed = changed
        self._jitter = jitter
        self._wanted = Work.NOTHING
        self._failures = 0
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.Task[None] | None = None
        self._succeeded = asyncio.Event()
        self._auto_retry = False

    # -- requests

    def wake(self, work: Work) -> None:
        """Request work; it is done at once unless the endpoint is failing (invariant 2)."""
        self._wanted |= work
        if self.failure is None:
            self._start()

    def visit(self, work: Work) -> None:
        """Request work, and visit the endpoint in any case."""
        self._wanted |= work
        self._start()

    def set_auto_retry(self, on: bool) -> None:
        """Choose whether failed visits, and messages whose backoff is over, are retried without a request."""
        self._auto_retry = on
        if not on:
            self._cancel_timer()

    def visit_at(self, moment: int | None) -> None:
        """Plan a visit for a moment (microseconds since 1970), if retries are on; replaces the plan before."""
        self._cancel_timer()
        if self._auto_retry and moment is not None:
            self._timer = asyncio.create_task(self._visit_after(max(0, moment - self._clock.now()) / 1_000_000))

    @property
    def visiting(self) -> bool:
        """True while a visit runs, or the next follows at once."""
        return self._task is not None

    async def wait_until_idle(self) -> None:
        """Return when no visit runs and none follows at once."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def wait_for_success(self) -> None:
        """Return when a visit has ended from now on without a failure."""
        self._succeeded.clear()
        await self._succeeded.wait()

    async def stop(self) -> None:
        """End the visit at once, and forget requested work; return when it has ended."""
        self._wanted = Work.NOTHING
        self.set_auto_retry(False)
        if self._task is not None:
            self._task.cancel()
            await self.wait_until_idle()

    # -- visits

    def _start(self) -> None:
        if self._task is None and self._wanted:
            self._cancel_timer()
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            self._changed()
            while self._wanted:
                work, self._wanted = self._wanted, Work.NOTHING
                self.began = self._clock.monotonic(), self.total.bytes_in + self.total.bytes_out
                self.failure = await self._visit(self, work)
                if self.failure is not None:
                    self._wanted |= work
                    self._plan_retry()
                    return
                self._failures = 0
                self.retry_at = None
                self._succeeded.set()
        finally:
            self.began = None
            self._task = None
            self._changed()

    def _plan_retry(self) -> None:
        self._failures += 1
        if self._auto_retry:
            delay = RECONNECT.spread(self._failures, self._jitter())
            self.retry_at = self._clock.now() + int(delay * 1_000_000)
            self.visit_at(self.retry_at)

    async def _visit_after(self, seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._timer = None
        self.visit(self._wanted | Work.FETCH | Work.PUSH)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
