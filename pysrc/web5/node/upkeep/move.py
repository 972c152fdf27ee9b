"""All that a node keeps, moved from a folder to PostgreSQL or back, and compared.

Invariants:
1. The source is only read. Nothing else may use it meanwhile, and the target must hold nothing yet.
2. Numbers, identity and cursors stay: a device goes on where it was.
3. It is done only once both hold the same, row by row, and the data of every record have their CID at the target.

What waits at the relay of the connect flow, for ten minutes at the most, stays behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from web5.chunks import reading
from web5.cpython.lock import sole_use
from web5.dwn.store.database import Database
from web5.dwn.store.schema import STEPS, Columns
from web5.dwn.values.cid import DataCid
from web5.errors import StorageBusy, StorageCorrupt, StorageError
from web5.node import gateway_items, registration
from web5.node.s3.address import S3Address
from web5.node.stores import (
    DATABASE,
    DHT,
    REGISTRATIONS,
    REGISTRY,
    Place,
    Postgres,
    Stores,
    name_of,
    open_part,
    require_postgres,
    stores_of,
)
from web5.node.tenants import registry, use
from web5.ports.blobs import Blobs

AT_ONCE = 500
"""Rows that are read, and written, at a time."""

GOING_SECONDS = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
"""Times between two looks whether connections are gone: PostgreSQL may still name those of a node that just ended."""


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: Sequence[str]
    order: str
    is_made: bool = False
    """True if the target has a row by itself, in whose place that of the source comes."""


_MESSAGES = (
    _Table("dwn_store", ("id",), "id", is_made=True),
    _Table("dwn_tenant", ("id", "did"), "id"),
    _Table("dwn_message", ("seq", *Columns._fields), "seq"),
    _Table("dwn_tag", (columns := ("tag_tenant", "name", "value", "tag_created", "tagged")), ", ".join(columns)),
    _Table("dwn_blob", ("tenant", "record_id", "data_cid", "size", "key"), "tenant, record_id, data_cid"),
)
_SAID = (
    _Table("tenant", ("did", "admitted", "suspended", "bytes", "messages", "invitation"), "did"),
    _Table("invitation", ("id", "code_hash", "uses", "used", "ends", "note", "made"), "id"),
)
_REGISTRATIONS = (
    _Table("registered_tenant", ("did", "terms_hash", "registered"), "did"),
    _Table("registration_secret", ("secret",), "secret", is_made=True),
)
_DOCUMENTS = (_Table("gateway_item", ("key", "payload", "renewed"), "key"),)


@dataclass
class Moved:
    """The amount of what was moved."""

    messages: int = 0
    blobs: int = 0
    bytes: int = 0
    documents: int = 0


async def move(
    source: Place,
    target: Place,
    paths: Sequence[str],
    s3: S3Address | None = None,
    target_s3: S3Address | None = None,
) -> Moved:
    """Move the DWNs at some paths, and the gateway's documents.

    Parameters:
        s3, target_s3: the places of large data of both; None: with the messages.

    Raises:
        StorageBusy: a node uses the source or the target.
        StorageCorrupt: the target does not hold the same; nothing may use it.
        StorageError: there is no node at the source, there is one at the target, or one of them cannot be opened.
    """
    moved = Moved()
    if s3 is not None and target_s3 is not None:
        # Were they one place, the source would not only be read.
        raise StorageError("large data go from S3 to S3 by way of a folder: move there first")
    async with AsyncExitStack() as stack:
        for place in (source, target):
            if isinstance(place, Postgres):
                await _check_unused(place)
            else:
                stack.enter_context(sole_use(place))
        for path in paths:
            if isinstance(source, Path) and not (source / name_of(path) / DATABASE).exists():
                raise StorageError(f"there is no DWN in {source / name_of(path)}; name what is there with --paths")
            async with stores_of(source, path, make=False, s3=s3) as old, stores_of(target, path, s3=target_s3) as new:
                await _move_dwn(old, new, _files(source, path), moved)
        if not isinstance(source, Path) or (source / f"{DHT}.sqlite").exists():
            await _move_documents(source, target, moved)
    return moved


def _files(source: Place, path: str) -> set[str]:
    if isinstance(source, Path):
        return {file for file in (REGISTRY, REGISTRATIONS) if (source / name_of(path) / file).exists()}
    return {REGISTRY, REGISTRATIONS}


async def _move_dwn(old: Stores, new: Stores, files: set[str], moved: Moved) -> None:
    for stores in (old, new):
        stores.messages.migrate("dwn", STEPS)
        use.prepare(stores.messages)
    _check_empty(new.messages, _MESSAGES)
    query = "SELECT key, size, data_cid FROM dwn_blob"
    if new.remote is not None:
        [(identity,)] = old.messages.connection.execute("SELECT id FROM dwn_store")
        await new.remote.claim(str(identity), holds_nothing=True)
    blobs: list[tuple[Any, ...]] = old.messages.connection.execute(query).fetchall()
    for key, size, cid in blobs:
        await _move_blob(old.blobs, new.blobs, key, size, cid)
        moved.blobs += 1
        moved.bytes += size
    moved.messages += _copy(old.messages, new.messages, _MESSAGES)["dwn_message"]
    if use.all_used(old.messages.connection) != use.all_used(new.messages.connection):
        raise _different("the amounts that tenants keep")
    for file, component, steps, tables in (
        (REGISTRY, "tenants", registry.SCHEMA, _SAID),
        (REGISTRATIONS, "registrations", registration.SCHEMA, _REGISTRATIONS),
    ):
        if file in files:
            here, there = ((one.said if file == REGISTRY else one.registrations)() for one in (old, new))
            for database in (here, there):
                database.migrate(component, steps)
            _check_empty(there, tables)
            _copy(here, there, tables)


async def _move_documents(source: Place, target: Place, moved: Moved) -> None:
    async with AsyncExitStack() as stack:
        both = []
        for place in (source, target):
            both.append(open_part(place, DHT))
            stack.push_async_callback(both[-1].close)
            both[-1].migrate(DHT, gateway_items.SCHEMA)
        _check_empty(both[1], _DOCUMENTS)
        moved.documents = _copy(both[0], both[1], _DOCUMENTS)["gateway_item"]


async def _move_blob(old: Blobs, new: Blobs, key: str, size: int, cid: str) -> None:
    await new.put(key, old.get(key))
    found = DataCid()
    async with reading(new.get(key)) as chunks:
        async for chunk in chunks:
            found.update(chunk)
    if found.finish() != (cid, size):
        raise StorageCorrupt(f"the data {cid} are not whole; look at the source with web5-node check")


def _copy(old: Database, new: Database, tables: Sequence[_Table]) -> dict[str, int]:
    """Copy tables, in a transaction, and compare them; return the numbers of their rows."""
    with new.transaction(makes_room=True) as db:
        for table in tables:
            if table.is_made:
                db.execute(f"DELETE FROM {table.name}")
            marks = ", ".join("?" * len(table.columns))
            insert = f"INSERT INTO {table.name} ({', '.join(table.columns)}) VALUES ({marks})"
            with _rows(old, table) as rows:
                while some := list(islice(rows, AT_ONCE)):
                    db.executemany(insert, some)
    if new.is_shared and tables is _MESSAGES:
        _go_on_counting(new)
    counts = {}
    for table in tables:
        (count, digest), other = _digest(old, table), _digest(new, table)
        if (count, digest) != other:
            raise _different(table.name)
        counts[table.name] = count
    return counts


@contextmanager
def _rows(database: Database, table: _Table) -> Iterator[Iterator[tuple[Any, ...]]]:
    """Give the rows of a table in order."""
    query = f"SELECT {', '.join(table.columns)} FROM {table.name} ORDER BY {table.order}"
    with database.looking() as db:
        found = db.execute(query)
        try:
            yield iter(found)
        finally:
            found.close()


def _digest(database: Database, table: _Table) -> tuple[int, bytes]:
    count, digest = 0, sha256()
    with _rows(database, table) as rows:
        for row in rows:
            # A size is a float in one of them, and may be none in the other.
            same = [int(value) if isinstance(value, float) and value.is_integer() else value for value in row]
            digest.update(repr(same).encode())
            count += 1
    return count, digest.digest()


def _go_on_counting(database: Database) -> None:
    """Have PostgreSQL give numbers from behind those that it was given."""
    for sequence, column, table in (
        ("'dwn_seq'", "seq", "dwn_message"),
        ("pg_get_serial_sequence('dwn_tenant', 'id')", "id", "dwn_tenant"),
    ):
        query = f"SELECT setval({sequence}, (SELECT coalesce(max({column}), 0) + 1 FROM {table}), false)"
        database.connection.execute(query)


def _check_empty(database: Database, tables: Sequence[_Table]) -> None:
    for table in tables:
        if not table.is_made and database.connection.execute(f"SELECT 1 FROM {table.name} LIMIT 1").fetchone():
            raise StorageError(f"the target holds something already, in {table.name}: name one that is empty")


async def _check_unused(place: Postgres) -> None:
    require_postgres()
    from web5.node.postgres.opening import users_of

    count = users_of(place.url)
    for seconds in GOING_SECONDS:
        if count:
            await asyncio.sleep(seconds)
            count = users_of(place.url)
    if count:
        raise StorageBusy(f"{count} connections of web5-node use the database: end the nodes first")


def _different(what: str) -> StorageCorrupt:
    return StorageCorrupt(f"the target does not hold the same ({what}): erase it, and look for what else wrote there")
