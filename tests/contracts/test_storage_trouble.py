"""IndexedDB without room, and IndexedDB taken away: typed errors, and nothing that was stored is harmed."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Error, Page

from tests.contracts.chromium_harness import browser_context, open_page, python

MEGABYTE = 1 << 20
Quota = Callable[[int | None], Awaitable[None]]


@pytest_asyncio.fixture
async def context(chromium: str, tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """A browser for each test: Chromium remembers for half a minute how much room an origin had."""
    async with browser_context(chromium, tmp_path) as opened:
        yield opened


@pytest_asyncio.fixture
async def page(context: BrowserContext, address: str) -> Page:
    return await open_page(context, address)


@pytest_asyncio.fixture
async def quota(context: BrowserContext, page: Page) -> AsyncIterator[Quota]:
    """Sets how many bytes the origin may store; None is what the browser grants."""
    session = await context.new_cdp_session(page)

    async def allow(size: int | None) -> None:
        limit = {} if size is None else {"quotaSize": size}
        await session.send("Storage.overrideQuotaForOrigin", {"origin": page.url.rstrip("/"), **limit})

    yield allow


@pytest.fixture
def space(request: pytest.FixtureRequest) -> str:
    return str(request.node.name)


async def test_no_room_for_pages(page: Page, quota: Quota, space: str) -> None:
    await quota(6 * MEGABYTE)
    await python(page, "open_notes", space)
    assert await python(page, "note", space, 1, 1000) == "stored"
    assert await python(page, "note", space, 2, 12 * MEGABYTE) == "StorageFull"
    assert json.loads(await python(page, "health", space)) == ["full", 0]
    await quota(None)
    assert await python(page, "flush", space) == "stored"
    assert json.loads(await python(page, "health", space)) == ["full", 0]
    assert await python(page, "note", space, 3, 1000) == "stored"
    assert json.loads(await python(page, "health", space)) == [None, 0]
    assert json.loads(await python(page, "survivors", space)) == {"ids": [1, 3], "check": "ok"}


async def test_what_is_deleted_makes_room(page: Page, quota: Quota, space: str) -> None:
    await quota(25 * MEGABYTE)
    await python(page, "open_notes", space)
    await python(page, "reserved", space)
    stored = 0
    while await python(page, "note", space, stored + 1, 40_000) == "stored":
        stored += 1
        assert stored < 1000
    assert stored > 20
    for number in range(1, 21):
        assert await python(page, "remove_note", space, number) == "stored"
    found = json.loads(await python(page, "survivors", space))
    assert found == {"ids": [*range(-20, 1), *range(21, stored + 1)], "check": "ok"}


async def test_only_what_makes_room_uses_up_the_room_that_is_kept_for_it(page: Page, quota: Quota, space: str) -> None:
    await quota(25 * MEGABYTE)
    await python(page, "open_notes", space)
    await python(page, "reserved", space)
    left = {0}
    for size in (40_000, 5_000, 10):  # the last fit into pages that are there
        while await python(page, "note", space, number := max(left) + 1, size) == "stored":
            left.add(number)
            assert len(left) < 2000
    added = set()
    for number in range(1, 11):
        assert await python(page, "remove_note", space, number) == "stored"
        added.add(-number)
        assert await python(page, "note", space, 10_000, 10) == "StorageFull"
        assert json.loads(await python(page, "health", space)) == ["full", 0]
        if number % 5 == 0:
            await python(page, "close_notes", space)
            await python(page, "open_notes", space)
    await quota(None)
    assert await python(page, "note", space, 10_001, 10) == "stored"
    assert json.loads(await python(page, "health", space)) == [None, 0]
    expected = sorted(left - set(range(1, 11)) | added | {10_001})
    assert json.loads(await python(page, "survivors", space)) == {"ids": expected, "check": "ok"}


async def test_no_room_for_a_blob(page: Page, quota: Quota, space: str) -> None:
    await quota(6 * MEGABYTE)
    assert await python(page, "put", space, "small", MEGABYTE) == "stored"
    assert await python(page, "put", space, "large", 30 * MEGABYTE) == "StorageFull"
    await quota(None)
    assert json.loads(await python(page, "blob_keys", space)) == ["small"]
    assert await python(page, "stored_chunks", space) == 1
    assert await python(page, "put", space, "large", 30 * MEGABYTE) == "stored"


async def test_a_database_that_another_tab_removes(
    page: Page, context: BrowserContext, address: str, space: str
) -> None:
    await python(page, "open_notes", space)
    assert await python(page, "note", space, 1, 1000) == "stored"
    other = await open_page(context, address)
    await python(other, "remove_database", f"{space}.pages")
    await python(page, "healthy", space, 1)
    assert await python(page, "note", space, 2, 1000) == "stored"
    await page.close()
    assert json.loads(await python(other, "survivors", space)) == {"ids": [1, 2], "check": "ok"}


async def test_a_database_that_a_newer_version_has_upgraded_is_not_written_to(
    page: Page, context: BrowserContext, address: str, space: str
) -> None:
    await python(page, "open_notes", space)
    assert await python(page, "note", space, 1, 1000) == "stored"
    other = await open_page(context, address)
    await python(other, "upgrade_database", f"{space}.pages")
    assert await python(page, "note", space, 2, 1000) == "StorageNewer"
    with pytest.raises(Error, match="StorageNewer"):
        await python(other, "open_notes", space)


async def test_data_that_the_person_clears(page: Page, context: BrowserContext, space: str) -> None:
    """Chromium leaves a database alone that it has only just made: then it is told once more to clear."""
    await python(page, "open_notes", space)
    for number in range(40):
        assert await python(page, "note", space, number, 1000) == "stored"
    session = await context.new_cdp_session(page)
    later = itertools.count(100)
    async with asyncio.timeout(120):
        while json.loads(await python(page, "health", space))[1] < 2:
            await session.send("Storage.clearDataForOrigin", {"origin": page.url.rstrip("/"), "storageTypes": "all"})
            assert await python(page, "note", space, next(later), 1000) == "stored"
            await python(page, "healthy", space, 0)
    await python(page, "close_notes", space)
    assert json.loads(await python(page, "survivors", space)) == {
        "ids": [*range(40), *range(100, next(later))],
        "check": "ok",
    }


async def test_data_that_the_person_clears_in_the_middle_of_writes(
    page: Page, context: BrowserContext, space: str
) -> None:
    """Chromium may forget a transaction that is under way then; some rounds meet one.

    It leaves a database alone that it has only just made, so that in some rounds nothing is lost.
    """
    losses = 0
    session = await context.new_cdp_session(page)
    for number in range(8):
        store, numbers = f"{space}{number}", iter(range(100))
        await python(page, "open_notes", store)

        async def write(store: str, numbers: Iterator[int]) -> list[int]:
            return [
                one
                for one in (next(numbers) for _ in range(10))
                if await python(page, "note", store, one, 20_000) == "stored"
            ]

        writing = [asyncio.ensure_future(write(store, numbers)) for _ in range(3)]
        await python(page, "note", store, 100, 10 * number)  # the others go on meanwhile
        await session.send("Storage.clearDataForOrigin", {"origin": page.url.rstrip("/"), "storageTypes": "all"})
        async with asyncio.timeout(120):
            stored = [one for mine in await asyncio.gather(*writing) for one in mine]
            assert await python(page, "note", store, 101, 1000) == "stored"
            await python(page, "healthy", store, 0)
        losses += json.loads(await python(page, "health", store))[1]
        await python(page, "close_notes", store)
        found = json.loads(await python(page, "survivors", store))
        assert (sorted({*stored, 100, 101} - {*found["ids"]}), found["check"]) == ([], "ok")
    assert losses


async def test_a_connection_that_the_browser_closes(page: Page, space: str) -> None:
    await python(page, "open_notes", space)
    for number in range(5):
        await python(page, "close_connection", space)
        assert await python(page, "note", space, number, 1000) == "stored"
    assert json.loads(await python(page, "health", space)) == [None, 0]
    assert json.loads(await python(page, "survivors", space)) == {"ids": [*range(5)], "check": "ok"}


async def test_a_connection_to_blobs_that_the_browser_closes(page: Page, space: str) -> None:
    assert json.loads(await python(page, "blob_after_close", space)) == [[0, 1, 2, 3], ["key"]]
