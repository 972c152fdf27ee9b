"""One identity in two browsers that meet only on the remote nodes."""

from __future__ import annotations

import json

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Booted
from tests.browser.world import Device

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def device(empty_device: Device) -> Device:
    """The same for all, with an identity of its own for each."""
    return empty_device


async def test_notes_edits_and_deletes_travel(device: Device, shared: Booted) -> None:
    for number in range(5):
        await device.write(f"from the first {number}")
    await device.sync()
    await device.summary("All synced")

    other = await shared.get("other")
    own = await other.did()
    await other.import_(await device.export())
    assert await other.did() == await device.did() != own
    for number in range(5):
        await expect(other.note(f"from the first {number}")).to_be_visible()

    await other.edit("from the first 3", "edited on the second")
    await other.delete("from the first 4")
    await other.write("from the second")
    await other.sync()
    await other.summary("All synced")
    await device.sync()
    await expect(device.note("edited on the second")).to_be_visible()
    await expect(device.note("from the second")).to_be_visible()
    await expect(device.note("from the first 4")).to_have_count(0)
    await expect(device.page.locator("#note-list > li")).to_have_count(5)


async def test_the_choice_of_identity_stays(device: Device, shared: Booted) -> None:
    other = await shared.get("other")
    await other.use_new_identity()
    own = await other.did()
    await other.write("of the second's own")
    await other.import_(await device.export())
    await other.reload()
    assert await other.did() == await device.did()
    async with other.visiting("Settings"):
        await other.page.locator(f'[data-identity="{own}"]').get_by_role("button", name="Use").click()
    await expect(other.page.locator("#identity")).to_have_attribute("data-did", own)
    await expect(other.note("of the second's own")).to_be_visible()


async def test_the_export_says_what_it_is(shared_device: Device) -> None:
    await shared_device.at("Settings")
    await shared_device.page.click("#export-open")
    await expect(shared_device.page.get_by_role("dialog", name="Export this identity")).to_contain_text("private keys")
    await shared_device.page.keyboard.press("Escape")
    portable = json.loads(await shared_device.export())
    assert portable["portableDid"]["uri"] == await shared_device.did()
    assert portable["portableDid"]["privateKeys"]
    assert portable["metadata"]["uri"] == await shared_device.did()


@pytest.mark.parametrize(
    ("pasted", "said"),
    [("not JSON", "That is not an exported identity"), ("{}", "This is not a portable identity")],
)
async def test_what_is_no_identity_is_turned_down_in_words(shared_device: Device, pasted: str, said: str) -> None:
    did = await shared_device.did()
    await shared_device.at("Settings")
    await shared_device.page.click("#import-open")
    await shared_device.page.fill("#import-text", pasted)
    await shared_device.page.click("#import-save")
    await expect(shared_device.page.locator("#import-problem")).to_contain_text(said)
    assert await shared_device.did() == did
    await shared_device.page.keyboard.press("Escape")
    await expect(shared_device.page.locator("dialog[open]")).to_have_count(0)
