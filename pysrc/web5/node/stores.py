"""The stores of one DWN of a node, opened where the node keeps its data: in a folder, or in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from web5.cpython.blobs import FileBlobs
from web5.cpython.grouped import open_grouped
from web5.cpython.lock import sole_use
from web5.dwn.store.database import Database, open_file
from web5.dwn.store.schema import STEPS
from web5.errors import StorageError
from web5.node.tenants import use
from web5.ports.blobs import Blobs

if TYPE_CHECKING:
    from web5.node.postgres.database import PostgresDatabase
    from web5.node.s3.address import S3Address
    from web5.node.s3.blobs import S3Blobs

ROOT = "dwn"
"""The name of the folder of a DWN at `/`, below that of all data."""

DHT, CONNECT = "gateway", "connect"
"""The parts of a node that are no DWN: documents of did:dht, and what apps and wallets have left for each other."""

DATABASE, REGISTRY, REGISTRATIONS, BLOBS = "dwn.sqlite", "tenants.sqlite", "registrations.sqlite", "blobs"
"""The files in the folder of a DWN: messages, the word about tenants, who registered, and large data."""

COMPONENTS = {"dwn": STEPS, "use": use.SCHEMA}
"""The components of a DWN's database."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A PostgreSQL database in which a node keeps its data.

    Parameters:
        url: as libpq takes it.
        connections: the most that each DWN of a process works with at a time.
    """

    url: str
    connections: int


Place = Path | Postgres
"""The folder of all data of a node, or the database."""


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of a DWN. In PostgreSQL all databases are one.

    Parameters:
        messages: the engine's database.
        blobs: its large data.
        said: opens that of the word about tenants, for as long as these are open.
        registrations: that of who registered, likewise.
        shared: the database, if other processes may have it open too.
        remote: the large data, if they are in S3-compatible storage; nobody has claimed the place yet.
    """

    messages: Database
    blobs: Blobs
    said: Callable[[], Database]
    registrations: Callable[[], Database]
    shared: PostgresDatabase | None = None
    remote: S3Blobs | None = None


def name_of(path: str) -> str:
    """Return the name of the folder of the DWN that is served at a path."""
    return path.strip("/") or ROOT


@asynccontextmanager
async def in_folder(folder: Path, s3: S3Address | None = None) -> AsyncIterator[Stores]:
    """Open the stores of a DWN in a folder of its own.

    Parameters:
        s3: the place of its large data; None: they are in the folder, too.

    Raises:
        StorageBusy: another process has the folder open.
        StorageError: the data in it cannot be opened.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(sole_use(folder))

        def opened(database: Database) -> Database:
            stack.push_async_callback(database.close)
            return database

        messages = opened(open_grouped(folder / DATABASE))
        messages.check_version(COMPONENTS)
        remote = None if s3 is None else open_s3(s3)
        blobs: Blobs = FileBlobs(folder / BLOBS) if remote is None else remote
        stack.push_async_callback(blobs.close)

        def said() -> Database:
            return opened(open_file(folder / REGISTRY))

        def registered() -> Database:
            return opened(open_file(folder / REGISTRATIONS))

        yield Stores(messages, blobs, said, registered, remote=remote)


@asynccontextmanager
async def in_postgres(
    place: Postgres, path: str, *, make: bool = True, s3: S3Address | None = None
) -> AsyncIterator[Stores]:
    """Open the stores of the DWN at a path in a schema of a PostgreSQL database.

    Parameters:
        make: False: one that is not there is not made.
        s3: the place of its large data; None: they are in the database, too.

    Raises:
        StorageError: it cannot be opened.
    """
    require_postgres()
    from web5.node.postgres.blobs import PostgresBlobs
    from web5.node.postgres.opening import open_postgres, schema_at

    database = open_postgres(place.url, schema_at(path), most=place.connections, make=make)
    try:
        remote = None if s3 is None else open_s3(s3)
        blobs: Blobs = PostgresBlobs(database) if remote is None else remote
        yield Stores(database, blobs, lambda: database, lambda: database, database, remote)
        await blobs.close()
    finally:
        await database.close()


def stores_of(
    place: Place, path: str, *, make: bool = True, s3: S3Address | None = None
) -> AbstractAsyncContextManager[Stores]:
    """Open the stores of the DWN at a path, as `in_folder` or `in_postgres` does.

    Parameters:
        s3: the place of the large data of all DWNs of the node, each of which has its own in it.
    """
    own = None if s3 is None else s3.below(name_of(path))
    if isinstance(place, Postgres):
        return in_postgres(place, path, make=make, s3=own)
    return in_folder(place / name_of(path), own)


async def claim(stores: Stores) -> None:
    """Take the place in S3 for the DWN, whose tables are there, if its large data are to be in one.

    Raises:
        StorageError: it is another's, or its large data are elsewhere.
    """
    if stores.remote is not None:
        db = stores.messages.connection
        [(identity,)] = db.execute("SELECT id FROM dwn_store")
        holds_nothing = db.execute("SELECT 1 FROM dwn_blob LIMIT 1").fetchone() is None
        await stores.remote.claim(str(identity), holds_nothing=holds_nothing)


def open_s3(address: S3Address) -> S3Blobs:
    """Open a place in S3-compatible storage.

    Raises:
        StorageError: what speaks to it is not installed, or it cannot be spoken to so.
    """
    try:
        from web5.node.s3.blobs import S3Blobs
    except ImportError as error:
        raise StorageError(f"S3 needs more ({error}): pip install 'web5-py[node,s3]'") from error
    return S3Blobs(address)


def open_said(place: Place, path: str, messages: Database) -> Database:
    """Open the word about the tenants of the DWN at a path once more; in PostgreSQL it is the database of messages."""
    return messages if isinstance(place, Postgres) else open_file(place / name_of(path) / REGISTRY)


def part_file(folder: Path, part: str) -> Path:
    """Return the file of a part of the node that is no DWN."""
    return folder / f"{part}.sqlite"


def open_part(place: Place, part: str) -> Database:
    """Open the store of a part of the node that is no DWN.

    Raises:
        StorageError: it cannot be opened.
    """
    if not isinstance(place, Postgres):
        return open_grouped(part_file(place, part))
    require_postgres()
    from web5.node.postgres import schema
    from web5.node.postgres.opening import PREFIX, open_postgres

    return open_postgres(place.url, PREFIX + part, {part: schema.PARTS[part]}, place.connections)


def require_postgres() -> None:
    """Raise StorageError unless what speaks to PostgreSQL is installed."""
    try:
        import psycopg
        import psycopg_pool
    except ImportError as error:
        raise StorageError(f"PostgreSQL needs more ({error}): pip install 'web5-py[node,postgres]'") from error
    del psycopg, psycopg_pool
