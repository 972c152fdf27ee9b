"""The notes page beside another page of its origin, whose program uses the library on its store: one node for both."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, expect

from tests.browser.program import open_program, with_library
from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

EXPORT = "len((await web5.identities.export(did))['portableDid']['privateKeys'])"


@pytest_asyncio.fixture(loop_scope="session")
async def both(world: World) -> AsyncIterator[World]:
    """The site with the library's worker beside the page."""
    with with_library(world):
        yield world


async def test_a_program_works_through_the_notes_page_and_takes_over_when_it_goes(
    blank: BrowserContext, both: World
) -> None:
    notes = Device(blank, both.origin)
    await notes.open()
    await notes.ready()
    await notes.write("of the page")
    program = await open_program(blank, both)
    assert await program.connect() == await notes.did()
    assert await program.texts() == ["of the page"]
    await program.write("of the program")
    await expect(notes.note("of the program")).to_be_visible()

    assert await program.run(EXPORT)  # for which it is the node for a moment
    await notes.write("once the page has it back")
    assert await program.texts() == ["of the page", "of the program", "once the page has it back"]

    await notes.page.close()
    await program.write("alone")
    assert len(await program.texts()) == 4
    assert notes.complaints == []


async def test_the_notes_page_takes_over_from_a_program_which_works_on(blank: BrowserContext, both: World) -> None:
    program = await open_program(blank, both)
    did = await program.connect()
    await program.write("of the program")
    notes = Device(blank, both.origin)
    await notes.open()
    await notes.ready()
    assert await notes.did() == did
    await expect(notes.note("of the program")).to_be_visible()
    await notes.write("of the page")
    assert await program.texts() == ["of the page", "of the program"]
    await notes.reload()
    await program.write("after the reload")
    await expect(notes.note("after the reload")).to_be_visible()
    assert notes.complaints == []
    assert await notes.ask("check_store") == []
