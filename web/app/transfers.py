"""Data of any size between a page and records, of which Python never holds the whole.

Invariants:
1. What is added is read from the page's Blob as it is stored, and what is read goes to the page in parts.
2. What is stopped, or cannot be stored, leaves nothing behind.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import aclosing, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from web5 import Record
from web5.errors import InvalidArgument

T = TypeVar("T")

PART = 3 << 17
"""Bytes that go to the page at a time."""

MOST_READERS = 8
"""Records that are being read; whoever goes on with another begins anew, and loses only time."""

LENT: dict[str, Any] = {}
"""The Blobs that this tab's page has given along with a call, by the `key` in it."""

OnProgress = Callable[[str, int, int], object]
"""Takes the key of what is being added, the bytes that are stored, and those of the whole."""


def lent(key: str) -> Any:
    """Return the Blob that the page has given along by this key.

    Raises:
        InvalidArgument: it has given none.
    """
    if key not in LENT:
        raise InvalidArgument("The page has not given this file along. Add it again.")
    return LENT[key]


class Adding:
    """What is being added, each by a key, by which it can be stopped."""

    def __init__(self) -> None:
        self._tasks: dict[str, asyncio.Task[Any]] = {}

    async def run(self, key: str, work: Coroutine[Any, Any, T]) -> T | None:
        """Do it, and return what comes of it; None if it was stopped."""
        task = asyncio.ensure_future(work)
        self._tasks[key] = task
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if not task.cancelled():
                task.cancel()
                raise
            return None
        finally:
            del self._tasks[key]

    def stop(self, key: str) -> None:
        """Add this no further; what is stored stays."""
        if task := self._tasks.get(key):
            task.cancel()

    def close(self) -> None:
        """Stop all."""
        for key in list(self._tasks):
            self.stop(key)


@dataclass
class _Reader:
    chunks: AsyncIterator[bytes]
    size: int
    at: int = 0
    buffer: bytearray = field(default_factory=bytearray)


class Reading:
    """What the page reads."""

    def __init__(self) -> None:
        self._readers: dict[str, _Reader] = {}

    async def close(self) -> None:
        """Read nothing more."""
        for key in list(self._readers):
            await self._leave(key)

    async def read(self, key: str, at: int, find: Callable[[], Awaitable[Record]]) -> dict[str, Any]:
        """Return the part of a record's data that begins at a byte, in base64, and the size of the whole.

        Parameters:
            key: tells one who reads from another; who goes on where the last part ended is served at once.
            find: gives the record.
        """
        reader = self._readers.pop(key, None)
        if reader is None or reader.at != at:
            if reader is not None:
                await _close(reader)
            reader = await _open(await find(), at)
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

    async def _leave(self, key: str) -> None:
        if reader := self._readers.pop(key, None):
            await _close(reader)


async def _open(record: Record, at: int) -> _Reader:
    reader = _Reader(await record.data.stream(), record.data_size or 0, at)
    left = at
    while left > 0:
        chunk = await anext(reader.chunks, b"")
        if not chunk:
            raise InvalidArgument(f"The file has no byte {at}.")
        reader.buffer += chunk[left:]
        left -= len(chunk)
    return reader


async def _close(reader: _Reader) -> None:
    with suppress(AttributeError):  # it may be no generator
        async with aclosing(reader.chunks):  # type: ignore[type-var]
            pass
