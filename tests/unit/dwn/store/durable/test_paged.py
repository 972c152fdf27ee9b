"""The invariants of `web5.dwn.store.durable.paged`, by number, with a store that fails, stalls and dies on demand."""

from __future__ import annotations

import asyncio
import gc

import apsw
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.dwn.store.tested_pages import (
    PAGE,
    Killed,
    TestedPages,
    flushing,
    ids,
    insert,
    open_notes,
    stored_ids,
)
from web5.dwn.store.database import Database
from web5.dwn.store.durable.paged import open_paged
from web5.errors import StorageClosed, StorageCorrupt, StorageError, StorageFull


async def test_the_settings_are_those_the_invariants_need() -> None:
    database = await open_paged(TestedPages())
    names = ("journal_mode", "locking_mode", "synchronous", "cache_spill", "temp_store", "page_size", "foreign_keys")
    assert {name: database.connection.pragma(name) for name in names} == {
        "journal_mode": "memory",
        "locking_mode": "exclusive",
        "synchronous": 0,
        "cache_spill": 0,
        "temp_store": 2,
        "page_size": PAGE,
        "foreign_keys": 0,
    }
    await database.close()


async def test_nothing_is_written_before_a_commit() -> None:
    """Invariant 1, with a transaction far larger than SQLite's cache."""
    store = TestedPages()
    database = await open_notes(store)
    before = len(store.writes)
    database.connection.execute("PRAGMA cache_size=5")
    database.connection.execute("BEGIN")
    database.connection.executemany("INSERT INTO note VALUES (?, randomblob(900))", ((n,) for n in range(200)))
    await database.flush()
    assert len(store.writes) == before
    database.connection.execute("COMMIT")
    await database.flush()
    assert len(store.writes) == before + 1
    assert await stored_ids(store.held) == list(range(200))
    await database.close()


async def test_only_changed_pages_are_written() -> None:
    store = TestedPages()
    database = await open_notes(store)
    for number in range(300):
        insert(database, number, 500)
    await database.flush()
    assert len(store.held) > 150
    with database.transaction() as db:
        db.execute("UPDATE note SET text = zeroblob(500) WHERE id = 7")
    await database.flush()
    assert 1 < len(store.writes[-1][0]) < len(store.held) / 4
    await database.close()


async def test_a_flush_with_nothing_new_does_not_write() -> None:
    store = TestedPages()
    database = await open_notes(store)
    before = len(store.writes)
    await database.flush()
    database.connection.execute("SELECT count(*) FROM note").fetchall()
    await database.flush()
    assert len(store.writes) == before
    await database.close()


async def test_commits_made_together_share_a_write() -> None:
    store = TestedPages()
    database = await open_notes(store)
    before = len(store.writes)

    async def write(number: int) -> None:
        insert(database, number)
        await database.flush()

    await asyncio.gather(*map(write, range(100)))
    assert len(store.writes) == before + 1
    assert await stored_ids(store.held) == list(range(100))
    await database.close()


async def test_one_write_at_a_time_and_those_who_come_meanwhile_share_the_next() -> None:
    """Invariants 3 and 4."""
    store = TestedPages()
    database = await open_notes(store)
    gate = store.hold()
    insert(database, 1)
    first = asyncio.ensure_future(database.flush())
    await store.begun.get()
    # Its commit is in the write under way: it must wait for that, though nothing is left to write.
    joining = await flushing(database)
    later = []
    for number in (2, 3, 4):
        insert(database, number)
        later.append(await flushing(database))
    assert store.begun.empty()
    assert not any(task.done() for task in (first, joining, *later))
    next_gate = store.gate = asyncio.Event()
    gate.set()
    await asyncio.gather(first, joining)
    assert await stored_ids(store.held) == [1]
    await store.begun.get()
    assert not any(task.done() for task in later)
    next_gate.set()
    await asyncio.gather(*later)
    assert store.begun.empty()
    assert await stored_ids(store.held) == [1, 2, 3, 4]
    await database.close()


async def test_a_write_carries_whole_commits_only() -> None:
    """Invariant 2: pages that change while a write is under way are not in it."""
    store = TestedPages()
    database = await open_notes(store)
    gate = store.hold()
    insert(database, 1)
    flushing = asyncio.ensure_future(database.flush())
    await store.begun.get()
    for number in range(2, 60):
        insert(database, number)
    gate.set()
    await flushing
    assert await stored_ids(store.held) == [1]
    await database.close()
    assert await stored_ids(store.held) == list(range(1, 60))


