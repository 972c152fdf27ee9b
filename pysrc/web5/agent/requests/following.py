"""A subscription at somebody's remote DWN that is taken up again where it breaks off."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from web5.errors import DidError, DwnError, RemoteError
from web5.remote.socket import SocketSubscription
from web5.tasks import notify

WAITS = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Seconds before each attempt to connect again; the last one holds from then on."""


class Following:
    """Follows a remote DWN until it is closed.

    Parameters:
        subscribe: subscribes once.
        on_again: called when it is connected again; what came meanwhile was not heard.
        on_end: called with the refusal if the DWN does not let it subscribe any more, or with None once it is closed.
    """

    def __init__(
        self,
        subscribe: Callable[[], Awaitable[SocketSubscription]],
        on_again: Callable[[], None],
        on_end: Callable[[DwnError | None], None],
    ) -> None:
        self._subscribe = subscribe
        self._on_again = on_again
        self._on_end = on_end
        self._current: SocketSubscription | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Subscribe for the first time.

        Raises:
            DwnError, RemoteError: the DWN refused, or could not be found or reached.
        """
        self._current = await self._subscribe()
        self._task = asyncio.create_task(self._follow(self._current))

    async def close(self) -> None:
        """End it. Safe to call twice."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        current, self._current = self._current, None
        if current is not None:
            await current.close()
            self._tell(self._on_end, None)

    async def _follow(self, current: SocketSubscription) -> None:
        while True:
            await current.ended()
            attempts = 0
            while True:
                await asyncio.sleep(WAITS[min(attempts, len(WAITS) - 1)])
                attempts += 1
                try:
                    current = self._current = await self._subscribe()
                    break
                except (RemoteError, DidError):
                    continue
                except DwnError as refusal:
                    if refusal.status >= 500 or refusal.status == 429:
                        continue
                    self._current = None
                    self._tell(self._on_end, refusal)
                    return
            self._tell(self._on_again)

    @staticmethod
    def _tell(listener: Callable[..., None], *args: Any) -> None:
        notify("what follows a remote DWN failed", [listener], *args)
