"""A SQLite file whose changes share their way to the disk: what is durable when, and who fails with whom."""

from __future__ import annotations

import asyncio
import errno
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from tests.unit.dwn.store.tested_pages import NOTES, ids
from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import Node
from web5.cpython import grouped
from web5.cpython.grouped import GroupedDatabase, open_grouped
from web5.dwn import compose
from web5.dwn.store.database import open_file
from web5.dwn.store.durable.health import Ill
from web5.dwn.values.cid import message_cid
from web5.errors import Conflict, StorageError, StorageFull, StorageUnsure


def _insert(database: GroupedDatabase, number: int, size: int = 10) -> Callable[[], None]:
    def change() -> None:
        database.connection.execute("INSERT INTO note VALUES (?, randomblob(?))", (number, size))

    return change


class _Disk:
    """The syncs of a file, each of which waits until it is let through."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        self.fails = False
        self._begun, self._may = threading.Semaphore(0), threading.Semaphore(0)
        sync = grouped._sync_file

        def held(path: Path) -> None:
            self.count += 1
            self._begun.release()
            assert self._may.acquire(timeout=60)
            if self.fails:
                raise OSError(errno.EIO, "a bad block")
            sync(path)

        monkeypatch.setattr(grouped, "_sync_file", held)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.acquire, timeout=60)

    def let(self, count: int = 1) -> None:
        self._may.release(count)


async def _made(tmp_path: Path) -> GroupedDatabase:
    database = open_grouped(tmp_path / "db")
    database.migrate("notes", NOTES)
    await database.flush()
    return database


async def test_2_nothing_is_answered_before_it_is_on_the_disk_and_all_share_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await _made(tmp_path)
    disk = _Disk(monkeypatch)
    first = [asyncio.create_task(database.commit(_insert(database, number))) for number in range(20)]
    await disk.begun()
    later = [asyncio.create_task(database.commit(_insert(database, number))) for number in range(20, 40)]
    reader = asyncio.create_task(database.read(lambda: ids(database)))
    refused = asyncio.create_task(database.commit(_refuse))
    await asyncio.sleep(0)
    assert not any(one.done() for one in (*first, *later, reader, refused))
    disk.let()
    await disk.begun()
    await asyncio.gather(*first)
    assert not any(one.done() for one in (*later, reader, refused))
    disk.let()
    await asyncio.gather(*later)
    assert await reader == list(range(40))
    with pytest.raises(Conflict):
        await refused
    assert disk.count == 2
    assert await database.read(lambda: len(ids(database))) == 40
    assert disk.count == 2  # nothing is under way, so nobody waits
    await database.close()


def _refuse() -> None:
    raise Conflict("", "Conflict")


async def test_2_what_was_answered_is_in_what_the_disk_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, synced, sync = await _made(tmp_path), 0, grouped._sync_file

    def copied(path: Path) -> None:
        nonlocal synced
        (copy := tmp_path / f"copy{synced + 1}").mkdir()
        for name in ("db", "db-wal"):  # the log later than the file, as a checkpoint writes them
            shutil.copyfile(tmp_path / name, copy / name)
        sync(path)
        synced += 1

    monkeypatch.setattr(grouped, "_sync_file", copied)
    answered: list[tuple[int, int]] = []

    async def write(writer: int) -> None:
        for number in range(writer, 100, 10):
            await database.commit(_insert(database, number, 3000))
            answered.append((number, synced))

    await asyncio.gather(*map(write, range(10)))
    await database.close()
    assert len(answered) == 100 and synced < 100
    for count in range(1, synced + 1):
        copy = open_file(tmp_path / f"copy{count}" / "db")
        assert {number for number, after in answered if after <= count} <= set(ids(copy))
        assert copy.connection.pragma("integrity_check") == "ok"
        await copy.close()


async def test_2_subscribers_hear_of_what_is_on_the_disk_in_the_order_of_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, heard = await Node.make(tmp_path / "node"), list[str]()
    await node.open()
    subscribe = await compose.messages_subscribe(node.signer, clock)
    reply = await node.dwn.process_message(
        node.did, subscribe, subscription_handler=lambda event: heard.append(message_cid(event["message"]))
    )
    assert reply["status"]["code"] == 200
    disk = _Disk(monkeypatch)
    messages = [
        await compose.records_write(node.signer, clock, data=b"text", data_format="text/plain") for _ in range(8)
    ]
    writes = [asyncio.create_task(node.process(message, b"text")) for message in messages]
    await disk.begun()
    assert not heard and not any(one.done() for one in writes)
    disk.let(len(writes))
    assert await asyncio.gather(*writes) == [(202, "Accepted")] * 8
    assert heard == [cid for _, cid in node.dwn.store.entries_after(node.did, 0, 100)]
    await node.close()


async def test_3_a_change_that_raises_takes_nobody_along(tmp_path: Path) -> None:
    database = await _made(tmp_path)

    def half() -> None:
        _insert(database, 50)()
        _refuse()

    changes = [_insert(database, 1), half, _insert(database, 2), _insert(database, 1), _insert(database, 3)]
    results = await asyncio.gather(*map(database.commit, changes), return_exceptions=True)
    assert [type(one) for one in results] == [type(None), Conflict, type(None), apsw.ConstraintError, type(None)]
    assert ids(database) == [1, 2, 3]
    assert not database.connection.in_transaction
    await database.close()


async def test_3_what_finds_no_room_takes_nobody_along(tmp_path: Path) -> None:
    database = await _made(tmp_path)
    database.connection.pragma("max_page_count", database.connection.pragma("page_count") + 2)
    changes = [_insert(database, 1), _insert(database, 2, 90_000), _insert(database, 3)]
    results = await asyncio.gather(*map(database.commit, changes), return_exceptions=True)
    assert [type(one) for one in results] == [type(None), StorageFull, type(None)]
    assert ids(database) == [1, 3]
    await database.close()


async def test_3_a_transaction_that_cannot_be_committed_is_made_again_in_parts(tmp_path: Path) -> None:
    database, calls = await _made(tmp_path), 0

    def once() -> bool:  # true: SQLite undoes instead
        nonlocal calls
        calls += 1
        return calls == 1

    database.connection.set_commit_hook(once)
    undone: list[None] = []
    database.health.on_undone.append(lambda: undone.append(None))
    await asyncio.gather(*(database.commit(_insert(database, number)) for number in range(3)))
    assert (ids(database), len(undone), calls) == ([0, 1, 2], 1, 4)
    await database.close()


async def test_4_after_a_sync_that_failed_nothing_is_said_any_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = await _made(tmp_path)
    disk = _Disk(monkeypatch)
    first = asyncio.create_task(database.commit(_insert(database, 1)))
    await disk.begun()
    second = asyncio.create_task(database.commit(_insert(database, 2)))
    await asyncio.sleep(0)
    disk.fails = True
    disk.let()
    for one in (first, second):
        with pytest.raises(StorageUnsure, match="start the node anew"):
            await one
    assert database.health.trouble is not None and database.health.trouble.kind == Ill.FAILING
    with pytest.raises(StorageError):
        await database.commit(_insert(database, 3))
    with pytest.raises(StorageError):
        await database.read(lambda: ids(database))
    with pytest.raises(StorageError):
        await database.close()
    monkeypatch.undo()
    again = open_grouped(tmp_path / "db")
    assert set(ids(again)) <= {1}
    await again.commit(_insert(again, 4))
    await again.close()


async def test_a_caller_that_is_cancelled_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await _made(tmp_path)
    disk = _Disk(monkeypatch)
    tasks = [asyncio.create_task(database.commit(_insert(database, number))) for number in range(3)]
    await disk.begun()
    tasks[0].cancel()
    disk.let(2)
    await asyncio.gather(*tasks[1:])
    await database.commit(_insert(database, 3))
    assert ids(database) == [0, 1, 2, 3]
    await database.close()


async def test_the_log_begins_anew_under_a_load_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grouped, "CHECKPOINT_PAGES", 20)
    monkeypatch.setattr(grouped, "LARGEST_LOG", 100)
    database = await _made(tmp_path)

    async def write(writer: int) -> None:
        for number in range(writer, 400, 8):
            await database.commit(_insert(database, number, 8000))

    await asyncio.gather(*map(write, range(8)))
    size = (tmp_path / "db-wal").stat().st_size
    assert size < 4096 * 600 < 400 * 8000
    assert ids(database) == list(range(400))
    assert database.connection.pragma("integrity_check") == "ok"
    await database.close()
    assert not (tmp_path / "db-wal").exists()
