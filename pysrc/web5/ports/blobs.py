"""Record data that is too large for SQLite: an IndexedDB object store in the browser, files on CPython."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Protocol


class Blobs(Protocol):
    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        """Store a blob under a new key; it can be read only once it is whole and durable.

        Returns the number of bytes.

        Raises:
            StorageFull: there is no room; nothing stays behind.
            Whatever `chunks` raises; nothing stays behind.
        """

    def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        """Iterate over the blob's bytes in chunks.

        Parameters:
            start: the first byte; those before it are not read. From the blob's end on there are none.

        Raises:
            BlobMissing: there is no such blob.
        """

    async def delete(self, keys: Iterable[str]) -> None:
        """Remove blobs; a key that is not there is no error."""

    async def keys(self) -> set[str]:
        """Return the keys of all whole blobs."""

    async def close(self) -> None:
        """Release the store. Safe to call twice."""
