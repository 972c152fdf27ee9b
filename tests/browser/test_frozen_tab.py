"""The browser stops a tab that nobody looks at, and lets it go on later; who else is there goes on meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.program import open_program, with_library
from tests.browser.world import Device, World
from tests.contracts.chromium_harness import mortal_browser

pytestmark = pytest.mark.asyncio(loop_scope="session")

# The locks on the store that are held.
STORES = "navigator.locks.query().then(({ held }) => held.filter(({ name }) => name == 'web5.store').length)"


@pytest_asyncio.fixture(loop_scope="session")
async def context(chromium: str, tmp_path: Path) -> AsyncIterator[BrowserContext]:
    """A browser whose tabs are hidden when they are."""
    async with mortal_browser(chromium, tmp_path, no_defaults=True) as (opened, _):
        yield opened


async def _freeze(page: Page) -> None:
    """Stop a page that is hidden, as the browser does with one that has long been so."""
    await _set_state(page, "frozen")


async def _resume(page: Page) -> None:
    await _set_state(page, "active")


async def _set_state(page: Page, state: str) -> None:
    session = await page.context.new_cdp_session(page)
    await session.send("Page.setWebLifecycleState", {"state": state})
    await session.detach()


async def _tab(context: BrowserContext, world: World) -> Device:
    tab = Device(context, world.origin)
    await tab.open()
    return await tab.ready()


async def test_the_other_tab_takes_over_from_one_that_is_frozen(context: BrowserContext, world: World) -> None:
    first = await _tab(context, world)
    await first.write("from the first tab")
    second = await _tab(context, world)
    await expect(second.note("from the first tab")).to_be_visible()

    await _freeze(first.page)
    await second.write("while the first is frozen")
    assert await second.page.evaluate(STORES) == 1
    await second.summary("All synced")

    await _resume(first.page)
    await expect(first.note("while the first is frozen")).to_be_visible()
    await first.write("from the first again")
    await expect(second.note("from the first again")).to_be_visible()

    # The one that was frozen is next in the queue, behind the one that leads now.
    await _freeze(second.page)
    await first.write("while the second is frozen")
    await _resume(second.page)
    await expect(second.note("while the second is frozen")).to_be_visible()
    assert await second.ask("check_store") == []
    assert first.complaints == second.complaints == []


async def test_a_tab_that_waits_for_its_turn_is_passed_over_while_it_is_frozen(
    context: BrowserContext, world: World
) -> None:
    first, second, third = [await _tab(context, world) for _ in range(3)]
    await _freeze(second.page)
    await first.page.close()
    await third.write("past the second")
    await _resume(second.page)
    await expect(second.note("past the second")).to_be_visible()
    assert second.complaints == third.complaints == []


async def test_the_only_tab_is_whole_again_after_it_was_frozen(context: BrowserContext, world: World) -> None:
    only = await _tab(context, world)
    await only.write("before")
    looks_in = await context.new_page()
    await looks_in.goto(f"{world.origin}config.json")
    await _freeze(only.page)
    assert await looks_in.evaluate(STORES) == 0
    await _resume(only.page)
    await only.write("after")
    await only.summary("All synced")
    assert await only.page.locator("#sync-mode").input_value() == "live"
    await expect(only.page.locator("#note-list > li")).to_have_count(2)
    assert only.complaints == []


async def test_a_program_that_is_the_node_lets_another_be_it_while_it_is_frozen(
    context: BrowserContext, world: World
) -> None:
    with with_library(world):
        first, second = [await open_program(context, world) for _ in range(2)]
        for program in (first, second):
            await program.connect()
        await first.write("before")
        await _freeze(first.page)
        await second.write("meanwhile")
        await _resume(first.page)
        assert await first.texts() == ["before", "meanwhile"]
        await _freeze(second.page)
        await first.write("once it is next")
        assert await first.page.evaluate(STORES) == 1
