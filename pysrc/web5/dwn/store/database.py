"""One SQLite database, shared by the engine, the sync ledger and the agent, so that they commit together.

Invariants:
1. A transaction never awaits, so nothing runs between its statements.
2. What `flush` has returned for survives the process, the tab or the machine.
3. Each component owns its tables and brings them up to date with `migrate`; no component touches another's.
4. What a newer version of this program has migrated is refused with StorageNewer, before anything is written.
5. `close` closes whatever fails on the way, and returns or raises only once nothing is being written any more.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn, TypeVar

import apsw

from web5.dwn.store.durable.health import Health, Ill
from web5.dwn.store.durable.room import RoomWatch
from web5.errors import StorageBusy, StorageClosed, StorageCorrupt, StorageError, StorageFull, StorageNewer

T = TypeVar("T")

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The system's errors that mean that there is no room."""

RESERVE_BYTES = 1 << 20
"""Room beside a database file that is given up so that things can be deleted where there is no more."""
_NOISE_BYTES = 1 << 17
"""The most that a file system which compresses looks at together (btrfs, ZFS)."""

_ERRORS: tuple[tuple[type[apsw.Error], type[StorageError]], ...] = (
    (apsw.FullError, StorageFull),
    (apsw.CorruptError, StorageCorrupt),
    (apsw.NotADBError, StorageCorrupt),
    (apsw.BusyError, StorageBusy),
    (apsw.IOError, StorageError),
    (apsw.ReadOnlyError, StorageError),
    (apsw.CantOpenError, StorageError),
)
"""SQLite's errors that are of the store's making; all others are faults of this program."""


class Backing:
    """The way of a connection's commits to durability; this one has nothing to do.

    Attributes:
        health: what is wrong with it.
    """

    def __init__(self) -> None:
        self.health = Health()

    def begin(self, *, makes_room: bool) -> None:
        """Prepare for a transaction."""

    def committed(self, *, makes_room: bool) -> None:
        """Take note of a transaction that SQLite has committed."""

    async def flush(self) -> None:
        """Return once everything that is committed is durable."""

    async def erase(self) -> None:
        """As `flush`, and keep no earlier version of a page."""
        await self.flush()

    async def alone(self, change: Callable[[], None]) -> None:
        """Run a transaction when nothing else is under way; return once it is durable."""
        change()
        await self.flush()

    async def close(self) -> None:
        """Free the platform's resources, after the connection is closed."""


class Connection(apsw.Connection):
    """A connection that says by StorageClosed that it was closed, and is in no transaction from then on."""

    _is_closed = False

    def close(self, force: bool = False) -> None:
        super().close(force)
        self._is_closed = True
        self.execute = self.executemany = _closed  # type: ignore[method-assign]

    @property
    def in_transaction(self) -> bool:  # type: ignore[override]
        return not self._is_closed and super().in_transaction


def _closed(*_: object, **__: object) -> NoReturn:
    raise StorageClosed


