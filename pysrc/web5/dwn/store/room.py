"""A look whether there is room again, while a store says that it is full.

Whoever only reads would otherwise be told so until something is written.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import apsw

from web5.dwn.store.health import Ill
from web5.errors import StorageError

if TYPE_CHECKING:
    from web5.dwn.store.database import Database

SECONDS = (2.0, 300.0)
"""The first and the longest wait before it looks again."""


class RoomWatch:
    """Stores something very small, now and then, while the last change found no room.

    Parameters:
        database: one whose tables were made.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._task: asyncio.Task[None] | None = None
        database.health.on_changed.append(self._changed)

    def close(self) -> None:
        """Look no more. Safe to call twice."""
        if self._changed in (callbacks := self._database.health.on_changed):
            callbacks.remove(self._changed)
        if self._task is not None:
            self._task.cancel()

    def _is_full(self) -> bool:
        trouble = self._database.health.trouble
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
                await self._database.commit(self._touch)
            except apsw.ConnectionClosedError:
                return
            except StorageError:  # `health` has it
                wait = min(2 * wait, longest)

    def _touch(self) -> None:
        """Have a page stored anew, with nothing new in it."""
        db = self._database.connection
        db.execute("INSERT INTO component VALUES ('', 0)")  # an update to the same value would write nothing
        db.execute("DELETE FROM component WHERE name = ''")
