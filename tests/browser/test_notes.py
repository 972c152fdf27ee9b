"""Writing, editing and deleting notes on one device."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.world import Device

BASE = 1_700_000_000_000_000
"""A moment, in microseconds."""

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def device(empty_device: Device) -> Device:
    """The same for all, with an identity of its own for each."""
    return empty_device


async def test_a_note_survives_a_reload(device: Device) -> None:
    await device.write("Still there")
    await device.reload()
    await expect(device.note("Still there")).to_be_visible()
    assert await device.ask("check_store") == []


async def test_edit_and_delete_survive_a_reload(device: Device) -> None:
    await device.write("First wording")
    await device.write("Soon gone")
    await device.edit("First wording", "Second wording")
    await device.delete("Soon gone")
    await device.reload()
    await expect(device.page.locator("#note-list > li")).to_have_count(1)
    await expect(device.note("Second wording")).to_contain_text("Edited")


async def test_a_note_from_while_the_clock_was_ahead_is_changed_and_does_not_date_the_next(device: Device) -> None:
    now = await device.page.evaluate("(window.rightNow = Date.now)()")
    await device.page.evaluate("Date.now = () => rightNow.call(Date) + 3 * 3600 * 1000")
    await device.write("Of the future")
    await device.page.evaluate("Date.now = rightNow")
    await device.write("Of now")
    created = {note["text"]: note["created"] - now for note in (await device.ask("notes", limit=5))["notes"]}
    assert 0 <= created["Of now"] < 600_000 < created["Of the future"]
    await device.edit("Of the future", "Corrected")
    await device.delete("Corrected")
    await device.reload()
    await expect(device.page.locator("#note-list > li")).to_have_count(1)


async def test_two_notes_that_are_saved_at_once_are_two(device: Device) -> None:
    """The second is typed before anything else of the page has run."""
    await device.page.evaluate(
        """(texts) => {
          const field = document.getElementById("note-text");
          for (const text of texts) {
            field.value = text;
            document.getElementById("note-save").click();
          }
        }""",
        ["The first", "The second"],
    )
    for text in ("The first", "The second"):
        await expect(device.note(text)).to_be_visible()
    await expect(device.page.locator("#note-list > li")).to_have_count(2)


async def test_escape_leaves_a_note_as_it_was(device: Device) -> None:
    await device.write("Unchanged")
    await device.note("Unchanged").get_by_role("button", name="Edit").click()
    editor = device.page.get_by_label("Edit note")
    await editor.fill("Something else")
    await editor.press("Escape")
    await expect(device.note("Unchanged")).to_be_visible()


async def test_what_looks_like_html_is_text(device: Device) -> None:
    text = "<b>not bold</b> & \u00fc \u65e5\u672c \U0001f642\nnext line"
    await device.page.fill("#note-text", text)
    await device.page.click("#note-save")
    await expect(device.page.locator("#note-list > li")).to_have_count(1)
    assert await device.page.locator("#note-list .note-text").inner_text() == text


async def test_a_note_beyond_the_inline_limit_is_cut_and_shown_whole_on_demand(device: Device) -> None:
    text = "\n".join(f"line {number} " + "\u00e4\u00f6\u00fc " * 30 + "end" for number in range(200))
    assert len(text.encode()) > 30_000
    await device.page.fill("#note-text", text)
    await device.page.click("#note-save")
    card = device.page.locator("#note-list > li")
    await card.get_by_role("button", name="Show all").click()
    await expect(card).to_contain_text("line 199")
    await device.reload()
    await expect(card).not_to_contain_text("line 199")
    await card.get_by_role("button", name="Edit").click()
    editor = device.page.get_by_label("Edit note")
    assert await editor.input_value() == text
    await editor.press("Escape")


async def test_many_notes_come_in_pages(device: Device) -> None:
    for number in range(60):
        await device.ask("create_note", text=f"note {number}", created=BASE + number)
    await device.reload()
    cards = device.page.locator("#note-list > li")
    await expect(cards).to_have_count(50)
    await expect(cards.first).to_contain_text("note 59")
    await device.page.click("#more-button")
    await expect(cards).to_have_count(60)
    await expect(cards.last).to_contain_text("note 0")
    await expect(device.page.locator("#more")).to_be_hidden()


async def test_a_call_that_is_repeated_makes_one_note(device: Device) -> None:
    first = await device.ask("create_note", text="Once", created=BASE)
    again = await device.ask("create_note", text="Once", created=BASE)
    other = await device.ask("create_note", text="Twice", created=BASE)
    assert first["id"] == again["id"] != other["id"]
    assert len((await device.ask("notes", limit=10))["notes"]) == 2


async def test_a_typed_text_survives_a_reload_unsaved(device: Device) -> None:
    await device.page.fill("#note-text", "Half a thought")
    await device.reload()
    await expect(device.page.locator("#note-text")).to_have_value("Half a thought")
    await expect(device.page.locator("#note-list > li")).to_have_count(0)
    await device.page.fill("#note-text", "")
