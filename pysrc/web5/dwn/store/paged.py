"""A SQLite database whose file is a list of pages in memory, made durable through a `PageStore`.

Invariants:
1. SQLite writes pages only while it commits (`cache_spill=OFF`), and a transaction never awaits, so whenever the
   event loop runs, the pages in memory are those of the last commit.
2. A flush takes the changed pages in one step, without an await, and hands them to one `PageStore.write`, which
   stores all of them or none. What is stored is therefore always the state after some commit.
3. One write is under way at a time, and writes happen in the order of the commits they carry.
4. `flush` returns only after a write has succeeded that carried, or followed, the caller's last commit.
5. After a failed write the pages stay marked, every waiter gets the error, and no commit is taken until a later
   write has succeeded. A refused commit starts that write by itself.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any

import apsw

from web5.dwn.store.database import Database
from web5.errors import StorageCorrupt, StorageError
from web5.ports.pages import PageStore

DEFAULT_PAGE_SIZE = 8192
CACHE_KIB = 8 * 1024  # a page that is not in it costs 2 µs to fetch, in Pyodide too
_SECTOR = 4096
_MAGIC = b"SQLite format 3\x00"
_vfs_numbers = itertools.count(1)


async def open_paged(pages: PageStore, name: str = "web5") -> Database:
    """Open the database that `pages` holds, or make it.

    Parameters:
        pages: the store; the database owns it, and closes it when it is closed itself.
        name: the file name that SQLite sees, for messages only.

    Raises:
        StorageCorrupt: the pages are not a SQLite database with this page size.
        StorageError: the store could not be read.
    """
    stored = await pages.load()
    image = _Image(pages.page_size, stored)
    flusher = _Flusher(pages, image)
    vfs = _ImageVfs(f"web5-pages-{next(_vfs_numbers)}", image)
    try:
        connection = apsw.Connection(name, vfs=vfs.vfs_name)
        # fetchall: a statement that gives a row would otherwise end the batch there.
        connection.execute(
            f"PRAGMA page_size={pages.page_size}; PRAGMA journal_mode=MEMORY; PRAGMA locking_mode=EXCLUSIVE;"
            "PRAGMA synchronous=OFF; PRAGMA cache_spill=OFF; PRAGMA temp_store=MEMORY;"
            f"PRAGMA cache_size=-{CACHE_KIB};"
            "SELECT count(*) FROM sqlite_schema"
        ).fetchall()
    except apsw.Error as error:
        vfs.unregister()
        raise StorageCorrupt(f"the stored pages cannot be opened as a database: {error}") from error
    connection.set_commit_hook(flusher.refuse_commit)

    async def close() -> None:
        await flusher.settled()
        vfs.unregister()
        await pages.close()

    return Database(connection, flusher.flush, close, flusher.erase)


class _Image:
    """The file's pages, and which of them no successful write has carried yet."""

    def __init__(self, page_size: int, stored: Mapping[int, bytes]) -> None:
        self.page_size = page_size
        self.pages = [stored[number] for number in range(len(stored))]
        self._blank = bytes(page_size)
        self._changed: set[int] = set()
        self._stored_count = len(stored)
        if self.pages:
            header = self.pages[0]
            size = int.from_bytes(header[16:18], "big")  # SQLite file format, section 1.3.2
            if header[:16] != _MAGIC or (65536 if size == 1 else size) != page_size:
                raise StorageCorrupt(f"the first page is not that of a SQLite database with {page_size}-byte pages")

    @property
    def changed(self) -> bool:
        return bool(self._changed) or self._stored_count != len(self.pages)

    def take_changes(self) -> tuple[dict[int, bytes], int]:
        """Return the changed pages and the page count; they count as stored from now on (see `give_back`)."""
        taken = {number: self.pages[number] for number in sorted(self._changed)}
        self._changed.clear()
        self._stored_count = len(self.pages)
        return taken, len(self.pages)

    def give_back(self, taken: Mapping[int, bytes]) -> None:
        """Mark again what `take_changes` gave, because it was not stored.

        Which pages the store still holds beyond them is unknown, so that even an empty change is written again.
        """
        self._changed.update(number for number in taken if number < len(self.pages))
        self._stored_count = -1

    def write(self, data: bytes, offset: int) -> None:
        number, rest = divmod(offset, self.page_size)
        if rest or len(data) != self.page_size:
            raise apsw.IOError(f"SQLite wrote {len(data)} bytes at {offset}, which is not a page")
        self.resize(max(len(self.pages), number + 1))
        self.pages[number] = data
        self._changed.add(number)

    def resize(self, count: int) -> None:
        have = len(self.pages)
        if count < have:
            del self.pages[count:]
            self._changed.difference_update(range(count, have))
        elif count > have:
            self.pages.extend([self._blank] * (count - have))
            self._changed.update(range(have, count))


