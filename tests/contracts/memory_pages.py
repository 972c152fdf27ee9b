"""Pages that are gone with the process."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from web5.dwn.store.durable.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers
from web5.errors import StorageError


class MemoryPages:
    """A `PageStore` that lasts as long as the process.

    Parameters:
        page_size: bytes.
        held: where the pages are; a second store over the same dict is the same database reopened.
    """

    def __init__(self, page_size: int = DEFAULT_PAGE_SIZE, held: dict[int, bytes] | None = None) -> None:
        self.page_size = page_size
        self.held: dict[int, bytes] = {} if held is None else held
        self._closed = False
        self.on_interrupted: Callable[[], None]

    async def load(self) -> dict[int, bytes]:
        check_numbers(self.held)
        check_lengths(self.held, self.page_size)
        return dict(self.held)

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
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
