"""Durable pages of one SQLite database: an IndexedDB object store in the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol


class PageStore(Protocol):
    page_size: int
    """Bytes in a page; every page that is stored has this length."""

    on_interrupted: Callable[[], None]
    """Is called when the store may have lost what it held, or cannot be reached; the next `write` shows which."""

    async def load(self) -> dict[int, bytes]:
        """Return all pages by number, from 0, without a gap; empty for a new database.

        Raises:
            StorageCorrupt: a page is missing or has a wrong length.
        """

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
        """Store `pages` and drop every page from `page_count` on: all of it or nothing.

        Returns when the data is durable.

        Parameters:
            makes_room: it is one of those for which some room is kept; it may use that up, and no other write may.

        Raises:
            StorageFull: there is no room but what is kept. Nothing of it is stored; what was stored before is unharmed.
            StorageLost: what was stored before is gone, or can be reached no more, and nothing of this is stored. The
                next write is to have every page.
            StorageError: the store failed or was closed. Whether this is stored is not known, before another is.
        """

    async def erase(self) -> None:
        """Keep no earlier version of any page. Returns when that is durable.

        Raises:
            StorageError: as `write`.
        """

    async def close(self) -> None:
        """Release the store. Safe to call twice."""
