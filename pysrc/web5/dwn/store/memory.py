"""Blobs that are gone with the process, for throw-away nodes."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable

from web5.errors import BlobMissing


class MemoryBlobs:
    """`web5.ports.blobs.Blobs` in a dict."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        data = b"".join([chunk async for chunk in chunks])
        self._blobs[key] = data
        return len(data)

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        if key not in self._blobs:
            raise BlobMissing(f"no blob {key}")
        yield self._blobs[key][start:]

    async def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._blobs.pop(key, None)

    async def keys(self) -> set[str]:
        return set(self._blobs)

    async def close(self) -> None:
        return None
