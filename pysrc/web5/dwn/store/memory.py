"""Blobs and pages that are gone with the process, for throw-away nodes and tests."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping

from web5.dwn.store.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers
from web5.errors import BlobMissing, StorageError


class MemoryBlobs:
    """`web5.ports.blobs.Blobs` in a dict."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        data = b"".join([chunk async for chunk in chunks])
        self._blobs[key] = data
        return len(data)

    async def get(self, key: str) -> AsyncIterator[bytes]:
        if key not in self._blobs:
            raise BlobMissing(f"no blob {key}")
        yield self._blobs[key]

    async def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._blobs.pop(key, None)

    async def keys(self) -> set[str]:
        return set(self._blobs)

    async def close(self) -> None:
        return None


class MemoryPages:
    """A `PageStore` that lasts as long as the process, for throw-away nodes and tests.

    Parameters:
        page_size: bytes.
        held: where the pages are; a second store over the same dict is the same database reopened.
    """

    def __init__(self, page_size: int = DEFAULT_PAGE_SIZE, held: dict[int, bytes] | None = None) -> None:
        self.page_size = page_size
        self.held: dict[int, bytes] = {} if held is None else held
        self._closed = False

    async def load(self) -> dict[int, bytes]:
        check_numbers(self.held)
        check_lengths(self.held, self.page_size)
        return dict(self.held)

    async def write(self, pages: Mapping[int, bytes], page_count: int) -> None:
        if self._closed:
            raise StorageError("the page store is closed")
        kept = {number: page for number, page in {**self.held, **pages}.items() if number < page_count}
        self.held.clear()
        self.held.update(kept)

    async def erase(self) -> None:
        """There is only one version of each page."""
        if self._closed:
            raise StorageError("the page store is closed")

    async def close(self) -> None:
        self._closed = True
