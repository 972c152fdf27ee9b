"""Search over the text of all notes, and the names of files.

Invariants:
1. Texts are read once, the newest notes first, some at a time between other work; then each change is followed. A
   search meanwhile finds in what is known, and says that there is more.
2. What is known of a note is bounded, and of all notes together.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from app.notes import files, notes
from app.notes.note_shape import Note, shape

from web5 import Record, Web5
from web5.errors import NotFound, StorageError, SubscriptionOverrun
from web5.tasks import TaskSet

PAGE = 50
"""Notes that are read at a time; in between, other calls are answered."""

LONGEST = 200_000
"""Bytes of a note's text that are searched, the first ones."""

MOST = 60_000_000
"""Characters of all texts together; notes beyond that, the oldest, are not searched."""

SCHEMAS = (notes.SCHEMA, files.SCHEMA)

MOST_WORDS = 20
"""Words of a search."""


@dataclass(frozen=True, slots=True)
class _Known:
    schema: str
    created: int
    text: str
    tags: tuple[str, ...]


class Search:
    """The texts of the notes of the identity in use.

    Parameters:
        changed: called when a search would find more.
    """

    def __init__(self, web5: Web5, changed: Callable[[], None]) -> None:
        self._web5 = web5
        self._changed = changed
        self._known: dict[str, _Known] = {}
        self._gone: set[str] = set()
        self._size = 0
        self._unread = set(SCHEMAS)
        self._is_asked = False
        self._following = TaskSet("the texts of the notes could not be read")
        self._begun = False

    async def close(self) -> None:
        """Forget all texts."""
        await self._following.cancel()
        self._known.clear()

    def begin(self) -> None:
        """Read the texts, unless that has begun."""
        if not self._begun:
            self._begun = True
            for schema in SCHEMAS:
                self._following.start(self._follow(schema))

    async def find(self, words: str, tag: str, limit: int) -> dict[str, Any]:
        """Return the newest notes that have all these words, or the beginnings of tags with a `#`.

        Parameters:
            tag: one that they have, too; "" for any.

        Returns:
            `notes` and `more`, as `notes.newest`; `searched`, the number of notes that were looked through; `complete`,
            False while there are others.
        """
        self.begin()
        self._is_asked = True
        wanted = _folded(words).split()[:MOST_WORDS]
        fitting = [(one.created, id) for id, one in self._known.items() if _fits(one, wanted, tag)]
        fitting.sort(reverse=True)
        found: list[Note] = []
        for _, id in fitting[:limit]:
            with suppress(NotFound):  # deleted, and the event of that is on its way
                found.append(await shape(self._web5, await self._web5.dwn.records.read(id)))
        return {
            "notes": found,
            "more": len(fitting) > limit,
            "searched": len(self._known),
            "complete": not self._unread,
        }

    def tags(self, limit: int) -> list[list[Any]]:
        """Return the tags that most notes have, each with their number."""
        self.begin()
        self._is_asked = True
        counted = Counter(tag for one in self._known.values() for tag in one.tags)
        return [[tag, number] for tag, number in counted.most_common(limit)]

    async def _follow(self, schema: str) -> None:
        while True:
            self._unread.add(schema)
            with suppress(SubscriptionOverrun):
                async with self._web5.dwn.records.subscribe(schema=schema) as changes:
                    reading = asyncio.ensure_future(self._read_all(schema))
                    try:
                        async for record in changes:
                            await self._heard(record)
                        return
                    finally:
                        reading.cancel()
                        await asyncio.gather(reading, return_exceptions=True)
            for id in [id for id, one in self._known.items() if one.schema == schema]:
                self._drop(id)

    async def _read_all(self, schema: str) -> None:
        cursor = None
        while self._size <= MOST:
            page = await self._web5.dwn.records.query(
                schema=schema,
                date_sort="createdDescending",
                limit=PAGE,
                cursor=cursor,
            )
            for record in page:
                if record.id not in self._known and record.id not in self._gone:
                    await self._put(record)
            cursor = page.cursor
            if cursor is None:
                self._unread.discard(schema)
                if not self._unread:
                    self._gone.clear()
                break
            self._tell()
            await asyncio.sleep(0)
        self._tell()

    def _tell(self) -> None:
        if self._is_asked:
            self._is_asked = False
            self._changed()

    async def _heard(self, record: Record) -> None:
        if record.deleted:
            self._drop(record.id)
            if self._unread:
                self._gone.add(record.id)
        else:
            await self._put(record)

    async def _put(self, record: Record) -> None:
        self._drop(record.id)
        is_note = record.schema == notes.SCHEMA
        if is_note and record.data_format != notes.FORMAT:
            return
        if self._size > MOST:
            self._unread.add(record.schema or "")
            return
        text = await _text_of(record) if is_note else _folded(str((record.tags or {}).get(files.NAME, "")))
        tags = (record.tags or {}).get(notes.TAG, ())
        known = tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
        self._known[record.id] = _Known(
            record.schema or "", int(record.date_created.timestamp() * 1_000_000), text, known
        )
        self._size += len(text)

    def _drop(self, id: str) -> None:
        before = self._known.pop(id, None)
        if before is not None:
            self._size -= len(before.text)


async def _text_of(record: Record) -> str:
    found = b""
    with suppress(StorageError, NotFound):  # what cannot be read cannot be searched
        async for chunk in await record.data.stream():
            found += chunk
            if len(found) >= LONGEST:
                break
    return _folded(found[:LONGEST].decode(errors="ignore"))


def _fits(one: _Known, words: list[str], tag: str) -> bool:
    if tag and tag not in one.tags:
        return False
    return all(_has(one, word) for word in words)


def _has(one: _Known, word: str) -> bool:
    if word.startswith("#") and len(word) > 1:
        return any(tag.startswith(word[1:]) for tag in one.tags)
    return word in one.text


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
