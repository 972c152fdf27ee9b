"""An event loop whose time is simulated, and that does everything in the same order each time.

Invariants:
1. Time passes only when nothing else can be done; then it jumps to the next timer.
2. Nothing is ordered by an address in memory: tasks and futures hash by the order in which they were made. (Texts hash
   alike only with PYTHONHASHSEED set; `run` sees to that.)
3. A loop in which nothing can ever happen again raises `Stuck` instead of waiting.
"""

from __future__ import annotations

import asyncio
import itertools
import selectors
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any

EPOCH = 1_700_000_000_000_000
"""Microseconds since 1970 at the simulation's beginning."""

RESOLUTION = 1e-6
"""Seconds that count as none. The default, a nanosecond, is below what a float of some days can tell."""


class Stuck(Exception):
    """Everything waits, and there is no timer."""


class Owner:
    """Whatever can end all of its tasks at once: a device."""

    def __init__(self) -> None:
        self.tasks: set[SimTask] = set()


OWNER: ContextVar[Owner | None] = ContextVar("owner", default=None)
"""On whose machine the code runs."""


class SimFuture(asyncio.Future[Any]):
    """A future that hashes by its number."""

    def __init__(self, number: int, **more: Any) -> None:
        self.number = number
        super().__init__(**more)

    def __hash__(self) -> int:
        return self.number


class SimTask(asyncio.Task[Any]):
    """A task that hashes by its number, and is known to its owner."""

    def __init__(self, number: int, coro: Coroutine[Any, Any, Any], **more: Any) -> None:
        self.number = number
        super().__init__(coro, **more)
        context = more.get("context")
        owner = OWNER.get() if context is None else context.get(OWNER)
        if owner is not None:
            owner.tasks.add(self)
            self.add_done_callback(owner.tasks.discard)

    def __hash__(self) -> int:
        return self.number


class _Selector(selectors.SelectSelector):
    """Waits for nothing but time."""

    advance: Callable[[float], None]

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck("nothing is ready, and nothing is timed")
        self.advance(timeout)
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The event loop of one simulation."""

    def __init__(self) -> None:
        selector = _Selector()
        selector.advance = self._advance
        self._elapsed = 0.0
        self._numbers = itertools.count()
        super().__init__(selector)
        self._clock_resolution = RESOLUTION  # the base class decides by it which timers are due
        self.set_task_factory(lambda loop, coro, **more: SimTask(next(self._numbers), coro, loop=loop, **more))

    def time(self) -> float:
        return self._elapsed

    def create_future(self) -> SimFuture:
        return SimFuture(next(self._numbers), loop=self)

    def _advance(self, seconds: float) -> None:
        self._elapsed += max(0.0, seconds)


class SimClock:
    """The `Clock` port of one device, which may be wrong by some seconds, and be put right.

    Attributes:
        skew: seconds that it is ahead of true time.
        put_back: how often it was put right.
    """

    def __init__(self, skew: float = 0.0) -> None:
        self.skew = skew
        self.put_back = 0
        self._last = 0

    def put_right(self) -> None:
        """Show true time from now on."""
        self.skew, self._last = 0.0, 0
        self.put_back += 1

    def now(self) -> int:
        true = asyncio.get_running_loop().time()
        self._last = max(self._last + 1, EPOCH + int((true + self.skew) * 1e6))
        return self._last

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run(main: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a simulation from its beginning to its end, in a loop of its own."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main())
    finally:
        left = sorted((task for task in asyncio.all_tasks(loop)), key=lambda task: getattr(task, "number", -1))
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        asyncio.set_event_loop(None)
        loop.close()
