"""A database in a plain file, where there is no more room."""

from __future__ import annotations

import resource
import zlib
from pathlib import Path

import apsw
import pytest

from tests.unit.dwn.store.tested_pages import NOTES, ids
from web5.dwn.store.database import RESERVE_BYTES, Database, open_file
from web5.dwn.store.durable.health import Ill
from web5.errors import StorageError, StorageFull


async def _commit(database: Database, statement: str, *values: object, makes_room: bool = False) -> None:
    await database.commit(lambda: database.connection.execute(statement, values), makes_room=makes_room)


async def test_what_finds_no_room_is_told_and_deletes_get_the_reserve(tmp_path: Path) -> None:
    database, reserve = open_file(tmp_path / "db"), tmp_path / "db-reserve"
    database.migrate("notes", NOTES)
    assert reserve.stat().st_size == RESERVE_BYTES
    await _commit(database, "INSERT INTO note VALUES (1, randomblob(9000))")
    limit = database.connection.pragma("page_count")
    database.connection.pragma("max_page_count", limit)
    with pytest.raises(StorageFull):
        await _commit(database, "INSERT INTO note VALUES (2, randomblob(9000))")
    assert database.health.trouble is not None
    assert (database.health.trouble.kind, ids(database), reserve.exists()) == (Ill.FULL, [1], True)
    await _commit(database, "DELETE FROM note WHERE id = 1", makes_room=True)
    assert (database.health.trouble.kind, ids(database), reserve.exists()) == (Ill.FULL, [], True)
    assert reserve.stat().st_size == 0
    await _commit(database, "INSERT INTO note VALUES (3, randomblob(9000))")
    assert (database.health.trouble, ids(database), reserve.stat().st_size) == (None, [3], RESERVE_BYTES)
    await database.close()


async def test_the_reserve_is_as_large_on_a_file_system_that_compresses(tmp_path: Path) -> None:
    await open_file(tmp_path / "db").close()
    together = 128 << 10  # looked at together by btrfs, and by ZFS as it is set at first
    assert len(zlib.compress((tmp_path / "db-reserve").read_bytes()[:together])) >= together


async def test_until_the_reserve_is_there_again_only_what_makes_room_goes_through(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database, reserve = open_file(tmp_path / "db"), tmp_path / "db-reserve"
    database.migrate("notes", NOTES)
    for number in range(4):
        await _commit(database, "INSERT INTO note VALUES (?, randomblob(9000))", number)
    database.health.tell(Ill.FULL)
    await _commit(database, "DELETE FROM note WHERE id = 0", makes_room=True)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    request.addfinalizer(lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits))
    resource.setrlimit(resource.RLIMIT_FSIZE, (RESERVE_BYTES - 1, limits[1]))
    for number in (1, 2):
        with pytest.raises(StorageFull):
            await _commit(database, "INSERT INTO note VALUES (9, '')")
        assert reserve.stat().st_size == 0
        await _commit(database, "DELETE FROM note WHERE id = ?", number, makes_room=True)
        await database.close()
        database = open_file(tmp_path / "db")
        database.migrate("notes", NOTES)
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    await _commit(database, "INSERT INTO note VALUES (9, '')")
    assert (database.health.trouble, ids(database), reserve.stat().st_size) == (None, [3, 9], RESERVE_BYTES)
    await database.close()


async def test_errors_of_the_store_are_typed_and_faults_of_the_program_are_not(tmp_path: Path) -> None:
    database = open_file(tmp_path / "db")
    database.migrate("notes", NOTES)
    database.connection.pragma("query_only", 1)
    with pytest.raises(StorageError, match="the database was not changed"):
        await _commit(database, "INSERT INTO note VALUES (1, '')")
    database.connection.pragma("query_only", 0)
    with pytest.raises(apsw.SQLError):
        await _commit(database, "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(apsw.ConstraintError):
        await _commit(database, "INSERT INTO note VALUES (1, ''), (1, '')")
    assert ids(database) == []
    await database.close()
