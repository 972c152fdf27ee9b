"""The place of the notes: Markdown, drafts, search and tags, delete with undo, publishing. One walk each."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, expect

from tests.browser.accessibility import faults
from tests.browser.test_hostile_texts import OVERFLOWING
from tests.browser.test_published_content import png
from tests.browser.world import Device

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKDOWN = """# Lisbon in spring #travel

Take the **28 tram**, but *early*; ask [the hotel](https://hotel.example/rooms?a=1&b=2) for a map.

- a window seat
- ~~an umbrella~~
  1. or a small one

> Nobody needs a plan there.

| Day | Where |
|-----|-------|
| 1 | Alfama |

```
train 9:05 -> 9:48
```
![the view](https://strangers.example/view.png)
"""
LATER = """() => {
  const [[id, did]] = JSON.parse(localStorage.getItem("web5-notes-deleted"));
  localStorage.setItem("web5-notes-deleted", JSON.stringify([[id, did, 1]]));
}"""
"""The moment to think better of it is over."""
DROP = """(size) => {
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(new File([new Uint8Array(size)], "dropped.bin"));
  const drop = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
  document.getElementById("note-text").dispatchEvent(drop);
}"""
BASE = 1_700_000_000_000_000


async def _looked_at(device: Device, name: str) -> None:
    """Pictures for whoever looks at them, on a phone and on a desk; nothing is cut off, and axe finds nothing."""
    page = device.page
    pictures = os.environ.get("WEB5_PICTURES")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (390, 1280):
            await page.set_viewport_size({"width": width, "height": 844 if width < 700 else 800})
            assert await page.evaluate(OVERFLOWING) == [], (name, width)
            if (scheme, width) in (("light", 390), ("dark", 1280)):
                assert await faults(page) == [], (name, scheme, width)
            if pictures:
                await page.screenshot(path=Path(pictures) / f"{name}-{width}-{scheme}.png")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 720})


async def test_a_note_in_markdown_from_its_first_word_to_its_link_for_all(
    empty_device: Device, blank: BrowserContext
) -> None:
    device, page = empty_device, empty_device.page
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await page.fill("#note-text", MARKDOWN)
    await page.press("#note-text", "Control+Enter")
    card = page.locator("#note-list > li")
    await expect(card.get_by_role("heading", name="Lisbon in spring #travel", level=3)).to_be_visible()
    await expect(card.locator("strong")).to_have_text("28 tram")
    link = card.get_by_role("link", name="the hotel")
    await expect(link).to_have_attribute("rel", "noreferrer noopener")
    await expect(link).to_have_attribute("href", "https://hotel.example/rooms?a=1&b=2")
    await expect(card.get_by_role("cell", name="Alfama")).to_be_visible()
    assert await card.locator("img").count() == 0
    assert not [url for url in asked if "strangers" in url]

    # Its own address, the editor with its preview, and a draft that a reload does not lose.
    await card.locator("time").click()
    alone = page.get_by_role("list", name="The note").get_by_role("listitem")
    await alone.get_by_role("button", name="Edit").click()
    editor = page.get_by_label("Edit note")
    await editor.fill("# Porto\n\nin *autumn* #travel #plans")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.get_by_role("region", name="Preview").locator("em")).to_have_text("autumn")
    await page.keyboard.press("Tab")
    await _looked_at(device, "note-editor")
    await device.page.reload()
    await expect(editor).to_have_value("# Porto\n\nin *autumn* #travel #plans")
    await expect(alone).to_contain_text("it is not saved yet")
    await editor.press("Escape")
    await page.get_by_role("button", name="Undo").click()
    await expect(editor).to_have_value("# Porto\n\nin *autumn* #travel #plans")
    await editor.press("Control+Enter")
    await expect(alone.get_by_role("heading", name="Porto")).to_be_visible()
    await expect(alone.get_by_role("button", name="#plans")).to_be_visible()

    # Published, read by somebody without an account, and private again.
    await alone.get_by_role("button", name="Share").click()
    sharing = alone.get_by_role("group", name="Share this note")
    await sharing.get_by_role("button", name="Publish", exact=True).click()
    await expect(alone.get_by_text("Published", exact=True)).to_be_visible()
    await expect(sharing).to_contain_text("Anybody who has this link can read it.", timeout=20_000)
    await _looked_at(device, "note-published")
    address = await sharing.get_by_label("Link").input_value()
    stranger = await blank.new_page()
    await stranger.goto(address)
    await expect(stranger.locator("body")).to_contain_text("in *autumn*")
    await sharing.get_by_role("button", name="Unpublish").click()
    await expect(sharing).to_contain_text("Only you can read it")
    await expect(alone.locator("[data-slot=waiting]")).to_be_hidden(timeout=20_000)
    assert (await stranger.goto(address)).status == 404  # type: ignore[union-attr]
    await stranger.close()
    await device.at("Notes")
    await page.goto(f"{device.url}#/notes")


async def test_notes_are_found_by_their_words_and_tags_and_deleted_with_a_moment_to_undo(empty_device: Device) -> None:
    device, page = empty_device, empty_device.page
    for number, text in enumerate(
        ["Milk, bread #shopping", "Paint #home #shopping", "Call Ana #home", "Nothing of it"]
    ):
        await device.ask("create_note", text=text, created=BASE + number)
    cards = page.locator("#note-list > li:visible")
    await expect(cards).to_have_count(4)
    await page.locator("#main").focus()
    await page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="Search your notes")
    await expect(field).to_be_focused()
    await field.press_sequentially("pa")
    await expect(cards).to_have_count(1)
    await expect(page.get_by_text("1 note found")).to_be_visible()
    await field.fill("")
    await page.get_by_role("group", name="Tags").get_by_role("button", name="#shopping 2").click()
    await expect(cards).to_have_count(2)
    await _looked_at(device, "notes-tag")
    await field.fill("no such words")
    await expect(page.get_by_text("No note fits")).to_be_visible()
    await _looked_at(device, "notes-none")
    await field.press("Escape")
    await page.get_by_role("group", name="Tags").get_by_role("button", name="#shopping").click()
    await expect(cards).to_have_count(4)

    # Undone, nothing is deleted; in a page that goes away, it is.
    await cards.filter(has_text="Paint").get_by_role("button", name="Delete").click()
    await expect(cards).to_have_count(3)
    await expect(page.get_by_role("button", name="Undo")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(cards).to_have_count(4)
    assert len((await device.ask("notes", limit=9))["notes"]) == 4
    await cards.filter(has_text="Paint").get_by_role("button", name="Delete").click()
    await expect(cards).to_have_count(3)
    await page.evaluate(LATER)
    await device.reload()
    await page.wait_for_function("localStorage.getItem('web5-notes-deleted') === null")
    assert len((await device.ask("notes", limit=9))["notes"]) == 3
    await expect(cards).to_have_count(3)
    await cards.filter(has_text="Milk").get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("button", name="Undo")).to_be_focused()
    await _looked_at(device, "notes-undo")  # it may take longer than the moment


async def test_files_are_added_seen_stopped_and_downloaded(empty_device: Device, tmp_path: Path) -> None:
    device, page = empty_device, empty_device.page
    picture = {"name": "black.png", "mimeType": "image/png", "buffer": png(300, 200)}
    large = {"name": "large \u202egnp.bin", "mimeType": "", "buffer": bytes(range(256)) * (12 * 4096)}
    await page.set_input_files("#file-choose", [picture, large])  # type: ignore[list-item]
    cards = page.locator("#note-list > li")
    await expect(cards).to_have_count(2, timeout=60_000)
    await expect(page.locator("#uploads > li")).to_have_count(0)
    shown = cards.filter(has_text="black.png").get_by_role("img", name="black.png")
    await expect(shown).to_be_visible()
    assert await shown.evaluate("async (image) => { await image.decode(); return image.naturalWidth; }") == 300
    await _looked_at(device, "notes-files")

    card = cards.filter(has_text="large")
    async with page.expect_download() as saving:
        await card.get_by_role("button", name="Download").click()
    saved = tmp_path / "saved"
    await (await saving.value).save_as(saved)
    assert saved.read_bytes() == large["buffer"]

    # One that is dropped, and stopped: nothing of it stays.
    await page.evaluate(DROP, 64 << 20)
    stop = page.get_by_role("list", name="Files that are being added").get_by_role("button", name="Cancel")
    await stop.click()
    await expect(stop).to_have_count(0)
    await expect(cards).to_have_count(2)
    await page.evaluate(DROP, 1000)
    await expect(cards).to_have_count(3)
    await expect(cards.first).to_contain_text("dropped")
    await device.reload()
    await expect(cards).to_have_count(3)
    await device.delete_note(cards.filter(has_text="dropped"))
    assert [one["text"] for one in (await device.ask("notes", limit=5))["notes"]] == [large["name"], "black.png"]


async def test_an_earlier_text_is_looked_at_and_brought_back(empty_device: Device) -> None:
    device, page = empty_device, empty_device.page
    await device.write("Bread, milk")
    first = device.note("Bread, milk")
    await expect(first.get_by_role("button", name="Earlier")).to_be_hidden()
    for text in ("Bread, milk, **olives**\n\nfor Friday", "Only olives"):
        await device.edit_card(page.locator("#note-list > li"), text)
    card = device.note("Only olives")
    await card.get_by_role("button", name="Earlier").click()
    past = card.get_by_role("group", name="Earlier texts of this note")
    await expect(past.get_by_role("status")).to_have_text("2 earlier texts. The newest is first.")
    newest = past.get_by_role("listitem").first
    await expect(newest.get_by_role("button")).to_be_focused()
    await newest.get_by_role("button", name="Bread, milk, olives").click()
    await expect(newest.locator("strong")).to_have_text("olives")
    await _looked_at(device, "earlier")
    await newest.get_by_role("button", name="Bring this back").click()
    card = page.locator("#note-list > li")
    await expect(card.locator("strong")).to_have_text("olives")
    await expect(past).to_be_hidden()
    await card.get_by_role("button", name="Earlier").click()
    await expect(past.get_by_role("listitem")).to_have_count(3)
    assert await device.ask("check_store") == []
