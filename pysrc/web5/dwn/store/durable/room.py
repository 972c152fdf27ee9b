"""A look whether there is room again, while a store says that it is full.

Whoever only reads would otherwise be told so until something is written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from web5.dwn.store.durable.health import Health, Ill
from web5.errors import StorageClosed, StorageError

SECONDS = (2.0, 300.0)
"""The first and the longest wait before it looks again."""


class RoomWatch:
    """Stores something very small, now and then, while the last change found no room.

    Parameters:
        health: that of the store.
        touch: stores something, so that `health` tells whether there was room.
    """

    def __init__(self, health: Health, touch: Callable[[], Awaitable[None]]) -> None:
        self._health = health
        self._touch = touch
        self._task: asyncio.Task[None] | None = None
        health.on_changed.append(self._changed)

    def close(self) -> None:
        """Look no more. Safe to call twice."""
        if self._changed in (callbacks := self._health.on_changed):
            callbacks.remove(self._changed)
        if self._task is not None:
            self._task.cancel()

    def _is_full(self) -> bool:
        trouble = self._health.trouble
        return trouble is not None and trouble.kind == Ill.FULL

    def _changed(self) -> None:
        if self._is_full() and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._look())

    async def _look(self) -> None:
        wait, longest = SECONDS
        while True:
            await asyncio.sleep(wait)
            if not self._is_full():
                return
            try:
                await self._touch()
            except StorageClosed:
                return
            except StorageError:  # `health` has it
                wait = min(2 * wait, longest)
