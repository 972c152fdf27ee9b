"""A SQLite database whose file is a list of pages in memory, made durable through a `PageStore`.

Invariants:
1. SQLite writes pages only while it commits (`cache_spill=OFF`), and a transaction never awaits, so whenever the
   event loop runs, the pages in memory are those of the last commit.
2. A flush takes the changed pages in one step, without an await, and hands them to one `PageStore.write`, which
   stores all of them or none. What is stored is therefore always the state after some commit.
3. What could not be stored is undone (`flusher`), so memory never runs ahead of the store, but for a write under way.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping

import apsw

from web5.dwn.store.database import Connection, Database
from web5.dwn.store.durable.flusher import Flusher
from web5.dwn.store.durable.image import Image, ImageVfs
from web5.errors import StorageCorrupt
from web5.ports.pages import PageStore

DEFAULT_PAGE_SIZE = 8192
CACHE_KIB = 8 * 1024  # a page that is not in it costs 2 µs to fetch, in Pyodide too
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
    image = Image(pages.page_size, stored)
    vfs = ImageVfs(f"web5-pages-{next(_vfs_numbers)}", image)
    try:
        connection = Connection(name, vfs=vfs.vfs_name)
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
    return Database(connection, Flusher(pages, image, vfs, connection))


def check_numbers(numbers: Collection[int]) -> None:
    """Raise StorageCorrupt unless page numbers run from 0 without a gap."""
    if numbers and (min(numbers) != 0 or max(numbers) != len(numbers) - 1):
        raise StorageCorrupt(f"pages are missing: {len(numbers)} are stored, the last is number {max(numbers)}")


def check_lengths(pages: Mapping[int, bytes], page_size: int) -> None:
    """Raise StorageCorrupt unless every page has the right length."""
    for number, page in pages.items():
        if len(page) != page_size:
            raise StorageCorrupt(f"page {number} has {len(page)} bytes, not {page_size}")
