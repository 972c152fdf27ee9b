"""The SQLite database's pages in IndexedDB: one record a page, its number the key."""

from __future__ import annotations

from collections.abc import Mapping

from web5.browser.indexeddb import (
    Durability,
    IndexedDb,
    WriteTransaction,
    key_range,
    open_database,
    read_keys,
    result,
)
from web5.dwn.store.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers
from web5.errors import StorageError

_STORE = "pages"
_BATCH = 256  # pages a request; 2 MiB


class IndexedDbPages:
    """A `PageStore` in the IndexedDB database `<db_name>.pages`.

    Parameters:
        db_name: the node's name on this origin.
        page_size: bytes.
        durability: "strict" waits until the browser has told the disk to write: a stored page survives a power cut.
            "relaxed" waits until the operating system has it: a stored page survives the end of the tab, of the
            worker and of the browser, but a power cut may take the last seconds (never half a write).
    """

    def __init__(self, db_name: str, page_size: int = DEFAULT_PAGE_SIZE, *, durability: Durability = "strict") -> None:
        self.page_size = page_size
        self._db_name = f"{db_name}.pages"
        self._durability = durability
        self._open: IndexedDb | None = None
        self._closed = False
        self._stored_count: float = float("inf")  # unknown before `load`: the first write then drops what is beyond

    async def load(self) -> dict[int, bytes]:
        database = await self._database()
        numbers = await read_keys(database, _STORE, "reading page numbers")
        check_numbers(numbers)
        js_store = database.js_store(_STORE)
        js_requests = [
            js_store.getAll(key_range(start, start + _BATCH - 1)) for start in range(0, len(numbers), _BATCH)
        ]
        pages: dict[int, bytes] = {}
        for js_request in js_requests:
            for js_page in await result(js_request, "reading pages"):
                pages[len(pages)] = js_page.to_bytes()
        check_lengths(pages, self.page_size)
        self._stored_count = len(pages)
        return pages

    async def write(self, pages: Mapping[int, bytes], page_count: int) -> None:
        write = WriteTransaction(await self._database(), "writing pages", _STORE)
        for number, page in pages.items():
            write.put(_STORE, number, page)
        if page_count < self._stored_count:
            write.delete_range(_STORE, page_count, None)
        await write.commit()
        self._stored_count = page_count

    async def close(self) -> None:
        self._closed = True
        if self._open is not None:
            self._open.close()

    async def _database(self) -> IndexedDb:
        if self._closed:
            raise StorageError(f"{self._db_name} is closed")
        if self._open is None:
            self._open = await open_database(self._db_name, [_STORE], self._durability)
        return self._open
