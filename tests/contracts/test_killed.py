"""A tab, or the whole browser, killed in the middle of its work: what was acknowledged is there, and whole."""

from __future__ import annotations

import json
from pathlib import Path

from playwright.async_api import Page

from tests.chromium import crash
from tests.contracts.chromium_harness import browser_context, heard, mortal_browser, open_page, python

SPACE = "notes"
WRITERS = 8


async def _burst(page: Page, acknowledged: int) -> None:
    """Start writing without end; return once so many rows are acknowledged."""
    await page.evaluate("([space, writers]) => { python('burst', space, writers); }", [SPACE, WRITERS])
    await heard(page, count=acknowledged)


async def _told(page: Page) -> set[int]:
    return {int(text) for text in await page.evaluate("told")}


async def _check(page: Page, acknowledged: set[int]) -> None:
    found = json.loads(await python(page, "survivors", SPACE))
    assert found["check"] == "ok"
    assert acknowledged - set(found["ids"]) == set()
    # Writers had one more row each under way; a row nobody began must not be there.
    assert len(found["ids"]) <= len(acknowledged) + 200 * WRITERS


async def test_a_tab_that_crashes_loses_nothing_acknowledged(address: str, chromium: str, tmp_path: Path) -> None:
    async with browser_context(chromium, tmp_path) as context:
        acknowledged: set[int] = set()
        for count in (1, 37, 150):
            page = await open_page(context, address)
            await _burst(page, count)
            acknowledged |= await _told(page)
            await crash(page)
            await page.close()
        await _check(await open_page(context, address), acknowledged)


async def test_a_tab_that_is_closed_loses_nothing_acknowledged(address: str, chromium: str, tmp_path: Path) -> None:
    async with browser_context(chromium, tmp_path) as context:
        page = await open_page(context, address)
        await _burst(page, 60)
        acknowledged = await _told(page)
        await page.close()
        await _check(await open_page(context, address), acknowledged)


async def test_a_browser_that_is_killed_loses_nothing_acknowledged(address: str, chromium: str, tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    for count in (20, 90):
        async with mortal_browser(chromium, tmp_path) as (context, kill):
            page = await open_page(context, address)
            await _burst(page, count)
            acknowledged |= await _told(page)
            kill()
    async with mortal_browser(chromium, tmp_path) as (context, _kill):
        await _check(await open_page(context, address), acknowledged)


async def test_an_unfinished_blob_is_cleared_away(address: str, chromium: str, tmp_path: Path) -> None:
    async with browser_context(chromium, tmp_path) as context:
        page = await open_page(context, address)
        await page.evaluate("space => { python('put_for_ever', space); }", SPACE)
        await heard(page)
        await crash(page)
        await page.close()
        again = await open_page(context, address)
        assert await python(again, "stored_chunks", SPACE) >= 3
        assert json.loads(await python(again, "blob_keys", SPACE)) == []
        assert await python(again, "stored_chunks", SPACE) == 0
