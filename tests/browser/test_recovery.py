"""Twelve words bring everything back in a browser that has nothing, and change nothing if they cannot."""

from __future__ import annotations

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import NewDevice
from tests.browser.world import PATIENCE, Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOBODY = "legal winner thank year wave sausage worth useful legal winner thank yellow"
PASSWORD = "of the second browser"


async def test_three_identities_and_their_notes_come_back_from_words_alone(
    device: Device, new_device: NewDevice, world: World
) -> None:
    written: dict[str, set[str]] = {}
    for name in ("Default", "Work", "Club"):
        if name != "Default":
            did = await device.ask("create_identity", called=name, known=[])
            await device.ask("choose_identity", did=did)
            await device.uses(did)
        written[await device.did()] = await device.fill(100)
    for did in written:  # what waits to be sent is that of the identity in use
        await device.ask("choose_identity", did=did)
        await device.uses(did)
        await device.summary("All synced")
    words = await device.words()
    exported = {did: await _exported(device, did) for did in written}

    other = await (await new_device()).ready()
    page = other.page
    await page.click("#invitation-recovery")
    await other.recover("\n ".join(words.upper().split()), PASSWORD)
    told = await _told_until_the_end(other)
    assert told[0] == "Looking for what the words belong to…"
    last = re.fullmatch(r"3 identities, (\d+) messages: here again\.", told[-1])
    assert last and int(last[1]) >= 300
    await page.click("#recovery-close")

    # That of this browser, to which nothing was written, moved in: it is listed once there is something in it.
    names = dict(zip(written, ("Default", "Work", "Club"), strict=True))
    assert {one["did"]: one["name"] for one in await other.ask("identities")} == names
    for did, texts in written.items():
        assert await _exported(other, did, PASSWORD) == exported[did]
        notes = (await other.ask("notes", limit=200))["notes"]
        assert {note["text"] for note in notes} == texts
    await other.reload_locked(PASSWORD)
    await expect(page.locator("#identity-list > li")).to_have_count(3)


async def test_both_browsers_go_on_together(shared_device: Device, new_device: NewDevice) -> None:
    await shared_device.write("from the first")
    await shared_device.summary("All synced")
    other = await (await new_device()).ready()
    await other.page.click("#invitation-recovery")
    await other.recover(await shared_device.words())
    await other.page.click("#recovery-close")
    await expect(other.note("from the first")).to_be_visible()
    await other.write("from the second")
    await expect(shared_device.note("from the second")).to_be_visible()


async def test_other_tabs_wait_until_it_is_over(shared_device: Device, new_device: NewDevice, world: World) -> None:
    await shared_device.write("of the one that comes")
    await shared_device.summary("All synced")
    other = await (await new_device()).ready()
    tab = Device(other.context, world.origin)
    await tab.open()
    await tab.ready()
    go_on = asyncio.Event()

    async def wait(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await other.context.route(f"{world.origin}dht/**", wait)
    await tab.page.fill("#note-text", "Half a thought")
    await other.page.click("#invitation-recovery")
    await other.recover(await shared_device.words())
    await expect(tab.page.locator("#lock-title")).to_have_text("Your identities are coming back")
    await expect(tab.page.locator("#lock-step")).to_contain_text("Looking for")
    await expect(tab.page.locator("#lock-password")).to_be_hidden()
    await expect(other.page.locator("#recovery-step")).to_contain_text("Looking for")
    await other.page.keyboard.press("Escape")
    await expect(other.page.locator("#recovery-dialog")).to_be_visible()
    go_on.set()
    for elsewhere in (tab, other):
        await expect(elsewhere.note("of the one that comes")).to_be_visible()
    await expect(tab.page.locator("#note-text")).to_have_value("Half a thought")
    assert tab.complaints == []


async def test_what_is_in_the_browser_moves_in(device: Device, new_device: NewDevice) -> None:
    await device.write("of the one that comes")
    await device.summary("All synced")
    other = await (await new_device()).ready()
    before = await other.did()
    await other.write("of the one that is here")
    await other.at("Settings")
    await other.page.click("#recovery-open")
    await expect(other.page.locator("#recovery-hint")).to_contain_text("moves in with them")
    await other.recover(await device.words())
    await other.page.click("#recovery-close")
    await other.at("Notes")
    await expect(other.note("of the one that comes")).to_be_visible()
    await expect(other.page.locator("#identity-list > li")).to_have_count(2)
    async with other.visiting("Settings"):
        await other.page.locator(f'[data-identity="{before}"]').get_by_role("button", name="Use").click()
    await expect(other.note("of the one that is here")).to_be_visible()
    # And the first browser has it too, without being asked.
    await expect(device.page.locator("#identity-list > li")).to_have_count(2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "Type your twelve words."),
        (NOBODY.replace("sausage", "sossage"), "Word 6 of the recovery phrase, 'sossage'"),
        (NOBODY.replace("winner thank", "thank winner", 1), "check sum"),
        (NOBODY.removeprefix("legal "), "this one has 11"),
        (NOBODY, "No agent is known for these words"),
    ],
)
async def test_words_that_bring_nothing_back_change_nothing(shared_device: Device, words: str, said: str) -> None:
    note = f"Untouched by {words!r}"
    await shared_device.write(note)
    before = await shared_device.did()
    await shared_device.page.click("#invitation-recovery")
    await shared_device.recover(words)
    await expect(shared_device.page.locator("#recovery-problem")).to_contain_text(said)
    assert await shared_device.page.locator("#recovery-words").input_value() == words
    await shared_device.page.click("#recovery-cancel")
    await expect(shared_device.note(note)).to_be_visible()
    await shared_device.write(f"And still at work after {words!r}")
    assert await shared_device.did() == before


async def test_without_a_connection_it_is_said_and_can_be_tried_again(
    shared_device: Device, new_device: NewDevice
) -> None:
    await shared_device.write("far away")
    await shared_device.summary("All synced")
    words = await shared_device.words()
    other = await (await new_device()).ready()
    before = await other.did()
    await other.context.set_offline(True)
    await other.page.click("#invitation-recovery")
    await other.recover(words)
    await expect(other.page.locator("#recovery-problem")).to_contain_text("try again later")
    assert await other.did() == before
    await other.context.set_offline(False)
    await other.page.click("#recovery-save")
    await expect(other.note("far away")).to_be_visible()


async def _exported(device: Device, did: str, password: str | None = None) -> str:
    """Use an identity, and export it."""
    await device.ask("choose_identity", did=did)
    await device.uses(did)
    exported: str = await device.ask("export_identity", password=password)
    return exported


async def _told_until_the_end(device: Device) -> list[str]:
    """What the dialog says, one after the other."""
    told: list[str] = []
    step, end = device.page.locator("#recovery-step"), device.page.locator("#recovery-close")
    async with asyncio.timeout(PATIENCE / 1000):
        while await end.is_hidden():
            text = await step.text_content() or ""
            if text not in told[-1:]:
                told.append(text)
    return [*told, await step.text_content() or ""]