class _ImageFile:
    """APSW calls these by name; it needs no base class. Locks mean nothing: there is one connection."""

    def __init__(self, image: _Image) -> None:
        self._image = image

    def xRead(self, amount: int, offset: int) -> bytes:
        image = self._image
        number, start = divmod(offset, image.page_size)
        if number >= len(image.pages):
            return b""
        page = image.pages[number]
        return page if amount == image.page_size and not start else page[start : start + amount]

    def xWrite(self, data: Any, offset: int) -> None:
        self._image.write(bytes(data), offset)

    def xTruncate(self, size: int) -> None:
        self._image.resize(-(-size // self._image.page_size))

    def xFileSize(self) -> int:
        return len(self._image.pages) * self._image.page_size

    def xSync(self, flags: int) -> None: ...

    def xLock(self, level: int) -> None: ...

    def xUnlock(self, level: int) -> None: ...

    def xCheckReservedLock(self) -> bool:
        return False

    def xSectorSize(self) -> int:
        return _SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xClose(self) -> None: ...


class _ImageVfs(apsw.VFS):
    """Opens the one image; journals and temporary files stay in SQLite's own memory and never come here."""

    def __init__(self, name: str, image: _Image) -> None:
        self.vfs_name = name
        self._image = image
        super().__init__(name, base="")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        if not flags[0] & apsw.SQLITE_OPEN_MAIN_DB:
            raise apsw.CantOpenError("only the database itself is kept in pages")
        flags[1] = flags[0]
        return _ImageFile(self._image)

    def xAccess(self, pathname: str, flags: int) -> bool:
        return False

    def xDelete(self, filename: str, syncdir: bool) -> None: ...

    def xFullPathname(self, name: str) -> str:
        return name


class _Flusher:
    """Group commit: one write under way, and one more that everybody who comes meanwhile shares."""

    def __init__(self, store: PageStore, image: _Image) -> None:
        self._store = store
        self._image = image
        self._under_way: asyncio.Task[None] | None = None
        self._waiting: asyncio.Task[None] | None = None
        self._failure: StorageError | None = None
        self._erase = False  # with the next write

    async def flush(self) -> None:
        """Return when every commit before the call is stored. Cancelling the caller does not stop the write."""
        if self._image.changed:
            await asyncio.shield(self._start())
        elif self._under_way is not None:
            await asyncio.shield(self._under_way)

    async def erase(self) -> None:
        """As `flush`; on return the store has no earlier version of any page either."""
        self._erase = True
        await asyncio.shield(self._start())

    def refuse_commit(self) -> bool:
        """SQLite's commit hook: raises, which rolls the transaction back, while a write has failed."""
        if self._failure is None:
            return False
        with suppress(RuntimeError):  # no event loop: somebody's next flush will retry
            asyncio.get_running_loop()
            self._start()
        raise type(self._failure)(f"no write is taken until an earlier one is stored: {self._failure}")

    async def settled(self) -> None:
        """Return when nothing is under way."""
        while tasks := [task for task in (self._under_way, self._waiting) if task is not None]:
            await asyncio.wait(tasks)

    def _start(self) -> asyncio.Task[None]:
        # The task takes its pages when the loop next comes round, so that callers made ready together share it.
        if self._waiting is None:
            self._waiting = asyncio.create_task(self._write(self._under_way))
            # Every waiter may have been cancelled; then nobody else looks at the task's error.
            self._waiting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return self._waiting

    async def _write(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        self._under_way, self._waiting = self._waiting, None
        taken, count = self._image.take_changes()
        erase, self._erase = self._erase, False
        try:
            await self._store.write(taken, count)
            if erase:
                await self._store.erase()
        except BaseException as error:
            self._image.give_back(taken)
            self._erase |= erase
            failure = error if isinstance(error, StorageError) else StorageError(f"the page store failed: {error!r}")
            self._failure = failure
            if isinstance(error, Exception):
                raise failure from error
            raise
        else:
            self._failure = None
        finally:
            self._under_way = None


def check_numbers(numbers: Collection[int]) -> None:
    """Raise StorageCorrupt unless page numbers run from 0 without a gap."""
    if numbers and (min(numbers) != 0 or max(numbers) != len(numbers) - 1):
        raise StorageCorrupt(f"pages are missing: {len(numbers)} are stored, the last is number {max(numbers)}")


def check_lengths(pages: Mapping[int, bytes], page_size: int) -> None:
    """Raise StorageCorrupt unless every page has the right length."""
    for number, page in pages.items():
        if len(page) != page_size:
            raise StorageCorrupt(f"page {number} has {len(page)} bytes, not {page_size}")
