"""Two versions of the page in one browser: the newer is the node, and the older never writes into what it stores."""

from __future__ import annotations

import json
import re
from contextlib import AbstractContextManager

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import NewDevice
from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEP = "from web5.agent.vault import store; store.SCHEMA += ('CREATE TABLE vault_of_tomorrow (id)',); import agent"
"""What the newer version does before it starts, so that its store has a step more."""

WORKER = "boot/agent.mjs"
LINK = "boot/link.js"
TITLE = "A newer version of this page has your notes"


def _newer_deployed(world: World) -> AbstractContextManager[None]:
    """Let the pages that are opened in the block be a newer version's."""
    newer = {}
    for name in (WORKER, LINK):
        old = (world.site / name).read_text()
        newer[name], times = re.subn(r"(?<=built:)\d+", lambda found: str(int(found[0]) + 1), old)
        assert times == 1
    assert newer[WORKER].count("import agent") == 1
    return world.deployed({**newer, WORKER: newer[WORKER].replace("import agent", STEP)})


@pytest_asyncio.fixture(loop_scope="session")
async def old(new_device: NewDevice) -> Device:
    """A tab of the older version, open before the newer is deployed."""
    return await (await new_device()).ready()


async def _another(tab: Device) -> Device:
    opened = Device(tab.context, tab.url)
    await opened.open()
    return await opened.ready()


async def test_the_newer_page_is_the_node_and_the_older_says_so(old: Device, world: World) -> None:
    exported = await old.export()
    await old.write("from the older version")
    with _newer_deployed(world):
        new = await _another(old)
    await expect(new.note("from the older version")).to_be_visible()
    await expect(old.page.locator("#banners").get_by_text(TITLE)).to_be_visible()

    await old.write("typed in the older page")  # which has the newer one save it
    await expect(new.note("typed in the older page")).to_be_visible()
    await new.write("typed in the newer page")
    await expect(old.note("typed in the newer page")).to_be_visible()
    refused = await old.page.evaluate("web5Link('words', '{}')")  # this never goes from tab to tab
    assert json.loads(refused)["error"]["kind"] == "StorageNewer"
    assert await new.ask("check_store") == []
    await new.summary("All synced")
    texts = {"from the older version", "typed in the older page", "typed in the newer page"}
    await expect(new.page.locator("#note-list > li")).to_have_count(len(texts))
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == texts
    assert new.complaints == []


async def test_the_older_page_does_not_open_what_the_newer_has_stored(old: Device, world: World) -> None:
    await old.write("from the older version")
    with _newer_deployed(world):
        new = await _another(old)
        await new.page.close()
        await old.type("written while the older page is alone")
        await expect(old.page.locator("#drafts").get_by_text("Not saved")).to_be_visible()
        await expect(old.page.locator("#banners").get_by_text(TITLE)).to_have_count(1)

        old.page.on("dialog", lambda dialog: dialog.accept())  # it asks whether to leave what is not saved
        await old.page.locator("#banners").get_by_role("button", name="Reload").click()
        await expect(old.note("written while the older page is alone")).to_be_visible()
    await expect(old.note("from the older version")).to_be_visible()
    await expect(old.page.locator("#drafts > li")).to_have_count(0)
    assert await old.ask("check_store") == []
