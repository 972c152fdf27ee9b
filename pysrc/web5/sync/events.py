"""The events of sync, for those who iterate over them."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from typing import Self

from web5.sync.states import SyncEvent

KEPT_EVENTS = 256
"""Events that a slow reader may be behind; the oldest are dropped first, since each only says where to look."""


class SyncEvents(AsyncIterator[SyncEvent]):
    """The events since this was made, for `async for`. A reader that is far behind loses the oldest.

    It ends with `close()`, as `Web5.close` calls it, too, or when nobody has it any more.
    """

    def __init__(self, listeners: list[Callable[[SyncEvent], None]]) -> None:
        queue: asyncio.Queue[SyncEvent | None] = asyncio.Queue(KEPT_EVENTS)

        def put(event: SyncEvent | None) -> None:  # knows nothing of this object, so that it can be dropped
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

        listeners.append(put)
        self._queue, self._put = queue, put
        self._leave = weakref.finalize(self, listeners.remove, put)
        self._leave.atexit = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> SyncEvent:
        event = await self._queue.get() if self._leave.alive or not self._queue.empty() else None
        if event is None:
            raise StopAsyncIteration
        return event

    async def close(self) -> None:
        """End the iteration, and that of whoever waits for the next event. Safe to call twice."""
        if self._leave.alive:
            self._leave()
            self._put(None)

    aclose = close  # as iterators have it, for `contextlib.aclosing`
