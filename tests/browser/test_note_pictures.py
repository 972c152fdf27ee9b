"""Pictures within notes: dropped or pasted where one writes, kept as files, and shown at their place by their DRLs."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from tests.browser.test_published_content import png
from tests.browser.world import PATIENCE, Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

GIVE = """(area, [event, name, type, data]) => {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const given = new DataTransfer();
  given.items.add(new File([bytes], name, { type }));
  const named = event === "paste" ? { clipboardData: given } : { dataTransfer: given };
  const Kind = event === "paste" ? ClipboardEvent : DragEvent;
  area.dispatchEvent(new Kind(event, { bubbles: true, cancelable: true, ...named }));
}"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def writer(browser: Browser, world: World) -> AsyncIterator[Device]:
    """A device with the site's service worker."""
    context = await browser.new_context()
    device = Device(context, f"{world.origin}#/notes")
    await device.open()
    await device.ready()
    await device.page.wait_for_function("() => navigator.serviceWorker.controller !== null", timeout=PATIENCE)
    yield device
    await context.close()
    assert device.complaints == []


async def give(area: Locator, event: str, name: str, size: tuple[int, int], media_type: str = "image/png") -> None:
    await area.evaluate(GIVE, [event, name, media_type, b64encode(png(*size)).decode()])


async def is_shown(image: Locator, width: int) -> None:
    """Wait until a picture is there, of this width; after a reload, it is first one of the copy of the notes."""
    await expect(image).to_have_js_property("naturalWidth", width)


async def test_a_pasted_picture_is_in_the_note_and_among_the_files(writer: Device) -> None:
    page = await writer.at("Notes")
    area = page.get_by_label("New note")
    await area.fill("By the sea: ")
    await give(area, "paste", "the [old] pier.png", (40, 30))
    start = f"By the sea: ![the old pier](https://dweb/{await writer.did()}/records/"
    await expect(area).to_have_value(re.compile(f"^{re.escape(start)}[a-z0-9]+\\)$"))
    await area.press("Control+Enter")
    note = page.locator("#note-list > li").filter(has_text="By the sea")
    await is_shown(note.get_by_role("img", name="the old pier"), 40)
    file = page.locator("#note-list > li.file").filter(has_text="pier.png")
    await expect(file).to_be_visible()
    await page.reload()
    await writer.ready()
    await is_shown(note.get_by_role("img", name="the old pier"), 40)


async def test_a_picture_that_is_dropped_on_the_editor_is_in_its_preview(writer: Device) -> None:
    await writer.write("Edited with a picture")
    page = writer.page
    card = writer.note("Edited with a picture")
    await card.get_by_role("button", name="Edit").click()
    area = page.get_by_label("Edit note")
    await page.get_by_role("button", name="Preview").click()
    await give(area, "drop", "cat.png", (31, 20))
    await is_shown(page.get_by_role("region", name="Preview").get_by_role("img", name="cat"), 31)
    await page.get_by_role("button", name="Cancel").click()


async def test_what_is_no_picture_is_a_file_beside_the_note(writer: Device) -> None:
    page = await writer.at("Notes")
    area = page.get_by_label("New note")
    await area.fill("Nothing in here")
    await give(area, "drop", "list.pdf", (2, 2), "application/pdf")
    await expect(page.locator("#note-list > li.file").filter(has_text="list.pdf")).to_be_visible()
    await expect(area).to_have_value("Nothing in here")
    await area.fill("")


async def test_pictures_of_strangers_are_not_loaded(writer: Device) -> None:
    page = await writer.at("Notes")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    stranger = "did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"
    await page.get_by_label("New note").fill(
        f"![seen](https://stranger.example/seen.png) ![theirs](https://dweb/{stranger}/records/bafyabc)"
    )
    await page.get_by_label("New note").press("Control+Enter")
    note = page.locator("#note-list > li").filter(has_text="theirs")
    await expect(note.get_by_role("link", name="theirs")).to_be_visible()
    assert await note.locator("img").count() == 0
    assert [url for url in asked if "stranger" in url or "dweb" in url] == []
