"""The SQLite database's pages in IndexedDB.

What a transaction costs there is the number of its records more than their bytes, and a commit of SQLite changes a
page in each of several trees. So a small write is one record of a log, and the pages themselves follow later.

Invariants:
1. `pages` holds a page in each record, its number the key. `log` holds a write in each record, numbered from 0 in
   their order. What is stored is `pages` with the writes of `log` laid over it, in that order.
2. A write is one transaction: it adds one record to `log`, or it brings `pages` up to date and empties `log`.
3. `log` has at most `LOG_LENGTH` records, none with more than `LOGGED_PAGES` pages; so opening stays quick.
4. Room is kept (`reserve`), which only a write that makes room may use up. `reserve` has a record once one has; from
   then on, until that room is kept again, every other write is refused.
5. Nothing is written into a database that is not the one that was read: it is StorageLost first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

from web5.browser.indexeddb import IndexedDb, WriteTransaction, key_range, open_database, result
from web5.browser.page_log import PageLog
from web5.browser.reserve import Reserve
from web5.dwn.store.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers
from web5.errors import StorageError, StorageFull, StorageLost, StorageNewer

LOG_LENGTH = 32
"""At eight pages a write, 2 MiB that are read when the store opens, and at most 4 MiB."""
LOGGED_PAGES = 16
"""A write of more pages is a group's, and pays for itself."""

RESERVE_SECONDS = 5.0
"""After a first write, until room is kept: a node that starts has better things to do."""
RESERVE_AGAIN_SECONDS = 60.0
"""Until it is tried again where there was no room."""

FREED_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""The waits until the browser counts room that was given up as free: no event tells."""

_PAGES, _LOG, _RESERVE = "pages", "log", "reserve"
_VERSION = 3  # 1 had no log, 2 no reserve
_BATCH = 256  # pages a request; 2 MiB


class IndexedDbPages:
    """A `PageStore` in the IndexedDB database `<db_name>.pages`. It has one owner at a time. Use `open`."""

    page_size = DEFAULT_PAGE_SIZE

    def __init__(self, database: IndexedDb, reserve: Reserve) -> None:
        self._database = database
        self._log: PageLog | None = None  # as it is stored; unknown before it is first read
        self._reserve = reserve
        self._kept = self._used = False  # the reserve is known to be there; was used up
        self._keeping: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()  # held while the reserve is made or given up
        self.on_interrupted: Callable[[], None] = lambda: None
        database.on_interrupted = lambda: self.on_interrupted()

    @classmethod
    async def open(cls, db_name: str) -> IndexedDbPages:
        """Open the pages of a node.

        Parameters:
            db_name: the node's name on this origin.

        Raises:
            StorageError: IndexedDB refused.
        """
        database = await open_database(f"{db_name}.pages", [_PAGES, _LOG, _RESERVE], version=_VERSION)
        return cls(database, Reserve(db_name))

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
        self._used = bool(await self._database.read_keys(_RESERVE, "looking for the reserve"))
        return pages

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
        await self._connected(lambda: self._write(pages, page_count, makes_room))
        if not (self._kept or self._used or self._keeping):
            self._keeping = asyncio.create_task(self._keep_room())

    async def erase(self) -> None:
        await self._connected(self._erase)

    async def _connected(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something, once more where somebody closes the connection meanwhile (invariant 5)."""
        for _ in range(2):
            try:
                is_new = await self._database.connect()
            except StorageError as error:
                if self._database.is_closed or isinstance(error, StorageNewer):
                    raise
                raise StorageLost(f"what is stored cannot be reached any more: {error}") from error
            if is_new:
                self._log, self._kept, self._used = PageLog(), False, False
                raise StorageLost(f"{self._database.name} was empty when it was opened again; were its data cleared?")
            try:
                return await action()
            except StorageError as error:
                if self._database.is_connected:
                    raise
                failure = error
        raise failure

    async def _write(self, pages: Mapping[int, bytes], page_count: int, makes_room: bool) -> None:
        if self._used and not makes_room:
            try:
                await self._keep()
            except StorageError as error:
                raise StorageFull(f"there is only the room that is kept for what makes room: {error}") from error
        try:
            await self._store(pages, page_count)
        except StorageFull:
            if not makes_room:
                raise
            async with self._lock:  # a reserve that is just being made takes room too
                self._used |= await self._reserve.give_up()
                self._kept = False
            for seconds in FREED_SECONDS:
                with suppress(StorageFull):
                    return await self._store(pages, page_count)
                await asyncio.sleep(seconds)
            await self._store(pages, page_count)

    async def _store(self, pages: Mapping[int, bytes], page_count: int) -> None:
        stored = self._log or await self._read_log()
        log = stored.followed_by(pages, page_count)
        if len(pages) <= LOGGED_PAGES and log.length <= LOG_LENGTH:
            # Should one be cancelled and stored all the same, the next, which has its pages too, takes its place.
            write = WriteTransaction(self._database, "writing pages", _LOG, _RESERVE)
            write.put(_LOG, stored.length, (page_count, list(pages), b"".join(pages.values())))
            self._note_use(write)
            await write.commit()
            self._log = log
        else:
            await self._store_pages(log.pages, page_count)

    async def _erase(self) -> None:
        stored = self._log or await self._read_log()
        if stored.kept is not None:
            await self._store_pages(stored.pages, stored.kept)

    def _note_use(self, write: WriteTransaction) -> None:
        if self._used:
            write.put(_RESERVE, 0, True)

    async def _keep(self) -> None:
        """Keep room, so that every write is taken."""
        async with self._lock:
            await self._reserve.keep()
            if self._used:
                write = WriteTransaction(self._database, "keeping room", _RESERVE)
                write.delete_range(_RESERVE, 0, None)
                await write.commit()
            self._kept, self._used = True, False

    async def _keep_room(self) -> None:
        """Keep room as soon as there is any."""
        delay = RESERVE_SECONDS
        while not (self._kept or self._used):
            await asyncio.sleep(delay)
            delay = RESERVE_AGAIN_SECONDS
            with suppress(StorageError):
                await self._keep()
        self._keeping = None

    async def _store_pages(self, pages: Mapping[int, bytes], kept: int) -> None:
        """Bring `pages` up to date and empty `log`.

        Parameters:
            pages: their contents now; of those below, nothing is left from number `kept` on.
        """
        write = WriteTransaction(self._database, "writing pages", _PAGES, _LOG, _RESERVE)
        write.delete_range(_PAGES, kept, None)
        for number, page in pages.items():
            write.put(_PAGES, number, page)
        write.delete_range(_LOG, 0, None)
        self._note_use(write)
        await write.commit()
        self._log = PageLog()

    async def _read_log(self) -> PageLog:
        log = PageLog()
        for js_record in await result(self._database.js_store(_LOG).getAll(), "reading the log of pages"):
            page_count, numbers, data = js_record.to_py()
            log = log.followed_by_record(numbers, bytes(data), page_count)
        return log

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
        self._database.close()