class Database:
    """An open connection whose commits can be made durable.

    Parameters:
        connection: an APSW connection that nobody else uses.
        backing: makes its commits durable.

    Attributes:
        health: what is wrong with what holds the data.
        is_shared: True if other processes change it meanwhile.
    """

    is_shared = False

    def __init__(self, connection: apsw.Connection, backing: Backing | None = None) -> None:
        self.connection = connection
        self._backing = backing or Backing()
        self.health = self._backing.health
        self._room = RoomWatch(self.health, self._touch)

    @contextmanager
    def transaction(self, *, makes_room: bool = False, of: str | None = None) -> Iterator[apsw.Connection]:
        """Commit the block's statements together, or none of them if it raises. Do not await inside.

        Parameters:
            makes_room: it deletes more than it adds, or keeps account; so it may use the room that is kept for that.
            of: the tenant whose data it changes; where the database is shared, only one at a time does.

        Raises:
            StorageError: as `_ERRORS` has it.
        """
        self._backing.begin(makes_room=makes_room)
        try:
            self.connection.execute("BEGIN IMMEDIATE")
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException as error:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            if (failure := self._failure(error)) is not None:
                raise failure from error
            raise
        self._backing.committed(makes_room=makes_room)

    @contextmanager
    def looking(self) -> Iterator[apsw.Connection]:
        """Give the connection to the block, in which what is read is from one moment, and which may hold up others."""
        yield self.connection

    async def read(self, look: Callable[[], T]) -> T:
        """Return what some reading returns, all of it from one moment."""
        return look()

    async def commit(self, change: Callable[[], T], *, makes_room: bool = False, of: str | None = None) -> T:
        """Run something in a transaction, and return what it returns once that is durable.

        Where there is no room for it and for what shared the write, it is run once more, alone.

        Parameters:
            makes_room, of: as `transaction` has it.

        Raises:
            StorageFull, StorageError: nothing of it is kept.
            Whatever `change` raises: neither.
        """

        def run() -> T:
            with self.transaction(makes_room=makes_room):
                return change()

        before = self.connection.total_changes()
        try:
            found = run()
            if self.connection.total_changes() != before:
                await self.flush()
        except StorageFull:
            alone: list[T] = []
            await self._backing.alone(lambda: alone.append(run()))
            [found] = alone
        return found

    @contextmanager
    def erasing_transaction(self, *, makes_room: bool = False, of: str | None = None) -> Iterator[apsw.Connection]:
        """Run a transaction that overwrites deleted and replaced content; `erase` drops older copies of its pages.

        Parameters:
            makes_room, of: as `transaction` has it.
        """
        self.connection.execute("PRAGMA secure_delete=ON").fetchall()
        try:
            with self.transaction(makes_room=makes_room) as db:
                yield db
        finally:
            self.connection.execute("PRAGMA secure_delete=OFF").fetchall()

    async def flush(self) -> None:
        """Return once everything committed so far is durable.

        Raises:
            StorageFull, StorageError: it could not be stored, and is undone.
        """
        await self._backing.flush()

    async def erase(self) -> None:
        """Flush, and drop all earlier versions of pages that this process can reach.

        Out of reach is what the medium keeps: a browser's log of IndexedDB until it is compacted, blocks of a disk.
        """
        await self._backing.erase()

    async def _touch(self) -> None:
        """Have a page stored anew, with nothing new in it."""

        def change() -> None:  # an update to the same value would write nothing
            self.connection.execute("INSERT INTO component VALUES ('', 0)")
            self.connection.execute("DELETE FROM component WHERE name = ''")

        await self.commit(change)

    def _failure(self, error: BaseException) -> StorageError | None:
        for kind, ours in _ERRORS:
            if isinstance(error, kind):
                # SQLite calls only one of the system's errors by that name.
                is_full = isinstance(error, apsw.IOError) and self.connection.system_errno in NO_ROOM
                failure = (StorageFull if is_full else ours)(f"the database was not changed: {error}")
                self.health.tell(Ill.FULL if isinstance(failure, StorageFull) else Ill.FAILING, str(failure))
                return failure
        return None

    def check_version(self, components: Mapping[str, Sequence[str]]) -> None:
        """Check that the database has no component, and no step of one, that is not among these; writes nothing.

        To be called by whoever opens a database, before anything else is done to what is stored.

        Raises:
            StorageNewer: it has.
        """
        if self.connection.table_exists(None, "component"):
            stored: dict[str, int] = dict(self.connection.execute("SELECT name, version FROM component"))
            for component, version in stored.items():
                check_component(component, version, len(components.get(component, ())))

    def migrate(self, component: str, steps: Sequence[str]) -> None:
        """Run the scripts of `steps` that this database has not seen yet, in one transaction.

        A step that was released is never edited: add another.

        Raises:
            StorageNewer: it has seen more of them than there are. Nothing is changed.
        """
        with self.transaction(makes_room=True) as db:  # what is full has to be opened, so that things can be deleted
            db.execute("CREATE TABLE IF NOT EXISTS component (name TEXT PRIMARY KEY, version INTEGER NOT NULL)")
            row = db.execute("SELECT version FROM component WHERE name = ?", (component,)).fetchone()
            done = row[0] if row else 0
            check_component(component, done, len(steps))
            for script in steps[done:]:
                db.execute(script)
            if done < len(steps):
                db.execute("INSERT OR REPLACE INTO component VALUES (?, ?)", (component, len(steps)))

    async def close(self) -> None:
        """Flush and close. Safe to call twice.

        Raises:
            StorageError: what was committed last is not durable. It is closed all the same.
        """
        self._room.close()
        try:
            await self.flush()
        finally:
            try:
                self.connection.close()
            finally:
                await self._backing.close()


