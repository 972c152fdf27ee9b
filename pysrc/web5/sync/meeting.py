"""How the endpoints of one tenant finish a round together, though each goes at its own pace."""

from __future__ import annotations

import asyncio


class Meeting:
    """What one visit brings may be for the others to push, so a visit ends only when all are at rest.

    Parameters:
        visits: how many there are.
    """

    def __init__(self, visits: int) -> None:
        self._present = visits
        self._resting = 0
        self._version = 0
        self._over = False
        self._changed = asyncio.Condition()

    @property
    def version(self) -> int:
        """Grows with every change that concerns the other visits."""
        return self._version

    async def changed(self) -> None:
        """Tell the others that there is something new for them."""
        async with self._changed:
            self._wake()

    async def leave(self) -> None:
        """A visit has ended, for whatever reason; what it had claimed is free for the others."""
        async with self._changed:
            self._present -= 1
            self._wake()

    async def rest(self, seen: int) -> bool:
        """Wait until something is new since version `seen`: True; or until all visits have seen everything: False."""
        async with self._changed:
            if self._version > seen:
                return True
            self._resting += 1
            if self._resting >= self._present:
                self._over = True
                self._changed.notify_all()
            await self._changed.wait_for(lambda: self._over or self._version > seen)
            return not self._over

    def _wake(self) -> None:
        self._version += 1
        self._resting = 0
        self._changed.notify_all()