FAILURES = [StorageFull("no room"), StorageError("gone"), RuntimeError("foreign")]


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_failed_write_reaches_every_waiter_and_leaves_nothing_behind(failure: Exception) -> None:
    """Invariant 3 of the flusher."""
    expected = type(failure) if isinstance(failure, StorageError) else StorageError
    store = TestedPages()
    database = await open_notes(store)
    insert(database, 1)
    await database.flush()
    undone = []
    database.health.on_undone.append(lambda: undone.append(ids(database)))
    store.failures = [failure]
    with database.transaction() as db:
        db.execute("UPDATE note SET text = randomblob(3000)")
        db.execute("CREATE TABLE another (id)")
    insert(database, 2, 9000)
    assert ids(database) == [1, 2]
    outcomes = await asyncio.gather(*(database.flush() for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [expected] * 3
    assert (ids(database), undone) == ([1], [[1]])
    assert not database.connection.table_exists(None, "another")
    assert database.connection.execute("SELECT length(text) FROM note").get == 100
    assert await stored_ids(store.held) == [1]
    await database.flush()
    insert(database, 3)
    await database.flush()
    assert ids(database) == await stored_ids(store.held) == [1, 3]
    await database.close()


@pytest.mark.parametrize("failure", FAILURES)
async def test_what_was_committed_while_a_write_failed_goes_with_it(failure: Exception) -> None:
    """Invariant 3 of the flusher: it was built on what is not there."""
    store = TestedPages()
    database = await open_notes(store)
    gate = store.hold()
    store.failures = [failure]
    insert(database, 1)
    first = asyncio.ensure_future(database.flush())
    await store.begun.get()
    insert(database, 2)
    second = await flushing(database)
    insert(database, 3)
    gate.set()
    outcomes = await asyncio.gather(first, second, return_exceptions=True)
    assert all(isinstance(outcome, StorageError) for outcome in outcomes)
    await database.flush()
    insert(database, 4)
    await database.close()
    assert await stored_ids(store.held) == [4]


async def test_a_page_that_only_changes_is_undone_too() -> None:
    """SQLite takes a file for unchanged whose first page is as it was."""
    store = TestedPages()
    database = await open_notes(store)
    insert(database, 1)
    await database.flush()
    for failing in (False, True, True, False):
        before = database.connection.execute("SELECT text FROM note").get
        database.connection.execute("UPDATE note SET text = randomblob(100)")
        if failing:
            store.failures = [StorageFull("no room")]
            with pytest.raises(StorageFull):
                await database.flush()
        await database.flush()
        assert (database.connection.execute("SELECT text FROM note").get == before) is failing
    await database.close()


async def test_no_commit_is_built_on_what_a_statement_still_reads() -> None:
    store = TestedPages()
    database = await open_notes(store)
    for number in range(3):
        insert(database, number)
    await database.flush()
    reading = database.connection.execute("SELECT id FROM note")
    next(reading)
    insert(database, 3)
    store.failures = [StorageFull("no room")]
    with pytest.raises(StorageFull):
        await database.flush()
    with pytest.raises(StorageError, match="goes on reading"):
        insert(database, 4)
    reading.close()
    database._backing.probe()  # type: ignore[attr-defined]  # by itself, it does so a second later
    await database.flush()
    assert ids(database) == [0, 1, 2]
    insert(database, 5)
    await database.close()
    assert await stored_ids(store.held) == [0, 1, 2, 5]


async def test_erasing_carries_the_last_commit_and_then_erases() -> None:
    store = TestedPages()
    database = await open_notes(store)
    before = len(store.writes)
    insert(database, 1)
    await asyncio.gather(database.erase(), database.flush(), database.erase())
    assert (len(store.writes), store.erased_after) == (before + 1, [before + 1])
    assert await stored_ids(store.held) == [1]
    await database.flush()
    insert(database, 2)
    await database.close()
    assert store.erased_after == [before + 1]


async def test_an_erasing_that_fails_is_told_and_made_up_for_by_the_next_write() -> None:
    store = TestedPages()
    database = await open_notes(store)
    before = len(store.writes)
    insert(database, 1)
    store.erase_failures = [StorageError("gone")]
    with pytest.raises(StorageError):
        await database.erase()
    assert store.erased_after == []
    assert await stored_ids(store.held) == [1]
    await database.flush()
    assert store.erased_after == [before + 2]
    await database.close()


async def test_a_shrinking_file_that_could_not_be_stored_stays_as_it_was() -> None:
    store = TestedPages()
    database = await open_notes(store)
    for number in range(100):
        insert(database, number, 600)
    await database.flush()
    with database.transaction() as db:
        db.execute("DELETE FROM note WHERE id > 3")
    await database.flush()
    grown = len(store.held)
    database.connection.execute("VACUUM")
    store.failures = [StorageError("not now")]
    with pytest.raises(StorageError):
        await database.flush()
    assert len(store.held) == grown
    assert ids(database) == [0, 1, 2, 3]
    database.connection.execute("VACUUM")
    await database.flush()
    assert len(store.held) < grown / 2
    assert await stored_ids(store.held) == [0, 1, 2, 3]
    await database.close()


async def test_pages_that_sqlite_leaves_out_are_stored_as_blank() -> None:
    """Pages that a transaction both adds and frees are never written, though later ones are."""
    store = TestedPages()
    database = await open_notes(store)
    with database.transaction() as db:
        db.execute("CREATE TABLE passing (bytes BLOB); CREATE TABLE staying (bytes BLOB)")
        db.execute("INSERT INTO passing VALUES (randomblob(50000))")
        db.execute("INSERT INTO staying VALUES (randomblob(5000))")
        db.execute("DELETE FROM passing")
    await database.flush()
    assert bytes(PAGE) in store.held.values()
    assert set(store.held) == set(range(len(store.held)))
    insert(database, 1, 30000)
    await database.close()
    assert await stored_ids(store.held) == [1]


async def test_a_cancelled_waiter_does_not_stop_the_write() -> None:
    store = TestedPages()
    database = await open_notes(store)
    gate = store.hold()
    insert(database, 1)
    waiter = asyncio.ensure_future(database.flush())
    await store.begun.get()
    waiter.cancel()
    await asyncio.wait([waiter])
    assert waiter.cancelled()
    gate.set()
    await database.flush()
    assert await stored_ids(store.held) == [1]
    await database.close()


async def test_a_failure_that_nobody_waited_for_is_no_stray_error() -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
    store = TestedPages()
    database = await open_notes(store)
    gate = store.hold()
    store.failures = [StorageFull("no room")]
    insert(database, 1)
    waiter = asyncio.ensure_future(database.flush())
    await store.begun.get()
    waiter.cancel()
    await asyncio.wait([waiter])
    writing = asyncio.all_tasks() - {asyncio.current_task()}
    assert writing
    gate.set()
    await asyncio.wait(writing)
    gc.collect()
    assert complaints == []
    await database.close()


async def test_close_stores_everything_and_ends_the_store() -> None:
    store = TestedPages()
    database = await open_notes(store)
    insert(database, 1)
    vfs_names = set(apsw.vfs_names())
    await database.close()
    await database.close()
    assert await stored_ids(store.held) == [1]
    assert len(vfs_names - set(apsw.vfs_names())) == 1
    with pytest.raises(StorageError):
        await store.write({}, 0)


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_close_that_is_cancelled_or_cannot_store_ends_when_no_write_is_under_way(failures: int) -> None:
    store = TestedPages()
    database = await open_notes(store)
    gate = store.hold()
    store.failures = [StorageFull("no room") for _ in range(failures)]
    insert(database, 1)
    first = await flushing(database)
    await store.begun.get()
    insert(database, 2)
    closing = asyncio.ensure_future(database.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.sleep(0)
    assert not closing.done()
    gate.set()
    await asyncio.wait([closing, first])
    assert closing.cancelled()
    assert [type(first.exception())] == [StorageFull if failures else type(None)]
    assert store.begun.qsize() + 1 == store.ended.qsize() == 2 - failures
    with pytest.raises(StorageError, match="closed"):
        await store.erase()
    with pytest.raises(StorageClosed):
        database.connection.execute("SELECT 1")
    assert await stored_ids(store.held) == [[1, 2], []][failures]


async def test_databases_side_by_side_do_not_meet() -> None:
    one, other = await open_notes(TestedPages()), await open_notes(TestedPages())
    insert(one, 1)
    insert(other, 2)
    assert (ids(one), ids(other)) == ([1], [2])
    await one.close()
    await other.close()


@pytest.mark.parametrize(
    ("held", "words"),
    [
        ({0: b"x" * PAGE}, "not that of a SQLite database"),
        ({0: b"SQLite format 3\x00" + (4096).to_bytes(2, "big") + bytes(PAGE - 18)}, "1024-byte pages"),
        ({0: bytes(PAGE), 2: bytes(PAGE)}, "pages are missing"),
        ({0: bytes(12)}, "12 bytes"),
    ],
)
async def test_pages_that_are_no_database_are_corrupt(held: dict[int, bytes], words: str) -> None:
    with pytest.raises(StorageCorrupt, match=words):
        await open_paged(TestedPages(held))


async def test_a_damaged_first_page_is_corrupt() -> None:
    store = TestedPages()
    await (await open_notes(store)).close()
    held = {**store.held, 0: store.held[0][:100] + b"\xff" * (PAGE - 100)}
    before = set(apsw.vfs_names())
    with pytest.raises(StorageCorrupt):
        await open_paged(TestedPages(held))
    assert set(apsw.vfs_names()) == before


# What a random life of the database is made of.
def operations(*more: str) -> st.SearchStrategy[list[tuple[str, int, int]]]:
    bare = ("vacuum", "flush", "find no room", "fail", *more)
    return st.lists(
        st.one_of(
            st.tuples(st.sampled_from(["insert", "roll back"]), st.integers(1, 12), st.integers(0, 3000)),
            st.tuples(st.just("delete"), st.integers(1, 12), st.integers(0, 100)),
            st.tuples(st.sampled_from(bare), st.just(0), st.just(0)),
        ),
        min_size=1,
        max_size=25,
    )


class Life:
    """Carries operations out, and knows which contents a reader may find when the process ends."""

    def __init__(self, store: TestedPages) -> None:
        self.store = store
        self.committed: list[int] = []
        self.acknowledged: list[int] = []
        self._next = 0

    async def run(self, chosen: list[tuple[str, int, int]]) -> None:
        database = await open_notes(self.store)
        for name, count, size in chosen:
            if name == "insert":
                new = range(self._next, self._next + count)
                with database.transaction() as db:
                    db.executemany("INSERT INTO note VALUES (?, randomblob(?))", ((n, size) for n in new))
                self._next += count
                self.committed = [*self.committed, *new]
            elif name == "delete":
                gone = self.committed[size % (len(self.committed) or 1) :][:count]
                with database.transaction() as db:
                    db.executemany("DELETE FROM note WHERE id = ?", ((n,) for n in gone))
                self.committed = [n for n in self.committed if n not in gone]
            elif name == "vacuum":
                database.connection.execute("VACUUM")
            elif name == "roll back":
                with pytest.raises(KeyError), database.transaction() as db:
                    db.execute("DELETE FROM note")
                    db.execute("INSERT INTO note VALUES (?, randomblob(?))", (1 << 40, size))
                    raise KeyError
            else:
                if name != "flush":
                    failing = self.store.failures_after if name == "fail though stored" else self.store.failures
                    failing.append(StorageFull("no room") if name == "find no room" else StorageError("gone"))
                    with pytest.raises(StorageError):
                        await _flush_changes(database)
                    self.committed = self.acknowledged
                await database.flush()
                self.acknowledged = self.committed
            assert ids(database) == self.committed
        await database.close()
        self.acknowledged = self.committed


async def _flush_changes(database: Database) -> None:
    """Flush, having changed something, so that there is a write that can fail."""
    database.connection.execute("PRAGMA user_version=1")
    database.connection.execute("PRAGMA user_version=0")
    await database.flush()


@settings(max_examples=60, deadline=None)
@given(operations("fail though stored"))
def test_what_is_stored_at_the_end_is_what_was_committed(chosen: list[tuple[str, int, int]]) -> None:
    async def run() -> None:
        life = Life(TestedPages())
        await life.run(chosen)
        assert await stored_ids(life.store.held) == life.committed

    asyncio.run(run())


@settings(max_examples=25, deadline=None)
@given(operations())
def test_a_kill_at_any_write_leaves_a_whole_store_with_all_that_was_acknowledged(
    chosen: list[tuple[str, int, int]],
) -> None:
    """Invariant 2, and `Database`'s second: killed before or after each write of the life, in turn."""

    async def run() -> int:
        rehearsal = TestedPages()
        await Life(rehearsal).run(chosen)
        return len(rehearsal.writes)

    async def run_until_killed(number: int, moment: str) -> None:
        store = TestedPages()
        store.kill_at = (number, moment)
        life = Life(store)
        with pytest.raises(Killed):
            await life.run(chosen)
        found = await stored_ids(store.held)
        assert found == (life.acknowledged if store.killed_unstored else life.committed)

    for number in range(asyncio.run(run())):
        for moment in ("before", "after"):
            asyncio.run(run_until_killed(number, moment))
