"""The connections of one process to one schema, as the engine's code uses a connection of SQLite.

Invariants:
1. Within `held`, all statements of a thread go over one connection, which no other thread has; outside of it, each
   takes one for itself.
2. A connection that is given back has no transaction, and one that broke is replaced.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, TypeAlias

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg_pool import ConnectionPool

from web5.node.postgres.dialect import from_text, to_text, translate
from web5.node.postgres.faults import is_broken
from web5.strict_json import parse_own

CONNECTIONS = 8
"""The most that a DWN of one process works with at a time."""

WAIT_SECONDS = 5.0
"""Time for which a statement waits for a connection, while PostgreSQL is away or all are in use."""

AT_ONCE = 200
"""Rows of a long result that are fetched at a time."""

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

_names = itertools.count(1)

_LIMITS = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "tcp_user_timeout": "20000",
}
"""So that a server that is gone without a word is found out."""

_OPTIONS = {
    "lock_timeout": "10s",
    "statement_timeout": "60s",
    "idle_in_transaction_session_timeout": "60s",
    "client_min_messages": "warning",
}
"""So that a process that hangs holds up no other for long."""


NAME = "web5-node"
"""The beginning of the name by which PostgreSQL knows our connections."""


def conninfo(url: str, schema: str | None, *, name: str = NAME, limited: bool = True) -> str:
    """Return how to connect: to a schema, if it is given, and unless told otherwise with bounds on all waits."""
    options = dict(_OPTIONS) if limited else {}
    if schema is not None:
        options["search_path"] = f'"{schema}"'
    given = psycopg.conninfo.conninfo_to_dict(url).get("options")
    parts = [str(given)] if given else []
    parts += [f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in options.items()]
    return str(make_conninfo(url, application_name=name, options=" ".join(parts), **_LIMITS))


class Rows:
    """The rows of a result, as APSW's cursor gives them."""

    def __init__(self, rows: Iterable[tuple[Any, ...]] = (), close: Any = None) -> None:
        self._rows = iter(rows)
        self._close = close

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self

    def __next__(self) -> tuple[Any, ...]:
        return _restored(next(self._rows))

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self)

    @property
    def get(self) -> Any:
        """The one value of the one row; None if there is none."""
        row = self.fetchone()
        return row[0] if row else None

    def close(self) -> None:
        self._rows = iter(())
        if self._close is not None:
            self._close()
            self._close = None


class Connections:
    """A pool of connections that looks like one.

    Parameters:
        url: of the database, as libpq takes it.
        schema: where the tables are.
        most: connections at a time.
    """

    def __init__(self, url: str, schema: str, most: int = CONNECTIONS) -> None:
        self.most = most
        self._here = threading.local()
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            conninfo(url, schema),
            kwargs={"autocommit": True, "cursor_factory": psycopg.RawCursor},
            min_size=1,
            max_size=most + 2,  # for the event loop's own questions, while all threads are busy
            max_waiting=0,
            timeout=WAIT_SECONDS,
            reconnect_timeout=float("inf"),
            configure=_configure,
            open=False,
            name=schema,
        )

    def open(self) -> None:
        self._pool.open()

    def close(self) -> None:
        self._pool.close(5.0)

    @contextmanager
    def held(self, begin: str) -> Iterator[Connection]:
        """Give a connection that this thread's statements go over until the end of the block.

        Parameters:
            begin: the statement that begins a transaction there. Connections that broke while nobody used them are
                found out by it; what the block leaves of the transaction is undone.
        """
        if getattr(self._here, "connection", None) is not None:
            raise RuntimeError("a transaction within another")
        with self._working(begin) as connection:
            self._here.connection, self._here.row = connection, 0
            try:
                yield connection
            finally:
                self._here.connection = None
                if connection.info.transaction_status not in (TransactionStatus.IDLE, TransactionStatus.UNKNOWN):
                    connection.execute("ROLLBACK")

    @contextmanager
    def _working(self, begin: str) -> Iterator[Connection]:
        for _ in range(self.most + 3):
            connection = self._pool.getconn()
            try:
                connection.execute(begin)
            except BaseException as error:
                self._pool.putconn(connection)
                if not is_broken(error):
                    raise
                continue
            try:
                yield connection
            finally:
                self._pool.putconn(connection)
            return
        raise psycopg.OperationalError("it ends every connection")

    def execute(self, sql: str, values: Sequence[Any] = ()) -> Rows:
        """Run a statement of the engine."""
        held: Connection | None = getattr(self._here, "connection", None)
        if held is not None:
            return self._run(held, sql, values, in_transaction=True)
        with self._working("SELECT") as connection:
            return self._run(connection, sql, values, in_transaction=False)

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run a statement for each of some rows."""
        for values in rows:
            self.execute(sql, values)

    def last_insert_rowid(self) -> int:
        """Return the number of the row that this thread made last, within `held`."""
        number: int = self._here.row
        return number

    @property
    def in_transaction(self) -> bool:
        """True if this thread has one under way."""
        return getattr(self._here, "connection", None) is not None

    def _run(self, connection: Connection, sql: str, values: Sequence[Any], *, in_transaction: bool) -> Rows:
        statement = translate(sql)
        given = [_stored(value) for value in values]
        for position in statement.lists:
            given[position] = [to_text(text) for text in parse_own(values[position])]
        if statement.is_long and in_transaction:
            long = psycopg.RawServerCursor(connection, f"rows_{next(_names)}")
            long.itersize = AT_ONCE
            long.execute(statement.text, given, binary=True)
            return Rows(long, long.close)
        cursor = connection.execute(statement.text, given, binary=True)
        if statement.is_numbered:
            [(self._here.row,)] = cursor
            return Rows()
        return Rows(cursor.fetchall() if cursor.description else ())


def _configure(connection: Connection) -> None:
    [(found,)] = connection.execute("SELECT current_setting('synchronous_commit')")
    if found == "off":  # what is acknowledged would be lost in a crash
        connection.execute("SET synchronous_commit = on")


def _stored(value: Any) -> Any:
    if isinstance(value, str):
        return to_text(value)
    return int(value) if isinstance(value, bool) else value


def _restored(row: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(map(_value, row))


def _value(value: Any) -> Any:
    if isinstance(value, str):
        return from_text(value)
    if isinstance(value, Decimal):  # a sum
        return int(value) if value == value.to_integral_value() else float(value)
    return value
