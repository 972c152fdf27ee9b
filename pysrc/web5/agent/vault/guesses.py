"""A brake on guessing passwords where they are typed.

It holds for as long as the agent is open, and only here: whoever has the stored vault itself can guess as fast as
PBKDF2 lets him. So nothing of it is stored, where it could lock the person out.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from web5.errors import WrongPassword

FREE = 3
"""Wrong passwords before the next has to wait: one second, then twice as long each time."""

LONGEST = 60.0
"""Seconds that a password waits at most."""


class Guesses:
    """The tries of one vault; one at a time.

    Parameters:
        pause: waits so many seconds.
    """

    def __init__(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._pause = pause
        self._wrong = 0
        self._trying = asyncio.Lock()

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """Wait until a password may be tried; WrongPassword within makes the next wait longer, the right one none."""
        async with self._trying:
            if self._wrong >= FREE:
                await self._pause(min(LONGEST, 2.0 ** min(self._wrong - FREE, 10)))
            try:
                yield
            except WrongPassword:
                self._wrong += 1
                raise
            self._wrong = 0
