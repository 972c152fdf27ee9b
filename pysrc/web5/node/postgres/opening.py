"""The opening of a PostgreSQL database: a look whether it will do, and the schema of a DWN in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import psycopg
from psycopg import errors, sql

from web5.errors import StorageCorrupt, StorageError
from web5.node.postgres.connections import CONNECTIONS, NAME, conninfo
from web5.node.postgres.database import PostgresDatabase
from web5.node.postgres.faults import fault_of
from web5.node.postgres.schema import COMPONENTS

OLDEST = 150000
"""The oldest version that this is tested with, as PostgreSQL numbers them."""

PREFIX = "web5_"
"""The beginning of the names of a node's schemas."""

_WAYS_IN = (
    (
        "Peer authentication failed",
        "on this machine, it lets in whoever has that name here: run the node as that user, or make a user of"
        " PostgreSQL for yourself, with createuser, and name none: postgresql:///NAME",
    ),
    ("password authentication failed", "put the right password into ~/.pgpass or PGPASSWORD"),
    ("no password supplied", "put the password into ~/.pgpass or PGPASSWORD"),
    ("no pg_hba.conf entry", "PostgreSQL's pg_hba.conf has to name this machine, user and database"),
)
_LONGEST = 63
_OPENING = 0x77656235
"""The lock of whoever makes a schema."""


def schema_at(path: str) -> str:
    """Return the schema of the DWN at a path.

    Raises:
        StorageError: PostgreSQL would cut its name.
    """
    word = path.strip("/")
    schema = f"{PREFIX}dwn_{word}" if word else f"{PREFIX}dwn"
    if len(schema) > _LONGEST:
        raise StorageError(
            f"a path has at most {_LONGEST - len(schema) + len(word)} characters with PostgreSQL: {path}"
        )
    return schema


def open_postgres(
    url: str,
    schema: str,
    components: Mapping[str, Sequence[str]] = COMPONENTS,
    most: int = CONNECTIONS,
    *,
    make: bool = True,
) -> PostgresDatabase:
    """Open a schema of a PostgreSQL database, making it if need be.

    Parameters:
        components: the steps of its tables.
        most: connections at a time.
        make: False: one that is not there is not made.

    Raises:
        StorageNewer: a newer version of this program has changed it.
        StorageError: the server cannot be reached, is too old, or does not let us in; the error says what to do.
    """
    try:
        with psycopg.connect(conninfo(url, None, limited=False), autocommit=True) as connection:
            _check(connection)
            _make(connection, schema, make=make)
    except (psycopg.Error, OSError) as error:
        raise _told(error) from error
    database = PostgresDatabase(url, schema, components, most)
    try:
        database.check_version(components)
    except StorageError:
        database.connections.close()
        raise
    return database


def users_of(url: str) -> int:
    """Return the number of connections to the database that are a node's.

    Raises:
        StorageError: as `open_postgres`.
    """
    try:
        with psycopg.connect(conninfo(url, None, limited=False), autocommit=True) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            query += " AND application_name LIKE %s AND pid <> pg_backend_pid()"
            [(count,)] = connection.execute(query, (f"{NAME}%",))
    except (psycopg.Error, OSError) as error:
        raise _told(error) from error
    return int(count)


def _check(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    if (version := connection.info.server_version) < OLDEST:
        raise StorageError(f"PostgreSQL {OLDEST // 10000} or newer is needed; this is {version // 10000}")
    [(encoding,)] = connection.execute("SELECT current_setting('server_encoding')")
    if encoding != "UTF8":
        raise StorageCorrupt(f"the database has the encoding {encoding}; make one with ENCODING 'UTF8'")
    [(is_standby,)] = connection.execute("SELECT pg_is_in_recovery()")
    if is_standby:
        raise StorageError("this PostgreSQL is a standby, which takes no writes: name the primary server")


def _make(connection: psycopg.Connection[tuple[object, ...]], schema: str, *, make: bool) -> None:
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_OPENING,))
        if connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (schema,)).fetchone() is None:
            if not make:
                raise StorageError(f"there is no DWN in the schema {schema} of this database")
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))


def _told(error: Exception) -> StorageError:
    words = " ".join(str(error).split())
    if isinstance(error, errors.InsufficientPrivilege):
        return StorageError(
            f"the database user may not make a schema ({words}): GRANT CREATE ON DATABASE to it, or have it own that"
        )
    if isinstance(error, psycopg.ProgrammingError):
        return StorageError(f"the database's URL cannot be read ({words}): it is like postgresql://user@host/name")
    if "does not exist" in words and "database" in words:
        return StorageError(f"there is no such database ({words}): make it with createdb")
    for sign, way_out in _WAYS_IN:
        if sign in words:
            return StorageError(f"PostgreSQL does not let this node in ({words}): {way_out}")
    return fault_of(error) or StorageError(f"PostgreSQL cannot be used: {words}")
