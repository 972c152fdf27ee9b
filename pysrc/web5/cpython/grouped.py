"""A SQLite file for many who write at once: their changes share a transaction, and one way to the disk.

Invariants:
1. Changes are made one after the other, each in a savepoint, in a transaction that is committed when the loop next
   comes round; while an earlier one is on its way to the disk, once that is there. The way to the disk is a sync of
   SQLite's log in a thread, so that nobody else waits for it.
2. What `commit`, `flush` and `read` have returned for is durable, and so is what a change was refused for.
3. A change that raises is undone alone. A transaction that fails as a whole is undone as a whole; then each of its
   changes is made once more, in a transaction of its own.
4. After a sync that has failed, nobody knows what is on the disk, and a second sync would tell nothing (Linux forgets
   what it could not write). So from then on everything fails, until the file is opened anew.

Nobody else in this process may write to the file: they would wait for a transaction that waits for them.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import apsw

from web5.dwn.store.database import Database, PlainFile, connect_file
from web5.dwn.store.durable.health import Ill
from web5.errors import StorageClosed, StorageError, StorageFull, StorageUnsure
from web5.tasks import report

T = TypeVar("T")

CHECKPOINT_PAGES = 1000
"""Pages of the log from which on they are brought into the file, in a thread."""

LARGEST_LOG = 16 * CHECKPOINT_PAGES
"""Pages of the log from which on what came meanwhile is brought there too, though all wait, so that it begins anew."""


class _Group:
    """Changes that are committed together, and those who wait for them.

    Attributes:
        is_begun: there is a transaction.
        makes_room: all of the changes do.
    """

    def __init__(self) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Everybody who waits may have been cancelled; then nobody else looks at its error.
        self.done.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.is_begun = False
        self.makes_room = True


def open_grouped(path: Path) -> GroupedDatabase:
    """Open a SQLite file for many who write at once; raises as `open_file` does."""
    return GroupedDatabase(path, connect_file(path, "NORMAL"))


class GroupedDatabase(Database):
    """A database in a file whose changes are committed in groups.

    Parameters:
        connection: as `connect_file` gives it, without a sync at each commit.
    """

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        self._file = PlainFile(path, connection)
        super().__init__(connection, self._file)
        self._path = path
        self._log = path.with_name(f"{path.name}-wal")
        self._threads = ThreadPoolExecutor(2, thread_name_prefix=f"sqlite-{path.stem}")
        self._joined: _Group | None = None
        self._committed: list[_Group] = []
        self._under_way: _Group | None = None
        self._running: asyncio.Task[None] | None = None
        self._checkpointing: asyncio.Future[None] | None = None
        self._pages = self._checkpointed = 0
        self._unsynced = False
        self._broken: str | None = None
        connection.set_wal_hook(self._logged)  # which also ends SQLite's own checkpoints

    async def commit(self, change: Callable[[], T], *, makes_room: bool = False, of: str | None = None) -> T:
        try:
            group, found = self._make(change, makes_room=makes_room)
        except StorageFull:
            return await self._alone(change, makes_room=makes_room)
        except StorageError:
            raise
        except Exception:
            await self.flush()
            raise
        try:
            await asyncio.shield(group.done)
        except StorageError:
            if self._broken is not None:
                raise
            return await self._alone(change, makes_room=makes_room)
        return found

    @contextmanager
    def transaction(self, *, makes_room: bool = False, of: str | None = None) -> Iterator[apsw.Connection]:
        self._check()
        self._end()
        with super().transaction(makes_room=makes_room) as db:
            yield db

    async def read(self, look: Callable[[], T]) -> T:
        while True:
            self._check()
            try:
                found = look()
            except StorageError:
                raise
            except Exception:
                await self.flush()
                raise
            group = self._latest()
            if group is None:
                return found
            with suppress(StorageError):  # what was seen is undone: look once more
                await asyncio.shield(group.done)
                return found

    async def flush(self) -> None:
        self._check()
        if (group := self._latest()) is not None:
            await asyncio.shield(group.done)

    async def erase(self) -> None:
        await self.flush()
        while self._checkpointing is not None:
            await self._later(self._checkpointing)
        self._end()
        await self._file.erase()

    async def close(self) -> None:
        self._room.close()
        try:
            await self.flush()
        finally:
            while (left := self._running or self._checkpointing) is not None:
                await self._later(left)
            self.connection.close()
            self._threads.shutdown(wait=False)

    @staticmethod
    async def _later(work: asyncio.Future[None]) -> None:
        await asyncio.wait([work])
        await asyncio.sleep(0)  # for its callbacks

    async def _alone(self, change: Callable[[], T], *, makes_room: bool) -> T:
        with self.transaction(makes_room=makes_room):
            found = change()
        await self.flush()
        return found

    def _make(self, change: Callable[[], T], *, makes_room: bool) -> tuple[_Group, T]:
        """Make a change in the transaction of those that are made now."""
        self._check()
        self._file.begin(makes_room=makes_room)
        group, db, is_saved = self._join(), self.connection, False
        try:
            if not group.is_begun:
                db.execute("BEGIN IMMEDIATE")
                group.is_begun = True
            db.execute("SAVEPOINT one_change")
            is_saved = True
            found = change()
            db.execute("RELEASE one_change")
        except BaseException as error:
            failure = self._failure(error)
            if group.is_begun and not db.in_transaction:  # SQLite has undone all of it
                self._undone(group, failure or StorageError(f"it was undone with another: {error}"))
            elif is_saved:
                db.execute("ROLLBACK TO one_change; RELEASE one_change")
            if failure is not None:
                raise failure from error
            raise
        group.makes_room &= makes_room
        return group, found

    def _join(self) -> _Group:
        if self._joined is None:
            self._joined = _Group()
            if self._running is None:
                self._running = asyncio.create_task(self._run())
        return self._joined

    def _latest(self) -> _Group | None:
        """Return the last group of those that are not durable yet, if there is one."""
        if self._unsynced and self._joined is None and not self._committed:
            self._join()  # a transaction of somebody's own, which nobody waits for yet
        return self._joined or (self._committed[-1] if self._committed else self._under_way)

    def _end(self) -> None:
        """Commit what was joined until now."""
        group = self._joined
        if group is None:
            return
        if group.is_begun:
            try:
                self.connection.execute("COMMIT")
            except BaseException as error:
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                self._undone(group, self._failure(error) or StorageError(f"it cannot be committed: {error}"))
                if not isinstance(error, Exception):
                    raise
                return
            self._file.committed(makes_room=group.makes_room)
        self._joined = None
        self._committed.append(group)

    def _undone(self, group: _Group, failure: StorageError) -> None:
        self._joined = None
        self.health.undone()
        group.done.set_exception(failure)

    async def _run(self) -> None:
        groups: list[_Group] = []
        try:
            while self._joined is not None or self._committed:
                await asyncio.sleep(0)  # those who are ready by now share it
                self._end()
                groups, self._committed = self._committed, []
                if groups:
                    self._under_way = groups[-1]
                    await self._sync()
                    self._under_way = None
                for group in groups:
                    group.done.set_result(None)
                self._tidy()
        except BaseException as error:
            self._break(error, groups)
            if not isinstance(error, Exception):
                raise
        finally:
            self._running = self._under_way = None

    async def _sync(self) -> None:
        if self._unsynced:
            self._unsynced = False
            await asyncio.get_running_loop().run_in_executor(self._threads, _sync_file, self._log)

    def _break(self, error: BaseException, groups: list[_Group]) -> None:
        self._broken = f"{self._log} could not be written to the disk ({error!r}); start the node anew"
        self.health.tell(Ill.FAILING, self._broken)
        if self.connection.in_transaction:
            with suppress(apsw.Error):
                self.connection.execute("ROLLBACK")
        left = [*groups, *self._committed, *([self._joined] if self._joined else [])]
        self._committed, self._joined = [], None
        for group in left:
            if not group.done.done():
                group.done.set_exception(StorageUnsure(self._broken))

    def _check(self) -> None:
        if self._broken is not None:
            raise StorageError(self._broken)

    def _logged(self, _connection: apsw.Connection, _name: str, pages: int) -> int:
        """Take note of a commit that is in the log, and of the pages that this has; SQLite's hook."""
        if pages < self._pages:  # it has begun anew
            self._checkpointed = 0
        self._pages, self._unsynced = pages, True
        return apsw.SQLITE_OK

    def _tidy(self) -> None:
        """See to it that the log does not grow for ever."""
        if self._pages - self._checkpointed < CHECKPOINT_PAGES or self._checkpointing is not None:
            return
        self._checkpointed = self._pages
        self._checkpointing = asyncio.get_running_loop().run_in_executor(self._threads, _checkpoint, self._path)
        self._checkpointing.add_done_callback(self._tidied)

    def _tidied(self, done: asyncio.Future[None]) -> None:
        self._checkpointing = None
        if (error := None if done.cancelled() else done.exception()) is not None:
            report("the log of a database stays as it is for now", error)
        elif self._pages >= LARGEST_LOG and self._broken is None:
            self._end()
            with suppress(apsw.Error, StorageClosed):  # the next time
                self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def _sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        (os.fdatasync if hasattr(os, "fdatasync") else os.fsync)(descriptor)
    finally:
        os.close(descriptor)


def _checkpoint(path: Path) -> None:
    with closing(apsw.Connection(str(path))) as db:
        db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
