"""Record data on its way in and out."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable

MAX_INLINE_BYTES = 30_000
"""Data up to this size lies with its message and goes into query replies as `encodedData` (`dwn-constant.ts`)."""

DataSource = bytes | AsyncIterable[bytes]


class DataStream:
    """Record data in a reply: an async iterable of chunks.

    Parameters:
        source: the bytes, or what opens a fresh iteration over their chunks.
        size: the number of bytes, if it is known.
        once: it can be iterated once only; what the local store gives can be iterated again.

    Attributes:
        size: the number of bytes, if it is known.
        once: it can be iterated once only.
    """

    def __init__(
        self, source: bytes | Callable[[], AsyncIterator[bytes]], size: int | None = None, *, once: bool = False
    ) -> None:
        self._source = source
        self.size = len(source) if isinstance(source, bytes) else size
        self.once = once

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _one_chunk(self._source) if isinstance(self._source, bytes) else self._source()

    async def read(self) -> bytes:
        """All of the data.

        Raises:
            StorageError: it cannot be read; BlobMissing if it was replaced or deleted meanwhile.
        """
        if isinstance(self._source, bytes):
            return self._source
        return b"".join([chunk async for chunk in self])


async def _one_chunk(data: bytes) -> AsyncIterator[bytes]:
    yield data
