"""One SQLite database, shared by the engine, the sync ledger and the agent, so that they commit together.

Invariants:
1. A transaction never awaits, so nothing runs between its statements.
2. What `flush` has returned for survives the process, the tab or the machine.
3. Each component owns its tables and brings them up to date with `migrate`; no component touches another's.
4. What a newer version of this program has migrated is refused with StorageNewer, before anything is written.
5. `close` closes whatever fails on the way, and returns or raises only once nothing is being written any more.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import apsw

from web5.errors import StorageBusy, StorageCorrupt, StorageError, StorageNewer


async def _already_durable() -> None:
    return None


class Database:
    """An open connection whose commits can be made durable.

    Parameters:
        connection: an APSW connection that nobody else uses.
        flush: returns once everything committed before the call is durable.
        close: frees the platform's resources, after the connection is closed.
        erase: as `flush`, and no earlier version of a page is kept.
    """

    def __init__(
        self,
        connection: apsw.Connection,
        flush: Callable[[], Awaitable[None]] = _already_durable,
        close: Callable[[], Awaitable[None]] = _already_durable,
        erase: Callable[[], Awaitable[None]] = _already_durable,
    ) -> None:
        self.connection = connection
        self._flush = flush
        self._close = close
        self._erase = erase

    @contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Commit the block's statements together, or none of them if it raises. Do not await inside."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
            self.connection.execute("COMMIT")
        except BaseException:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
            raise

    @contextmanager
    def erasing_transaction(self) -> Iterator[apsw.Connection]:
        """Run a transaction that overwrites deleted and replaced content; `erase` drops older copies of its pages."""
        self.connection.execute("PRAGMA secure_delete=ON").fetchall()
        try:
            with self.transaction() as db:
                yield db
        finally:
            self.connection.execute("PRAGMA secure_delete=OFF").fetchall()

    async def flush(self) -> None:
        """Return once everything committed so far is durable, or raise StorageFull or another StorageError."""
        await self._flush()

    async def erase(self) -> None:
        """Flush, and drop all earlier versions of pages that this process can reach.

        Out of reach is what the medium keeps: a browser's log of IndexedDB until it is compacted, blocks of a disk.
        """
        await self._erase()

    def check_version(self, components: Mapping[str, Sequence[str]]) -> None:
        """Check that the database has no component, and no step of one, that is not among these; writes nothing.

        To be called by whoever opens a database, before anything else is done to what is stored.

        Raises:
            StorageNewer: it has.
        """
        if self.connection.table_exists(None, "component"):
            stored: dict[str, int] = dict(self.connection.execute("SELECT name, version FROM component"))
            for component, version in stored.items():
                _check_version(component, version, len(components.get(component, ())))

    def migrate(self, component: str, steps: Sequence[str]) -> None:
        """Run the scripts of `steps` that this database has not seen yet, in one transaction.

        A step that was released is never edited: add another.

        Raises:
            StorageNewer: it has seen more of them than there are. Nothing is changed.
        """
        with self.transaction() as db:
            db.execute("CREATE TABLE IF NOT EXISTS component (name TEXT PRIMARY KEY, version INTEGER NOT NULL)")
            row = db.execute("SELECT version FROM component WHERE name = ?", (component,)).fetchone()
            done = row[0] if row else 0
            _check_version(component, done, len(steps))
            for script in steps[done:]:
                db.execute(script)
            if done < len(steps):
                db.execute("INSERT OR REPLACE INTO component VALUES (?, ?)", (component, len(steps)))

    async def close(self) -> None:
        """Flush and close. Safe to call twice.

        Raises:
            StorageError: what was committed last is not durable. It is closed all the same.
        """
        try:
            await self.flush()
        finally:
            try:
                self.connection.close()
            finally:
                await self._close()


def _check_version(component: str, version: int, known: int) -> None:
    if version > known:
        raise StorageNewer(
            "A newer version of this program wrote what is stored here"
            f" ({component} has version {version}, this program knows {known}). Reload the page, or install the newer"
            " version. Nothing was changed."
        )


def open_file(path: Path | str) -> Database:
    """Open a plain SQLite file (WAL, every commit synced), making it and its folder if need be.

    Raises:
        StorageCorrupt: the file is not a whole database.
        StorageError: it cannot be opened.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        connection = apsw.Connection(str(path))
        # fetchall: a statement that gives a row would otherwise end the batch there.
        connection.execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=5000").fetchall()
    except apsw.Error as error:
        kind = StorageCorrupt if isinstance(error, apsw.NotADBError | apsw.CorruptError) else StorageError
        raise kind(f"{path} cannot be opened as a database: {error}") from error

    async def empty_log() -> None:
        [(busy, *_)] = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if busy:
            raise StorageBusy(f"{path} is being read elsewhere, so its earlier pages are kept for now")

    return Database(connection, erase=empty_log)


def open_memory() -> Database:
    """Open a database that is gone when it is closed, for tests and throw-away nodes."""
    return Database(apsw.Connection(":memory:"))
