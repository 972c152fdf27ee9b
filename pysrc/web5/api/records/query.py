"""The result of `records.query`: a page when it is awaited, all records when it is iterated over."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
from typing import Any, Generic, TypeVar

Cursor = dict[str, Any]

R = TypeVar("R")


class Page(list[R]):
    """A page of records; `cursor` is where the next page begins, None on the last one."""

    def __init__(self, records: Iterable[R], cursor: Cursor | None) -> None:
        super().__init__(records)
        self.cursor = cursor


Fetch = Callable[[Cursor | None], Awaitable[Page[R]]]


class Query(Generic[R]):
    """A question for records, which is asked when it is awaited or iterated over, and anew each time.

    `await query` gives the first page, `async for record in query` all records, page by page.
    """

    def __init__(self, fetch: Fetch[R], cursor: Cursor | None = None) -> None:
        self._fetch = fetch
        self._cursor = cursor

    def __await__(self) -> Generator[Any, None, Page[R]]:
        return self._fetch(self._cursor).__await__()

    async def __aiter__(self) -> AsyncIterator[R]:
        async for page in self.pages():
            for record in page:
                yield record

    async def pages(self) -> AsyncIterator[Page[R]]:
        """Iterate over the pages; what is written meanwhile may be in one, or not."""
        cursor, seen = self._cursor, set[str]()
        while True:
            page = await self._fetch(cursor)
            yield page
            cursor = page.cursor
            if cursor is None or (known := str(cursor.get("messageCid", cursor))) in seen:
                return
            seen.add(known)

    async def all(self) -> list[R]:
        """Return all records, in memory."""
        return [record async for record in self]

    async def count(self) -> int:
        """Return the number of records; it takes all of them from the DWN, but keeps none."""
        return sum([len(page) async for page in self.pages()])
