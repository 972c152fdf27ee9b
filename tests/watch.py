"""Waits for what devices do, without asking again and again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class Watch:
    """Waits until something is so; looks again at each event of a device's sync and each message it takes.

    Parameters:
        devices: have a `SyncEngine` as `sync` and a `Dwn` as `dwn`.
    """

    def __init__(self, *devices: Any) -> None:
        self._changed = asyncio.Event()
        for device in devices:
            device.sync.listeners.append(self._hear)
            device.dwn.after_commit.append(self._hear)

    def _hear(self, _: object) -> None:
        self._changed.set()

    async def until(self, so: Callable[[], object], seconds: float = 5) -> None:
        """Return when `so()` is true.

        Raises:
            TimeoutError: it is not in that many seconds.
        """
        async with asyncio.timeout(seconds):
            while not so():
                self._changed.clear()
                await self._changed.wait()


async def until(so: Callable[[], object], seconds: float = 10) -> None:
    """Let other tasks run until `so()` is true, where no event tells of it.

    Raises:
        TimeoutError: it is not in that many seconds.
    """
    async with asyncio.timeout(seconds):
        while not so():  # noqa: ASYNC110
            await asyncio.sleep(0)
