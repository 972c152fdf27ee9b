"""What leaves the screen leaves the memory, and a change among many notes touches few of them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import CDPSession, expect

from tests.browser.world import Device

pytestmark = pytest.mark.asyncio(loop_scope="session")

MANY = 40
ROUNDS = 5
PAGE = 50

COUNT = """() => {
  const everything = { subtree: true, childList: true, attributes: true, characterData: true };
  globalThis.touched = 0;
  new MutationObserver((records) => { touched += records.length; })
    .observe(document.getElementById("note-list"), everything);
}"""


async def _counted(session: CDPSession) -> dict[str, float]:
    """DOM nodes and listeners that are alive, once what nobody has any more is gone."""
    for _ in range(3):
        await session.send("HeapProfiler.collectGarbage")
    found: Any = await session.send("Performance.getMetrics")
    return {one["name"]: one["value"] for one in found["metrics"] if one["name"] in ("Nodes", "JSEventListeners")}


async def _come_and_go(device: Device) -> None:
    """Notes come, and go again."""
    await device.fill(MANY)
    cards = device.page.locator("#note-list > li")
    await expect(cards).to_have_count(MANY)
    notes = (await device.ask("notes", limit=MANY))["notes"]
    await asyncio.gather(*[device.ask("delete_note", id=note["id"]) for note in notes])
    await expect(cards).to_have_count(0)


async def test_notes_that_go_leave_nothing_behind(empty_device: Device) -> None:
    session = await empty_device.context.new_cdp_session(empty_device.page)
    await session.send("Performance.enable")
    await _come_and_go(empty_device)
    before = await _counted(session)
    for _ in range(ROUNDS):
        await _come_and_go(empty_device)
    after = await _counted(session)
    await session.detach()
    # Each note has some seventy nodes. Python's garbage is collected now and then, so it may hold some of the last.
    assert after["JSEventListeners"] <= before["JSEventListeners"]
    assert after["Nodes"] - before["Nodes"] < MANY * 70 * ROUNDS / 4


async def test_a_change_among_many_notes_touches_that_alone(empty_device: Device) -> None:
    page = empty_device.page
    await empty_device.fill(3 * PAGE)
    await empty_device.summary("All synced")
    cards = page.locator("#note-list > li")
    for shown in (2 * PAGE, 3 * PAGE):
        await page.click("#more-button")
        await expect(cards).to_have_count(shown)
    await page.evaluate(COUNT)
    await empty_device.write("one more")
    await empty_device.summary("All synced")
    await expect(empty_device.note("one more").locator("[data-slot=waiting]")).to_be_hidden()
    assert await page.evaluate("touched") < 3 * PAGE  # each of them is touched at most once, and most not at all
