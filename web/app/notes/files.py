"""Files as DWN records, beside the notes: data of any size, whose name is a tag of the record.

Invariants:
1. Neither way is a file ever whole in Python's memory: what is added is read from the page's Blob as it is stored, and
   what is read goes to the page in parts.
2. A file that is stopped, or cannot be stored, leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any

from app.notes.note_shape import Note, shape

from web5 import Web5
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import InvalidArgument, NotFound

SCHEMA = "https://schema.org/MediaObject"

NAME = "name"
"""The name under which a record has that of its file."""

LONGEST_NAME = 200
"""Characters of a file's name, the first ones."""

PART = 3 << 17
"""Bytes that go to the page at a time."""

MOST_READERS = 8
"""Files that are being read; whoever goes on with another begins anew, and loses only time."""

_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,60}/[a-z0-9][\w.+-]{0,80}")

LENT: dict[str, Any] = {}
"""The Blobs that this tab's page has given along with a call, by the `key` in it."""

OnProgress = Callable[[str, int, int], object]
"""Takes the key of a file that is being added, the bytes that are stored, and those of the whole."""


@dataclass
class _Reader:
    chunks: AsyncIterator[bytes]
    size: int
    at: int = 0
    buffer: bytearray = field(default_factory=bytearray)


class Files:
    """The files of the identity in use.

    Parameters:
        on_progress: told how far a file has come.
    """

    def __init__(self, web5: Web5, on_progress: OnProgress) -> None:
        self._web5 = web5
        self._on_progress = on_progress
        self._adding: dict[str, asyncio.Task[Note]] = {}
        self._readers: dict[str, _Reader] = {}

    async def close(self) -> None:
        """Stop what is being added, and read nothing more."""
        for key in list(self._adding):
            self.stop(key)
        for key in list(self._readers):
            await self._leave(key)

    async def add(self, key: str, name: str, media_type: str, created: int) -> Note | None:
        """Store the file that was lent by this key, durable on return; None if it was stopped.

        The same call again gives the same record.

        Parameters:
            created: when it was added, in microseconds since 1970.
        """
        if key not in LENT:
            raise InvalidArgument("The page has not given this file along. Add it again.")
        task = asyncio.ensure_future(self._add(LENT[key], key, name[:LONGEST_NAME], media_type.lower(), created))
        self._adding[key] = task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
                raise
            return None
        finally:
            del self._adding[key]

    def stop(self, key: str) -> None:
        """Add this file no further; one that is stored stays."""
        if task := self._adding.get(key):
            task.cancel()

    async def read(self, id: str, key: str, at: int) -> dict[str, Any]:
        """Return the part of a file that begins at a byte, in base64, and the size of the whole.

        Parameters:
            key: tells one who reads from another; who goes on where the last part ended is served at once.
        """
        reader = self._readers.pop(key, None)
        if reader is None or reader.at != at:
            if reader is not None:
                await _close(reader)
            reader = await self._open(id, at)
        async for chunk in reader.chunks:
            reader.buffer += chunk
            if len(reader.buffer) >= PART:
                break
        part = bytes(reader.buffer[:PART])
        del reader.buffer[:PART]
        reader.at += len(part)
        if reader.at < reader.size and part:
            self._readers[key] = reader
            while len(self._readers) > MOST_READERS:
                await self._leave(next(iter(self._readers)))
        else:
            await _close(reader)
        return {"part": base64.b64encode(part).decode(), "size": reader.size}

    async def _add(self, data: Any, key: str, name: str, media_type: str, created: int) -> Note:
        moment = format_timestamp(created)
        same_moment = {"from": moment, "to": format_timestamp(created + 1)}
        for record in await self._web5.dwn.records.query(schema=SCHEMA, date_created=same_moment):
            if (record.tags or {}).get(NAME) == name:
                return await shape(self._web5, record)
        record = await self._web5.dwn.records.create(
            data,
            data_format=media_type if _TYPE.fullmatch(media_type) else "application/octet-stream",
            schema=SCHEMA,
            date_created=moment,
            tags={NAME: name},
            on_progress=lambda done, total: self._on_progress(key, done, total),
        )
        return await shape(self._web5, record)

    async def _open(self, id: str, at: int) -> _Reader:
        record = await self._web5.dwn.records.read(id)
        if record.schema != SCHEMA:
            raise NotFound("", "That is no file.")
        reader = _Reader(await record.data.stream(), record.data_size or 0, at)
        left = at
        while left > 0:
            chunk = await anext(reader.chunks, b"")
            if not chunk:
                raise InvalidArgument(f"The file has no byte {at}.")
            reader.buffer += chunk[left:]
            left -= len(chunk)
        return reader

    async def _leave(self, key: str) -> None:
        if reader := self._readers.pop(key, None):
            await _close(reader)


async def _close(reader: _Reader) -> None:
    with suppress(AttributeError):  # it may be no generator
        async with aclosing(reader.chunks):  # type: ignore[type-var]
            pass
