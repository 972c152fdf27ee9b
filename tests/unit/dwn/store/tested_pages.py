"""A page store that fails, stalls, fills up, loses everything and dies on demand, and databases over it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from tests.contracts.memory_pages import MemoryPages
from web5.dwn.store.database import Database
from web5.dwn.store.durable.paged import open_paged
from web5.errors import StorageFull

PAGE = 1024
NOTES = ["CREATE TABLE note (id INTEGER PRIMARY KEY, text BLOB); CREATE INDEX by_text ON note (text)"]


class Killed(BaseException):
    """The process ended here."""


class TestedPages(MemoryPages):
    """A real store that keeps a record of its writes, and goes wrong when told to."""

    __test__ = False

    def __init__(self, held: dict[int, bytes] | None = None) -> None:
        super().__init__(PAGE, held)
        self.writes: list[tuple[list[int], int]] = []
        self.made_room: list[bool] = []  # of each write
        self.erase_failures: list[Exception] = []
        self.erased_after: list[int] = []  # how many writes
        self.begun: asyncio.Queue[int] = asyncio.Queue()
        self.ended: asyncio.Queue[int] = asyncio.Queue()
        self.failures: list[Exception] = []
        self.gate: asyncio.Event | None = None
        self.kill_at: tuple[int, str] | None = None
        self.killed_unstored = True
        self.failures_after: list[Exception] = []
        self.most: int | None = None  # pages

    async def write(self, pages: Mapping[int, bytes], page_count: int, *, makes_room: bool = False) -> None:
        number = len(self.writes)
        self.writes.append((sorted(pages), page_count))
        self.made_room.append(makes_room)
        self.begun.put_nowait(number)
        if self.gate is not None:
            await self.gate.wait()
        await asyncio.sleep(0)
        try:
            if self.kill_at == (number, "before") or (self.failures and self.kill_at == (number, "after")):
                raise Killed
            if self.failures:
                raise self.failures.pop(0)
            if self.most is not None and page_count > max(self.most, len(self.held)):
                raise StorageFull(f"no room for {page_count} pages")
            await super().write(pages, page_count)
            if self.failures_after:
                raise self.failures_after.pop(0)
            if self.kill_at == (number, "after"):
                self.killed_unstored = False
                raise Killed
        finally:
            self.ended.put_nowait(number)

    async def erase(self) -> None:
        await super().erase()
        if self.erase_failures:
            raise self.erase_failures.pop(0)
        self.erased_after.append(len(self.writes))

    def hold(self) -> asyncio.Event:
        """Let the next write begin but not go on before the event; forget what was begun and ended so far."""
        self.begun, self.ended, self.gate = asyncio.Queue(), asyncio.Queue(), asyncio.Event()
        return self.gate


async def open_notes(store: TestedPages) -> Database:
    database = await open_paged(store)
    database.migrate("notes", NOTES)
    await database.flush()
    return database


def insert(database: Database, number: int, size: int = 100) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO note VALUES (?, randomblob(?))", (number, size))


async def stored_ids(held: dict[int, bytes]) -> list[int]:
    """What another process would find; the database must be whole."""
    database = await open_paged(MemoryPages(PAGE, dict(held)))
    assert database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    found = ids(database) if database.connection.table_exists(None, "note") else []
    await database.close()
    return found


async def flushing(database: Database) -> asyncio.Task[None]:
    """A flush that has begun to wait: between `begun` and its first wait, no other task runs."""
    begun = asyncio.Event()

    async def flush() -> None:
        begun.set()
        await database.flush()

    task = asyncio.ensure_future(flush())
    await begun.wait()
    return task


def ids(database: Database) -> list[int]:
    return [row[0] for row in database.connection.execute("SELECT id FROM note ORDER BY id")]
