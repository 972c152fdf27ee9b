"""The calls of the page about files."""

from __future__ import annotations

from typing import Any

from app.notes.note_shape import Note
from app.session import Session

SHARED = frozenset({"read_file"})
"""Those of `app.service.SHARED`."""

OWN = frozenset({"add_file", "stop_file"})
"""The others of `app.service.METHODS`: the page lends its file to the worker of its own tab."""


class FileCalls:
    """A part of the service, for files.

    Parameters:
        session: who is in use.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    async def add_file(self, key: str, called: str, media_type: str, created: int) -> Note | None:
        """Store the file that the page has lent by this key; None if it was stopped."""
        return await self._session.files.add(key, called, media_type, created)

    async def stop_file(self, key: str) -> None:
        """Add a file no further."""
        self._session.files.stop(key)

    async def read_file(self, id: str, key: str, at: int) -> dict[str, Any]:
        """Return the part of a file that begins at a byte."""
        return await self._session.files.read(id, key, at)
