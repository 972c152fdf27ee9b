"""A log of page writes, and the pages that it results in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from web5.errors import StorageCorrupt


@dataclass(frozen=True, slots=True)
class PageLog:
    """Writes in their order, as one change to the pages below them.

    Parameters:
        length: how many writes.
        pages: their contents after the last write, of those that still exist.
        kept: from this number on, nothing of the pages below is left. None if the log is empty.
    """

    length: int = 0
    pages: Mapping[int, bytes] = field(default_factory=dict)
    kept: int | None = None

    def followed_by(self, pages: Mapping[int, bytes], page_count: int) -> PageLog:
        """Return the log with one write more: these pages, after which there are `page_count`."""
        left = {number: page for number, page in {**self.pages, **pages}.items() if number < page_count}
        return PageLog(self.length + 1, left, page_count if self.kept is None else min(self.kept, page_count))

    def followed_by_record(self, numbers: Sequence[int], data: bytes, page_count: int) -> PageLog:
        """Return the log with one write more, from a stored record: the pages' bytes in the order of their numbers.

        Raises:
            StorageCorrupt: the bytes cannot be shared out evenly.
        """
        size, rest = divmod(len(data), len(numbers)) if numbers else (0, len(data))
        if rest:
            raise StorageCorrupt(f"a record of the log has {len(data)} bytes for {len(numbers)} pages")
        return self.followed_by(
            {number: data[at * size : (at + 1) * size] for at, number in enumerate(numbers)}, page_count
        )

    def laid_over(self, pages: Mapping[int, bytes]) -> dict[int, bytes]:
        """Return the pages after all writes of the log, in the order of their numbers."""
        below = {number: page for number, page in pages.items() if self.kept is None or number < self.kept}
        return dict(sorted({**below, **self.pages}.items()))
