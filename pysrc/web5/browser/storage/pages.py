"""The SQLite database's pages in IndexedDB.

What a transaction costs there is the number of its records more than their bytes, and so it is with reading; a commit
of SQLite changes a page in each of several trees. So a write is one record of a log, or few, and pages are found in it
(`page_log`).

Invariants:
1. `log` holds the records, numbered in their order. What is stored is what they come to, one laid over the other.
2. A write is one transaction: it adds records to `log`; it may drop others, and then adds what of them is of use.
3. `log` has not much that is replaced, and not many records (`page_log`); so opening stays quick.
4. Room is kept (`reserve`), which only a write that makes room may use up. `reserve` has a record once one has; from
   then on, until that room is kept again, every other write is refused.
5. Nothing is written into a database that is not the one that was read: it is StorageLost first.
6. What is known of `log` is what is stored, or else it is read anew before the next write.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from pyodide.ffi import JsException

from web5.browser.storage.indexeddb import IndexedDb, WriteTransaction, key_range, open_database, result
from web5.browser.storage.page_log import MOVED_PAGES, RECORD_PAGES, PageLog, Record, decode, encode, parts
from web5.browser.storage.reserve import Reserve
from web5.dwn.store.durable.paged import DEFAULT_PAGE_SIZE, check_lengths, check_numbers
from web5.errors import StorageCorrupt, StorageError, StorageFull, StorageLost, StorageNewer

RESERVE_SECONDS = 5.0
"""After a first write, until room is kept: a node that starts has better things to do."""
RESERVE_AGAIN_SECONDS = 60.0
"""Until it is tried again where there was no room."""

FREED_SECONDS = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""The waits until the browser counts room that was given up as free: no event tells."""

_LOG, _RESERVE = "log", "reserve"
_VERSION = 4
_BATCH = 4
"""Records that are read by one request: at most 8 MiB."""
_AHEAD = 3
"""Requests that are under way while pages are taken over: all of them at once would hold every page twice."""


class IndexedDbPages:
    """A `PageStore` in the IndexedDB database `<db_name>.pages`. It has one owner at a time. Use `open`."""

    page_size = DEFAULT_PAGE_SIZE

    def __init__(self, database: IndexedDb, reserve: Reserve) -> None:
        self._database = database
        self._log: PageLog | None = None  # None: unknown
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
        database = await open_database(f"{db_name}.pages", [_LOG, _RESERVE], version=_VERSION)
        return cls(database, Reserve(db_name))

    async def load(self) -> dict[int, bytes]:
        log, pages = PageLog(), dict[int, bytes]()
        async for key, record in self._records():
            log.append(key, record.numbers, record.page_count)
            pages.update(record.pages(self.page_size))
        pages = {number: pages[number] for number in sorted(pages) if number < log.count}
        check_numbers(pages)
        check_lengths(pages, self.page_size)
        if len(pages) != log.count:
            raise StorageCorrupt(f"pages are missing: {len(pages)} are stored, and there were {log.count}")
        self._log = log
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
        log = await self._known()
        # What makes room is to find it: it does not move what lies elsewhere.
        if not self._used and (tidied := log.to_tidy(max(MOVED_PAGES, 2 * len(pages)))):
            with suppress(StorageFull):
                return await self._append(log, pages, page_count, tidied)
        await self._append(log, pages, page_count)

    async def _erase(self) -> None:
        log = await self._known()
        while tidied := log.wasteful(_BATCH * RECORD_PAGES):
            await self._append(log, {}, log.count, tidied)

    async def _append(
        self, log: PageLog, pages: Mapping[int, bytes], page_count: int, tidied: Sequence[int] = ()
    ) -> None:
        """Add a write, and drop records, of which what is of use goes with it.

        Parameters:
            tidied: the keys of those records.
        """
        moved = await self._of_use(log, tidied, pages, page_count) if tidied else {}
        records = list(parts({**pages, **moved}))
        write = WriteTransaction(self._database, "writing pages", _LOG, _RESERVE)
        if not len(log):
            write.delete_range(_LOG, 0, None)
        for key in tidied:
            write.delete(_LOG, key=key)
        for key, part in enumerate(records, log.next_key):
            write.put(_LOG, key, encode(page_count, part))
        self._note_use(write)
        self._log = None  # as long as it is not known whether this is stored
        try:
            await write.commit()
        except StorageFull:
            self._log = log
            raise
        for key, part in enumerate(records, log.next_key):
            log.append(key, part, page_count)
        log.drop(tidied)
        self._log = log

    async def _of_use(
        self, log: PageLog, keys: Sequence[int], replaced: Collection[int], page_count: int
    ) -> dict[int, bytes]:
        """Return what is of use of some records, once other pages are stored."""
        keys = [key for key in keys if log.live(key)]
        js_asked = self._database.ask(_LOG, *(("get", key) for key in keys))
        found: dict[int, bytes] = {}
        for key, js_record in zip(keys, await result(js_asked, "reading what is still of use"), strict=True):
            if js_record is None:
                raise self._lost(f"record {key} of {self._database.name} is gone")
            wanted = log.live(key).difference(replaced)
            try:
                pages = dict(decode(_bytes(js_record)).pages(self.page_size))
            except StorageCorrupt as error:
                raise self._lost(f"record {key} of {self._database.name} cannot be read: {error}") from error
            found |= {number: page for number, page in pages.items() if number in wanted and number < page_count}
        return found

    def _lost(self, what: str) -> StorageLost:
        """Forget what was stored: all of it is written anew, in its place."""
        self._log = PageLog()
        return StorageLost(what)

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

    async def _known(self) -> PageLog:
        if self._log is None:
            log = PageLog()
            async for key, record in self._records():
                log.append(key, record.numbers, record.page_count)
            self._log = log
        return self._log

    async def _records(self) -> AsyncIterator[tuple[int, Record]]:
        """Give all records in their order, with their keys."""
        keys = await self._database.read_keys(_LOG, "reading the log of pages")
        batches = iter([keys[at : at + _BATCH] for at in range(0, len(keys), _BATCH)])
        under_way = deque((batch, self._ask_for(batch)) for batch in islice(batches, _AHEAD))
        while under_way:
            batch, js_asked = under_way.popleft()
            (js_records,) = await result(js_asked, "reading the log of pages")
            if (batch_after := next(batches, None)) is not None:
                under_way.append((batch_after, self._ask_for(batch_after)))
            if len(js_records) != len(batch):
                raise StorageCorrupt(f"of {len(batch)} records of the log, {len(js_records)} are left")
            for key, js_record in zip(batch, js_records, strict=True):
                yield key, decode(_bytes(js_record))

    def _ask_for(self, keys: Sequence[int]) -> Any:
        return self._database.ask(_LOG, ("getAll", key_range(keys[0], keys[-1])))

    async def close(self) -> None:
        if self._keeping is not None:
            self._keeping.cancel()
        self._database.close()


def _bytes(js_record: Any) -> bytes:
    try:
        return js_record.to_bytes()  # type: ignore[no-any-return]
    except (AttributeError, JsException) as error:
        raise StorageCorrupt("a record of the log of pages holds something else") from error
