"""Who hears of what sync does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from web5.sync.states import SyncEvent

KEPT = 256
"""Events that a slow reader may be behind; the oldest are dropped first, since each only says what to look at."""


class Events:
    """Sends every event to every listener and every reader.

    Attributes:
        listeners: called with each event, in the order of the list; they must not raise and not take long.
    """

    def __init__(self) -> None:
        self.listeners: list[Callable[[SyncEvent], None]] = []
        self._queues: set[asyncio.Queue[SyncEvent]] = set()

    def notify(self, event: SyncEvent) -> None:
        """Send one event."""
        for listener in tuple(self.listeners):
            listener(event)
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(event)

    async def stream(self) -> AsyncIterator[SyncEvent]:
        """Events from now on, until the iteration is given up."""
        queue: asyncio.Queue[SyncEvent] = asyncio.Queue(KEPT)
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)