def check_component(component: str, version: int, known: int) -> None:
    """Raise StorageNewer if a component has seen more steps than are known."""
    if version > known:
        raise StorageNewer(
            "A newer version of this program wrote what is stored here"
            f" ({component} has version {version}, this program knows {known}). Reload the page, or install the newer"
            " version. Nothing was changed."
        )


def storage_error(error: OSError) -> StorageError:
    """Return our error for one of the system's that has to do with files."""
    kind = StorageFull if error.errno in NO_ROOM else StorageCorrupt if error.errno == errno.EIO else StorageError
    return kind(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))


def open_file(path: Path | str) -> Database:
    """Open a plain SQLite file (WAL, every commit synced), making it and its folder if need be.

    Raises:
        StorageCorrupt: the file is not a whole database.
        StorageFull: there is no room to make it.
        StorageError: it cannot be opened.
    """
    connection = connect_file(Path(path))
    return Database(connection, PlainFile(Path(path), connection))


def connect_file(path: Path, synchronous: str = "FULL") -> apsw.Connection:
    """Return a connection to a SQLite file in WAL mode.

    Parameters:
        synchronous: as SQLite has it: FULL syncs the log at each commit, NORMAL leaves that to others.

    Raises as `open_file` does.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = Connection(str(path))
        # fetchall: a statement that gives a row would otherwise end the batch there.
        pragmas = f"PRAGMA journal_mode=WAL; PRAGMA synchronous={synchronous}; PRAGMA busy_timeout=5000"
        connection.execute(pragmas).fetchall()
    except OSError as error:
        raise (StorageFull if error.errno in NO_ROOM else StorageError)(
            f"{path.parent} cannot be made: {error}"
        ) from error
    except apsw.Error as error:
        kind = next((ours for theirs, ours in _ERRORS if isinstance(error, theirs)), StorageError)
        raise kind(f"{path} cannot be opened as a database: {error}") from error
    return connection


class PlainFile(Backing):
    """A plain file: a commit is durable when it is made.

    Room is kept beside it, which only what makes room may use up; until it is kept again, all else is refused.
    """

    def __init__(self, path: Path, connection: apsw.Connection) -> None:
        super().__init__()
        self._path = path
        self._connection = connection
        self._reserve = path.with_name(f"{path.name}-reserve")
        if not self._reserve.exists():
            with suppress(OSError):
                self._take_room()
        self._used = self._reserve.exists() and self._reserve.stat().st_size < RESERVE_BYTES

    def begin(self, *, makes_room: bool) -> None:
        try:
            if makes_room and self.health.trouble is not None:
                self._give_room()
            elif self._used and not makes_room:
                self._take_room()
        except OSError as error:
            raise storage_error(error) from error

    def committed(self, *, makes_room: bool) -> None:
        if not makes_room:
            self.health.tell(None)

    async def erase(self) -> None:
        [(busy, *_)] = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise StorageBusy(f"{self._path} is being read elsewhere, so its earlier pages are kept for now")

    def _take_room(self) -> None:
        try:
            # Not zeros, nor the same soon again: for these some file systems keep no room.
            self._reserve.write_bytes(os.urandom(_NOISE_BYTES) * (RESERVE_BYTES // _NOISE_BYTES))
        except OSError:
            self._give_room()
            raise
        self._used = False

    def _give_room(self) -> None:
        if self._reserve.exists():
            os.truncate(self._reserve, 0)
            self._used = True


def open_memory() -> Database:
    """Open a database that is gone when it is closed, for tests and throw-away nodes."""
    return Database(Connection(":memory:"))
