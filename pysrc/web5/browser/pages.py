"""The SQLite database's pages in IndexedDB.

What a transaction costs there is the number of its records more than their bytes, and a commit of SQLite changes a
page in each of several trees. So a small write is one record of a log, and the pages themselves follow later.

Invariants:
1. `pages` holds a page in each record, its number the key. `log` holds a write in each record, numbered from 0 in
   their order. What is stored is `pages` with the writes of `log` laid over it, in that order.
2. A write is one transaction: it adds one record to `log`, or it brings `pages` up to date and empties `log`.
3. `log` has at most `LOG_LENGTH` records, none with more than `LOGGED_PAGES` pages; so opening stays quick.
"""

from __future__ import annotations

from collections.abc import Mapping

from web5.browser.indexeddb import IndexedDb, WriteTransaction, key_range, open_database, result
from web5.browser.page_log import PageLog
from web5.dwn.store.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers

LOG_LENGTH = 32
"""At eight pages a write, 2 MiB that are read when the store opens, and at most 4 MiB."""
LOGGED_PAGES = 16
"""A write of more pages is a group's, and pays for itself."""

_PAGES, _LOG = "pages", "log"
_VERSION = 2  # 1 had no log
_BATCH = 256  # pages a request; 2 MiB


class IndexedDbPages:
    """A `PageStore` in the IndexedDB database `<db_name>.pages`. It has one owner at a time. Use `open`."""

    page_size = DEFAULT_PAGE_SIZE

    def __init__(self, database: IndexedDb) -> None:
        self._database = database
        self._log: PageLog | None = None  # as it is stored; unknown before it is first read

    @classmethod
    async def open(cls, db_name: str) -> IndexedDbPages:
        """Open the pages of a node.

        Parameters:
            db_name: the node's name on this origin.

        Raises:
            StorageError: IndexedDB refused.
        """
        return cls(await open_database(f"{db_name}.pages", [_PAGES, _LOG], version=_VERSION))

    async def load(self) -> dict[int, bytes]:
        numbers = await self._database.read_keys(_PAGES, "reading page numbers")
        check_numbers(numbers)
        self._log = await self._read_log()
        js_store = self._database.js_store(_PAGES)
        js_requests = [
            js_store.getAll(key_range(start, start + _BATCH - 1)) for start in range(0, len(numbers), _BATCH)
        ]
        pages: dict[int, bytes] = {}
        for js_request in js_requests:
            for js_page in await result(js_request, "reading pages"):
                pages[len(pages)] = js_page.to_bytes()
        pages = self._log.laid_over(pages)
        check_numbers(pages)
        check_lengths(pages, self.page_size)
        return pages

    async def write(self, pages: Mapping[int, bytes], page_count: int) -> None:
        stored = self._log or await self._read_log()
        log = stored.followed_by(pages, page_count)
        if len(pages) <= LOGGED_PAGES and log.length <= LOG_LENGTH:
            # Should one be cancelled and stored all the same, the next, which has its pages too, takes its place.
            write = WriteTransaction(self._database, "writing pages", _LOG)
            write.put(_LOG, stored.length, (page_count, list(pages), b"".join(pages.values())))
            await write.commit()
            self._log = log
        else:
            await self._store_pages(log.pages, page_count)

    async def erase(self) -> None:
        self._database.check_open()
        stored = self._log or await self._read_log()
        if stored.kept is not None:
            await self._store_pages(stored.pages, stored.kept)

    async def _store_pages(self, pages: Mapping[int, bytes], kept: int) -> None:
        """Bring `pages` up to date and empty `log`.

        Parameters:
            pages: their contents now; of those below, nothing is left from number `kept` on.
        """
        write = WriteTransaction(self._database, "writing pages", _PAGES, _LOG)
        write.delete_range(_PAGES, kept, None)
        for number, page in pages.items():
            write.put(_PAGES, number, page)
        write.delete_range(_LOG, 0, None)
        await write.commit()
        self._log = PageLog()

    async def _read_log(self) -> PageLog:
        log = PageLog()
        for js_record in await result(self._database.js_store(_LOG).getAll(), "reading the log of pages"):
            page_count, numbers, data = js_record.to_py()
            log = log.followed_by_record(numbers, bytes(data), page_count)
        return log

    async def close(self) -> None:
        self._database.close()
