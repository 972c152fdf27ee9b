"""The time for which others are waited for, where several were asked.

Invariants:
1. Once one of them has ended, another is waited for only while it gets on: without progress for `BESIDE` seconds, or
   with too little for longer, it is slow.
2. While none has ended, all are waited for until there was no progress for `ALONE` seconds.
3. Time in which this program could not run, because it slept or was busy, does not count: naps are counted. Nor does
   time in which it is not the other's turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping
from typing import Any, Generic, TypeVar

BESIDE = 2.0
ALONE = 30.0
NAP = 0.25

K = TypeVar("K")


class Patience(Generic[K]):
    """The patience with some works.

    Parameters:
        works: the number of them.
        progress: returns how far one has come, as the seconds for which all of that was worth waiting.
        is_awaited: tells whether something is to come from the other side.
    """

    def __init__(
        self, works: int, progress: Callable[[K], float], is_awaited: Callable[[K], bool] = lambda work: True
    ) -> None:
        self._works = works
        self._progress = progress
        self._is_awaited = is_awaited
        self._seen: dict[K, float] = {}
        self._left: dict[K, float] = {}

    def is_over(self, busy: Collection[K], *, napped: bool) -> bool:
        """Return True if the works that are still busy are not to be waited for.

        Parameters:
            napped: nothing has ended since this was asked last, a nap ago.
        """
        left = [self._count(one, len(busy) < self._works, napped) for one in busy]
        return max(left, default=0.0) <= 0

    def _count(self, one: K, others_ended: bool, napped: bool) -> float:
        now = self._progress(one)
        moved = now - self._seen.get(one, now)
        self._seen[one] = now
        left = self._left.get(one, ALONE) - (NAP if napped and self._is_awaited(one) else 0.0)
        if others_ended:
            left = min(BESIDE, left + moved)
        elif moved:
            left = ALONE
        self._left[one] = left
        return left


async def wait_patiently(
    busy: Callable[[], Mapping[K, asyncio.Future[Any]]],
    progress: Callable[[K], float] = lambda work: 0.0,
    is_awaited: Callable[[K], bool] = lambda work: True,
) -> set[K]:
    """Wait until no work is busy, or only such as are slow; return the names of these, which go on.

    Parameters:
        busy: returns the tasks that have not ended, by the names of their works; more may come.
        progress, is_awaited: as `Patience` has them.
    """
    waiting = busy()
    patience, napped = Patience[K](len(waiting), progress, is_awaited), False
    while waiting and not patience.is_over(waiting, napped=napped):
        ended, _ = await asyncio.wait(waiting.values(), timeout=NAP, return_when=asyncio.FIRST_COMPLETED)
        napped, waiting = not ended, busy()
    return set(waiting)


async def slow_of(
    tasks: Mapping[K, asyncio.Future[Any]],
    progress: Callable[[K], float] = lambda work: 0.0,
    is_awaited: Callable[[K], bool] = lambda work: True,
) -> set[K]:
    """Wait for tasks as `wait_patiently` does, and return the names of the slow ones.

    Whoever looks at the results gets the first failure; those of others are none that nobody took.
    """
    slow = await wait_patiently(
        lambda: {one: task for one, task in tasks.items() if not task.done()}, progress, is_awaited
    )
    for task in tasks.values():
        if task.done() and not task.cancelled():
            task.exception()
    return slow
