"""Files outside of the store: a path or file object on CPython, a Blob or a file handle in the browser."""

from __future__ import annotations

from typing import Any, Protocol


class ByteSource(Protocol):
    """A file that can be read at any place.

    Attributes:
        size: bytes.
    """

    size: int

    async def read(self, start: int, length: int) -> bytes:
        """Return the bytes from a place on, fewer where the file ends.

        Raises:
            InvalidArgument: it cannot be read any more.
        """

    async def close(self) -> None:
        """Let go of it."""


class ByteSink(Protocol):
    """A file that is written from its beginning to its end."""

    async def write(self, data: bytes) -> None:
        """Append bytes.

        Raises:
            StorageFull, StorageError: they could not be written.
        """

    async def close(self) -> Any:
        """Make it whole, once all is written; return it where there is nothing that it was written to, else None.

        Raises:
            StorageFull, StorageError: as `write`.
        """

    async def abort(self) -> None:
        """Give it up; nothing is left of it where that is in our hands."""
