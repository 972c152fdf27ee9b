"""The calls of the page about notes."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from app.changes import Lists
from app.notes import notes, versions
from app.notes.note_shape import Note
from app.session import Session

from web5 import Web5
from web5.errors import NotFound

SHARED = frozenset(
    {
        "create_note",
        "delete_note",
        "export_notes",
        "note",
        "note_tags",
        "note_versions",
        "notes",
        "publish_note",
        "read_note",
        "read_version",
        "render_note",
        "update_note",
    }
)
"""Those of `app.service.SHARED`."""

LONGEST_SEARCH = 500
"""Characters of a search that are looked for."""

MOST_TAGS = 30
"""Tags that are offered."""


class NoteCalls:
    """A part of the service, for notes, and for files where they are listed with them."""

    _session: Session
    _lists: Lists

    @property
    def web5(self) -> Web5:
        """The API for the identity in use."""
        raise NotImplementedError

    async def notes(self, limit: int, since: str | None = None, find: str = "", tag: str = "") -> dict[str, Any]:
        """Return the newest notes, and whether there are more.

        Parameters:
            since: the token of the answer before, or "": then only what has changed is returned, as `Lists.since`.
            find: words that they have in them, as `Search.find`.
            tag: one that they have.
        """
        if find.strip():
            found = await self._session.search.find(find[:LONGEST_SEARCH], tag, limit)
        else:
            found = await notes.newest(self.web5, limit, tag)
        listed = found.pop("notes")
        return {**({"notes": listed} if since is None else self._lists.since(since, listed)), **found}

    async def note_tags(self) -> list[list[Any]]:
        """Return the tags that most notes have, each with their number, as far as the texts are read."""
        return self._session.search.tags(MOST_TAGS)

    async def note(self, id: str) -> Note:
        """Return one note, as the list has it."""
        return await notes.one(self.web5, id)

    async def create_note(self, text: str, created: int) -> Note:
        """Write a note; `created` (microseconds since 1970) tells a new note from a call that is repeated."""
        return await notes.create(self.web5, text, created)

    async def read_note(self, id: str) -> str:
        """Return the whole text of a note."""
        return await notes.read(self.web5, id)

    async def update_note(self, id: str, text: str) -> Note:
        """Replace the text of a note."""
        return await notes.update(self.web5, id, text)

    async def note_versions(self, id: str) -> list[dict[str, Any]]:
        """Return the earlier texts of a note, newest first."""
        return await versions.listed(self.web5, id)

    async def read_version(self, id: str) -> str:
        """Return the whole of an earlier text."""
        return await versions.read(self.web5, id)

    async def render_note(self, text: str) -> str:
        """Return a text as a note shows it, as HTML."""
        return notes.rendered(self.web5, text)

    async def publish_note(self, id: str, published: bool) -> Note:
        """Let anybody read a note who has its address, or end that."""
        return await notes.publish(self.web5, id, published)

    async def delete_note(self, id: str) -> None:
        """Delete a note; one that is not here is no error."""
        with suppress(NotFound):
            await notes.delete(self.web5, id)

    async def export_notes(self) -> str:
        """Return all notes of the identity in use as the text of a JSON file."""
        return await notes.exported(self.web5)
