"""What every Database promises. It runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a function that opens a database by name; the same name is the same database opened again, which only
`DURABLE_CASES` do. `CASES` are for databases that are gone when they are closed, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from web5.dwn.store.database import Database
from web5.errors import StorageNewer

Open = Callable[[str], Awaitable[Database]]
Case = Callable[[Open], Awaitable[None]]

_TABLE = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT UNIQUE)"


def _ids(database: Database) -> list[int]:
    return [row[0] for row in database.connection.execute("SELECT id FROM note ORDER BY id")]


def _insert(database: Database, number: int, text: str | None = None) -> None:
    with database.transaction() as db:
        db.execute("INSERT INTO note VALUES (?, ?)", (number, text or f"note {number}"))


def _whole(database: Database) -> bool:
    if database.is_shared:  # PostgreSQL looks at its pages itself
        return True
    return database.connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _tables(database: Database) -> list[tuple[Any, ...]]:
    query = "SELECT * FROM sqlite_schema"
    if database.is_shared:
        query = (
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
            " ORDER BY 1, 2"
        )
    return database.connection.execute(query).fetchall()


def _raises_of_sql(action: Callable[[], object]) -> bool:
    try:
        action()
    except Exception as error:
        return type(error).__module__.partition(".")[0] in ("apsw", "psycopg")
    return False


async def case_a_block_commits_together(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    with database.transaction() as db:
        db.execute("INSERT INTO note VALUES (1, 'one')")
        db.execute("INSERT INTO note VALUES (2, 'two')")
    assert _ids(database) == [1, 2]
    await database.close()


async def case_a_block_that_raises_changes_nothing(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    _insert(database, 1)
    try:
        with database.transaction() as db:
            db.execute("INSERT INTO note VALUES (2, 'two')")
            raise KeyError
    except KeyError:
        pass

    def broken() -> None:
        with database.transaction() as db:
            db.execute("UPDATE note SET text = 'changed'")
            db.execute("INSERT INTO note VALUES (1, 'again')")

    assert _raises_of_sql(broken)
    assert database.connection.execute("SELECT * FROM note").fetchall() == [(1, "note 1")]
    assert not database.connection.in_transaction
    _insert(database, 3)
    assert _ids(database) == [1, 3]
    await database.close()


async def case_what_is_erased_is_changed_as_in_any_transaction(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    for number in range(3):
        _insert(database, number)
    with database.erasing_transaction() as db:
        db.execute("DELETE FROM note WHERE id = 1")
    try:
        with database.erasing_transaction() as db:
            db.execute("DELETE FROM note")
            raise KeyError
    except KeyError:
        pass
    await database.erase()
    await database.erase()
    assert _ids(database) == [0, 2]
    if not database.is_shared:
        assert database.connection.execute("PRAGMA secure_delete").fetchall() == [(0,)]
    assert _whole(database)
    await database.close()


async def case_steps_run_once_and_in_order(open_database: Open) -> None:
    database = await open_database("a")
    steps = [_TABLE, "INSERT INTO note VALUES (1, 'by step two')"]
    database.migrate("notes", steps[:1])
    database.migrate("notes", steps)
    database.migrate("notes", steps)
    database.migrate("other", ["CREATE TABLE other (id INTEGER)"])
    assert _ids(database) == [1]
    await database.close()


async def case_a_step_that_fails_leaves_the_earlier_state(open_database: Open) -> None:
    database = await open_database("a")
    assert _raises_of_sql(lambda: database.migrate("notes", [_TABLE, "INSERT INTO no_such_table VALUES (1)"]))
    database.migrate("notes", [_TABLE])
    assert _ids(database) == []
    await database.close()


async def case_what_a_newer_version_has_migrated_is_refused(open_database: Open) -> None:
    database = await open_database("a")
    steps = [_TABLE, "CREATE TABLE more (id INTEGER)"]
    database.migrate("notes", steps)
    before = _tables(database)
    known: list[dict[str, list[str]]] = [{"notes": steps[:1]}, {"other": steps}, {}]
    for components in known:
        assert _is_refused(lambda components=components: database.check_version(components)), components
    assert _is_refused(lambda: database.migrate("notes", steps[:1]))
    assert _is_refused(lambda: database.migrate("notes", []))
    assert _tables(database) == before
    database.check_version({"notes": steps})
    database.check_version({"notes": [*steps, "no SQL"], "other": []})
    database.migrate("notes", steps)
    await database.close()


def _is_refused(action: Callable[[], None]) -> bool:
    try:
        action()
    except StorageNewer as error:
        return "newer version" in str(error)
    return False


async def case_one_without_components_is_nobodys(open_database: Open) -> None:
    database = await open_database("a")
    database.check_version({"notes": [_TABLE]})
    assert _tables(database) == []
    await database.close()


async def case_many_flushes_at_once(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])

    async def write(number: int) -> None:
        _insert(database, number)
        await database.flush()

    await asyncio.gather(*map(write, range(100)))
    assert _ids(database) == list(range(100))
    await database.close()


async def case_a_large_transaction(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    with database.transaction() as db:
        db.executemany("INSERT INTO note VALUES (?, ?)", ((n, f"{n} " + "x" * 3000) for n in range(4000)))
    await database.flush()
    assert len(_ids(database)) == 4000
    assert _whole(database)
    await database.close()


async def case_close_twice(open_database: Open) -> None:
    database = await open_database("a")
    await database.close()
    await database.close()


async def durable_case_what_was_flushed_is_there(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    _insert(database, 1, "ünïcode ✓")
    await database.close()
    again = await open_database("a")
    again.migrate("notes", [_TABLE])
    assert again.connection.execute("SELECT * FROM note").fetchall() == [(1, "ünïcode ✓")]
    assert _whole(again)
    await again.close()


async def durable_case_what_was_committed_before_it_was_erased_is_there(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    for number in range(40):
        _insert(database, number)
        await database.flush()
    with database.erasing_transaction() as db:
        db.execute("DELETE FROM note WHERE id < 20")
    await database.erase()
    await database.close()
    again = await open_database("a")
    assert _ids(again) == list(range(20, 40))
    assert _whole(again)
    await again.close()


async def durable_case_it_shrinks_and_grows(open_database: Open) -> None:
    database = await open_database("a")
    database.migrate("notes", [_TABLE])
    with database.transaction() as db:
        db.executemany("INSERT INTO note VALUES (?, ?)", ((n, f"{n} " + "x" * 2000) for n in range(500)))
    await database.flush()
    with database.transaction() as db:
        db.execute("DELETE FROM note WHERE id >= 5")
    database.connection.execute("VACUUM")
    await database.close()
    again = await open_database("a")
    assert _ids(again) == list(range(5))
    assert _whole(again)
    with again.transaction() as db:
        db.executemany("INSERT INTO note VALUES (?, ?)", ((n, f"{n} " + "y" * 2000) for n in range(5, 900)))
    await again.close()
    third = await open_database("a")
    assert _ids(third) == list(range(900))
    assert _whole(third)
    await third.close()


async def durable_case_many_openings(open_database: Open) -> None:
    for number in range(8):
        database = await open_database("a")
        database.migrate("notes", [_TABLE])
        assert _ids(database) == list(range(number))
        _insert(database, number)
        await database.close()


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
DURABLE_CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("durable_case_")]
