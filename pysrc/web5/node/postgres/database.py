"""One schema of a PostgreSQL database, in the place of the engine's SQLite database.

Invariants:
1. A change runs in a thread, over a connection of its own, in one transaction. All changes of one tenant, of whichever
   process, follow one another: each holds the tenant's lock until it is committed. So the numbers of a tenant's event
   log come in the order in which they can be read.
2. Nothing that is stored is remembered here.
3. Whether a transaction was committed whose answer was lost, the server is asked; only if it stays away, or has crashed
   meanwhile, does a change fail that may have been made.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, TypeVar, cast

import apsw
import psycopg
from psycopg import errors

from web5.dwn.store.database import Database, check_component
from web5.dwn.store.durable.health import Ill
from web5.errors import BadRequest, StorageError, StorageFull
from web5.node.postgres.connections import CONNECTIONS, Connection, Connections
from web5.node.postgres.faults import fault_of, is_broken
from web5.tasks import outlasting

T = TypeVar("T")

ASK_SECONDS = 10.0
"""Time for which the server is asked what became of a transaction."""

_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_EVERYBODY = "all of the schema"
"""The owner of changes that are not one tenant's."""

_RECOVERED = "pg_stat_get_bgwriter_stat_reset_time()::text"
"""The moment from which PostgreSQL counts: it begins anew after a crash, and not when it was ended in good order."""


@dataclass(frozen=True, slots=True)
class _Begun:
    """A transaction: its connection, its number, and since when the server has not crashed."""

    connection: Connection
    number: str
    recovered: str | None


class PostgresDatabase(Database):
    """One schema, which other processes may use too.

    Parameters:
        url: of the database, as libpq takes it.
        schema: the schema, which is there.
        steps: the steps of each component's tables in PostgreSQL's words.
        most: connections at a time.

    Attributes:
        url, schema: as given.
    """

    is_shared = True

    def __init__(self, url: str, schema: str, steps: Mapping[str, Sequence[str]], most: int = CONNECTIONS) -> None:
        self.url, self.schema = url, schema
        self._steps = steps
        self._connections = Connections(url, schema, most)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix=f"postgres-{schema}")
        self._working: set[asyncio.Future[Any]] = set()
        self._closed = False
        # It answers as far as the engine asks.
        super().__init__(cast(apsw.Connection, self._connections))
        self._connections.open()

    @contextmanager
    def transaction(self, *, makes_room: bool = False, of: str | None = None) -> Iterator[apsw.Connection]:
        with self._in_our_terms(), self._begun(of) as begun:
            yield self.connection
            self._commit(begun)

    @contextmanager
    def _begun(self, of: str | None) -> Iterator[_Begun]:
        key = int.from_bytes(sha256(f"{self.schema} {of or _EVERYBODY}".encode()).digest()[:8], "big", signed=True)
        with self._connections.held("BEGIN") as connection:
            row = connection.execute(f"SELECT pg_advisory_xact_lock({key}), pg_current_xact_id()::text, {_RECOVERED}")
            [(_, number, recovered)] = row
            yield _Begun(connection, number, recovered)

    def _commit(self, begun: _Begun) -> None:
        try:
            begun.connection.execute("COMMIT")
        except Exception as error:
            if not (is_broken(error) and self._was_committed(begun)):
                raise

    def _was_committed(self, begun: _Begun) -> bool:
        """Return True if a transaction is known to be committed whose connection broke meanwhile.

        After a crash that is not known: PostgreSQL may have given its number to another since.
        """
        until = time.monotonic() + ASK_SECONDS
        while time.monotonic() < until:
            try:
                with psycopg.connect(self.url, connect_timeout=5) as asking:
                    question = f"SELECT pg_xact_status('{begun.number}'::xid8), {_RECOVERED}"
                    [(status, recovered)] = asking.execute(question)
            except psycopg.Error:
                status, recovered = None, begun.recovered
            if recovered != begun.recovered:
                return False
            if status in ("committed", "aborted"):
                return bool(status == "committed")
            time.sleep(0.1)
        return False

    async def commit(self, change: Callable[[], T], *, makes_room: bool = False, of: str | None = None) -> T:
        def run() -> T:
            with self.transaction(makes_room=makes_room, of=of):
                return change()

        found = await self._in_thread(run)
        self.health.tell(None)
        return found

    @contextmanager
    def looking(self) -> Iterator[apsw.Connection]:
        with self._in_our_terms(), self._connections.held(_SNAPSHOT):
            yield self.connection

    async def read(self, look: Callable[[], T]) -> T:
        def run() -> T:
            with self.looking():
                return look()

        found = await self._in_thread(run)
        if self.health.trouble is not None and self.health.trouble.kind == Ill.FAILING:
            self.health.tell(None)
        return found

    async def off_the_loop(self, work: Callable[[], T]) -> T:
        """Do something else that waits for PostgreSQL, its errors in our terms."""

        def run() -> T:
            with self._in_our_terms():
                return work()

        return await self._in_thread(run)

    @property
    def connections(self) -> Connections:
        return self._connections

    @contextmanager
    def erasing_transaction(self, *, makes_room: bool = False, of: str | None = None) -> Iterator[apsw.Connection]:
        with self.transaction(makes_room=makes_room, of=of) as db:
            yield db

    async def flush(self) -> None:
        """Return: what is committed is durable."""

    async def erase(self) -> None:
        """Return: PostgreSQL's autovacuum overwrites deleted rows in its own time."""

    def check_version(self, components: Mapping[str, Sequence[str]]) -> None:
        with self._in_our_terms():
            if self.connection.execute("SELECT to_regclass('component')::text").get is None:
                return
            for name, version in self.connection.execute("SELECT name, version FROM component"):
                check_component(name, version, len(self._steps.get(name, components.get(name, ()))))

    def migrate(self, component: str, steps: Sequence[str]) -> None:
        steps = self._steps.get(component, steps)
        with self._in_our_terms(), self._begun(None) as begun:
            connection = begun.connection
            connection.execute(
                'CREATE TABLE IF NOT EXISTS component (name text COLLATE "C" PRIMARY KEY, version integer NOT NULL)'
            )
            row = connection.execute("SELECT version FROM component WHERE name = $1", (component,)).fetchone()
            done = row[0] if row else 0
            check_component(component, done, len(steps))
            for script in steps[done:]:
                connection.execute(script)
            if done < len(steps):
                connection.execute(
                    "INSERT INTO component VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
                    (component, len(steps)),
                )
            self._commit(begun)

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._room.close()
            if self._working:
                await asyncio.wait(self._working)
            await asyncio.to_thread(self._connections.close)
            self._threads.shutdown(wait=False)

    async def _in_thread(self, run: Callable[[], T]) -> T:
        """Run something in a thread. A caller that is cancelled meanwhile waits for its end: it is done or undone."""
        if self._closed:
            raise StorageError("the store is closed")
        work = asyncio.get_running_loop().run_in_executor(self._threads, run)
        try:
            return await outlasting(work, self._working)
        except StorageError as error:
            self._tell(error)
            raise

    @contextmanager
    def _in_our_terms(self) -> Iterator[None]:
        try:
            yield
        except errors.ProgramLimitExceeded as error:
            raise BadRequest("", "a value by which this message is found is too long for this node's store") from error
        except (psycopg.Error, TimeoutError, OSError) as error:
            if (failure := fault_of(error)) is None:
                raise
            raise failure from error

    def _tell(self, error: StorageError) -> None:
        self.health.tell(Ill.FULL if isinstance(error, StorageFull) else Ill.FAILING, str(error))
