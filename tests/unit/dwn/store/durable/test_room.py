"""A store that was full says so no longer than it is, also to who writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.dwn.store.tested_pages import NOTES, TestedPages, open_notes
from web5.dwn.store.database import Database, open_file
from web5.dwn.store.durable import room
from web5.dwn.store.durable.health import Ill, Trouble
from web5.errors import StorageFull

NOTE = "INSERT INTO note VALUES (NULL, randomblob(9000))"
Opened = tuple[Database, Callable[[], object], Callable[[], object]]
"""A database with a note, and what takes its room, and gives it back."""


async def in_pages(folder: Path) -> Opened:
    store = TestedPages()

    def fill() -> None:
        store.most = len(store.held)

    def empty() -> None:
        store.most = None

    return await open_notes(store), fill, empty


async def in_a_file(folder: Path) -> Opened:
    database = open_file(folder / "db")
    database.migrate("notes", NOTES)
    pages = database.connection.pragma("page_count")
    return (
        database,
        lambda: database.connection.pragma("max_page_count", pages),
        lambda: database.connection.pragma("max_page_count", 1_000_000),
    )


@pytest.mark.parametrize("opened", [in_pages, in_a_file])
async def test_room_is_noticed_though_nothing_is_written(
    opened: Callable[[Path], Awaitable[Opened]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "SECONDS", (0.0, 0.01))
    database, fill, empty = await opened(tmp_path)
    told: asyncio.Queue[Trouble | None] = asyncio.Queue()
    database.health.on_changed.append(lambda: told.put_nowait(database.health.trouble))
    fill()
    with pytest.raises(StorageFull):
        while True:
            await database.commit(
                lambda: database.connection.execute("INSERT INTO note VALUES (NULL, randomblob(9000))")
            )
    assert (trouble := await told.get()) is not None and trouble.kind == Ill.FULL
    empty()
    assert await told.get() is None
    assert database.connection.execute("SELECT count(*) FROM component WHERE name = ''").fetchall() == [(0,)]
    await database.close()
