"""The invariants of `web5.dwn.store.durable.flusher`: reserves, losses, writers who share a write without room."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.dwn.store.tested_pages import PAGE, TestedPages, ids, open_notes, stored_ids
from web5.dwn.store.database import Database
from web5.dwn.store.durable import flusher
from web5.dwn.store.durable.health import Ill, Trouble
from web5.dwn.store.durable.image import RESERVE
from web5.errors import StorageError, StorageFull, StorageLost


def _kind(database: Database) -> Ill | None:
    return database.health.trouble and database.health.trouble.kind


def _delete(database: Database, *numbers: int) -> None:
    for number in numbers:
        database.connection.execute("DELETE FROM note WHERE id = ?", (number,))


def _healthy(database: Database) -> asyncio.Event:
    """Set when the trouble that comes is over."""
    healthy = asyncio.Event()
    database.health.on_changed.append(lambda: healthy.set() if database.health.trouble is None else healthy.clear())
    return healthy


async def _commit(database: Database, number: int, size: int = 300) -> None:
    statement = "INSERT INTO note VALUES (?, randomblob(?))"
    await database.commit(lambda: database.connection.execute(statement, (number, size)))


async def _fill(database: Database, store: TestedPages) -> int:
    """Let the store have no more room than it uses, and find out how many notes still fit."""
    store.most = len(store.held)
    number = 1000
    while True:
        try:
            await _commit(database, number)
        except StorageFull:
            return number - 1000
        number += 1


async def test_what_makes_room_goes_through_where_nothing_else_does() -> None:
    store = TestedPages()
    database = await open_notes(store)
    for number in range(30):
        await _commit(database, number)
    await _fill(database, store)
    assert _kind(database) == Ill.FULL
    held = len(store.held)
    for number in range(10):

        def delete_and_tell(number: int = number) -> None:
            _delete(database, number)
            database.connection.execute("INSERT INTO note VALUES (?, randomblob(100))", (-number - 1,))

        await database.commit(delete_and_tell, makes_room=True)
        assert len(store.held) == held
    assert _kind(database) == Ill.FULL
    await database.commit(lambda: _delete(database, *ids(database)), makes_room=True)
    await _commit(database, 999)
    assert _kind(database) is None
    assert await stored_ids(store.held) == [999]
    await database.close()


async def test_the_reserve_is_there_when_a_store_is_opened_again_and_is_filled_up_first() -> None:
    store = TestedPages()
    database = await open_notes(store)
    await _commit(database, 1)
    await _fill(database, store)
    used = database.connection.pragma("page_count")
    assert len(store.held) == used + RESERVE
    await database.commit(lambda: insert_large(database, -1, 4), makes_room=True)
    await database.close()
    store = TestedPages(store.held)
    store.most = len(store.held)
    again = await open_notes(store)
    with pytest.raises(StorageFull):
        await _commit(again, 2, 4000)
    await again.commit(lambda: insert_large(again, -2, 4), makes_room=True)
    store.most = None
    await _commit(again, 2)
    assert len(store.held) == again.connection.pragma("page_count") + RESERVE
    await again.close()


async def test_the_store_is_told_which_writes_make_room() -> None:
    store = TestedPages()
    database = await open_notes(store)
    await _commit(database, 1)
    await database.commit(lambda: _delete(database, 1), makes_room=True)
    await _commit(database, 2)
    await asyncio.gather(_commit(database, 3), database.commit(lambda: _delete(database, 2), makes_room=True))
    assert store.made_room[-4:] == [False, True, False, False]
    await database.close()


def insert_large(database: Database, number: int, pages: int) -> None:
    database.connection.execute("INSERT INTO note VALUES (?, randomblob(?))", (number, pages * PAGE))


async def test_who_shares_a_write_with_what_does_not_fit_is_stored_alone() -> None:
    store = TestedPages()
    database = await open_notes(store)
    for number in range(20):
        await _commit(database, number)
    store.most = len(store.held) + 4
    outcomes = await asyncio.gather(
        _commit(database, 100),
        _commit(database, 101, 100_000),
        _commit(database, 102),
        database.commit(lambda: _delete(database, 3), makes_room=True),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes] == [type(None), StorageFull, type(None), type(None)]
    expected = sorted({*range(20), 100, 102} - {3})
    assert ids(database) == await stored_ids(store.held) == expected
    await database.close()


async def test_what_fails_when_it_runs_again_says_so() -> None:
    store = TestedPages()
    database = await open_notes(store)
    runs = []

    def change() -> None:
        runs.append(1)
        if len(runs) > 1:
            raise KeyError("superseded")
        insert_large(database, 1, 1)

    store.failures = [StorageFull("no room")]
    with pytest.raises(KeyError):
        await database.commit(change)
    assert (ids(database), len(runs)) == ([], 2)
    await database.close()


async def test_a_failure_that_is_no_lack_of_room_is_tried_again_without_what_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(flusher, "RETRY_SECONDS", (0.0, 0.0))
    store = TestedPages()
    database = await open_notes(store)
    healthy = _healthy(database)
    store.failures_after = [StorageError("no answer")]
    with pytest.raises(StorageError, match="no answer"):
        await _commit(database, 1)
    assert database.health.trouble == Trouble(Ill.FAILING, "no answer")
    await asyncio.wait_for(healthy.wait(), 5)
    assert ids(database) == await stored_ids(store.held) == []
    await database.close()


async def test_a_store_that_lost_everything_gets_it_back() -> None:
    store = TestedPages()
    database = await open_notes(store)
    for number in range(20):
        await _commit(database, number)
    store.held.clear()
    store.failures = [StorageLost("cleared")]
    await _commit(database, 20)
    assert await stored_ids(store.held) == list(range(21))
    assert (database.health.losses, database.health.trouble) == (1, None)
    store.held.clear()
    store.failures = [StorageLost("cleared")]
    healthy = _healthy(database)
    store.on_interrupted()
    await asyncio.wait_for(healthy.wait(), 5)
    assert await stored_ids(store.held) == list(range(21))
    await database.close()


@pytest.mark.parametrize("failure", [StorageFull("no room"), StorageError("not now")])
async def test_memory_is_all_there_is_until_a_store_that_lost_everything_takes_it(
    failure: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flusher, "RETRY_SECONDS", (0.0, 0.0))
    store = TestedPages()
    database = await open_notes(store)
    await _commit(database, 1)
    store.held.clear()
    told = []
    database.health.on_changed.append(lambda: told.append(_kind(database)))
    healthy = _healthy(database)
    store.failures = [StorageLost("cleared"), failure]
    await _commit(database, 2)
    assert (ids(database), store.held) == ([1, 2], {})
    assert database.health.trouble == Trouble(Ill.LOST, str(failure))
    store.failures = [failure, failure]
    await _commit(database, 3)
    await asyncio.wait_for(healthy.wait(), 5)
    assert await stored_ids(store.held) == [1, 2, 3]
    assert (told[0], told[-1]) == (Ill.LOST, None)
    await database.close()


async def test_a_store_that_does_not_answer_is_said_to_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flusher, "SLOW_SECONDS", 0.0)
    store = TestedPages()
    database = await open_notes(store)
    slow = asyncio.Event()
    database.health.on_changed.append(lambda: slow.set() if _kind(database) == Ill.SLOW else slow.clear())
    gate = store.hold()
    writing = asyncio.ensure_future(_commit(database, 1))
    await asyncio.wait_for(slow.wait(), 5)
    gate.set()
    await writing
    assert _kind(database) is None
    await database.close()


async def test_a_write_that_is_cancelled_before_it_begins_holds_up_nothing() -> None:
    """As at the end of `asyncio.run`, which cancels all tasks."""
    store = TestedPages()
    database = await open_notes(store)
    database.connection.execute("INSERT INTO note VALUES (1, x'00')")
    before = asyncio.all_tasks()
    waiting = asyncio.ensure_future(database.flush())
    await asyncio.sleep(0)
    [write] = asyncio.all_tasks() - before - {waiting}
    write.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await database.close()
    assert await stored_ids(store.held) == [1]


@pytest.mark.parametrize("turns", range(10))
async def test_whoever_waits_for_a_write_that_is_cancelled_does_not_wait_for_ever(turns: int) -> None:
    store = TestedPages()
    database = await open_notes(store)
    before = asyncio.all_tasks()
    first = asyncio.ensure_future(_commit(database, 1))
    await asyncio.sleep(0)
    [write] = asyncio.all_tasks() - before - {first}
    for _ in range(turns):
        await asyncio.sleep(0)
    second = asyncio.ensure_future(_commit(database, 2))
    await asyncio.sleep(0)
    write.cancel()
    ended, _ = await asyncio.wait({first, second}, timeout=30)
    assert ended == {first, second}
    await database.flush()
    await database.close()
