"""The newest notes are on the page before its node is, and never where a password guards them."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.at_rest import stored_by
from tests.browser.conftest import NewDevice
from tests.browser.world import Device

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse"
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>\u202e'
LONG = "\n".join(f"line {number}" for number in range(40))
PREVIEW = "web5.preview"

KEPT = """(text) => new Promise((resolve, reject) => {
  const request = indexedDB.open("web5.preview");
  request.onupgradeneeded = () => request.transaction.abort(); // or there would be one, without anything in it
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const database = request.result;
    const write = text === null ? database.transaction("texts") : database.transaction("texts", "readwrite");
    const store = write.objectStore("texts");
    const found = text === null ? store.get("newest") : store.put(text, "newest");
    write.oncomplete = () => { database.close(); resolve(found.result ?? null); };
  };
})"""

PLACES = """() => [...document.querySelectorAll("#invitation, #note-list > li, #note-list .note-text, #note-list time")]
  .map((one) => [one.getBoundingClientRect(), one.localName === "time"])
  .map(([{ x, y, width, height }, changes]) => [x, y, changes || width, height])"""


async def _kept(page: Page, text: str | None = None) -> Any:
    """The copy as it lies in the browser, or another one put in its place."""
    return await page.evaluate(KEPT, text)


async def _has_in_copy(device: Device, text: str) -> None:
    """Wait until the copy has a note."""
    looked = await device.page.evaluate(
        """async ([kept, text]) => {
          for (;;) {
            const found = await eval(kept)(null).catch(() => null);
            if (found && JSON.parse(found).some((note) => note.text === text)) return true;
            await new Promise((tick) => setTimeout(tick, 50));
          }
        }""",
        [KEPT, text],
    )
    assert looked


async def _held_back(device: Device) -> asyncio.Event:
    """Hold back the worker of every page that is opened or reloaded, until the event."""
    node = asyncio.Event()

    async def wait(route: Route) -> None:
        await node.wait()
        await route.continue_()

    await device.context.route("**/boot/agent.mjs", wait)
    return node


async def test_what_one_has_is_there_before_the_node_and_stays_where_it_is(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    for text in ("the first", HOSTILE, LONG):
        await device.write(text)
    await device.edit("the first", "the first, edited")
    await _has_in_copy(device, "the first, edited")
    node = await _held_back(device)
    page = device.page
    await page.reload(wait_until="commit")
    cards = page.locator("#note-list > li")
    await expect(cards).to_have_count(3)
    before = await cards.locator(".note-text").all_text_contents()
    assert before == [LONG, HOSTILE, "the first, edited"]
    await expect(page.locator("#note-list")).to_have_attribute("aria-busy", "true")
    await expect(page.locator("#boot-hint")).to_contain_text("as they were last here")
    await expect(page.get_by_role("button", name="Edit")).to_have_count(0)
    assert await page.locator("#note-list img, #note-list script").count() == 0
    await page.fill("#note-text", "typed meanwhile")
    await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
    await expect(cards).to_have_count(3)
    if pictures := os.environ.get("WEB5_PICTURES"):
        await device.shoot(Path(pictures) / "preview")
    await page.set_viewport_size({"width": 1280, "height": 900})
    places = await page.evaluate(PLACES)
    assert len(places) == 10

    node.set()
    await device.ready()
    await expect(page.get_by_role("button", name="Edit")).to_have_count(3)
    assert await page.evaluate(PLACES) == places
    assert await cards.locator(".note-text").all_text_contents() == before
    assert await page.locator("#note-list").get_attribute("aria-busy") is None
    assert await page.locator("#note-list [data-preview]").count() == 0
    assert await page.locator("#note-text").input_value() == "typed meanwhile"
    assert await page.title() == "Web5 Notes"
    if pictures:
        await device.shoot(Path(pictures) / "preview-over")


async def test_there_is_no_copy_where_a_password_guards_the_notes(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    page = device.page
    await device.write("readable by whoever has the browser")
    await _has_in_copy(device, "readable by whoever has the browser")
    await device.set_password(PASSWORD)
    assert await _kept(page) is None
    await device.write("written with a password")
    assert b"written with a password" not in await stored_by(page, PREVIEW)

    node = await _held_back(device)
    await page.reload(wait_until="commit")
    await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
    await expect(page.locator("#note-list > li")).to_have_count(0)
    node.set()
    await device.is_locked()
    assert await _kept(page) is None
    await device.unlock(PASSWORD)
    await expect(device.note("written with a password")).to_be_visible()
    await device.write("written after the lock")
    assert b"written" not in await stored_by(page, PREVIEW)

    await device.remove_password(PASSWORD)  # now the browser's own key guards them again
    await _has_in_copy(device, "written after the lock")


async def test_the_copy_is_of_the_identity_in_use(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    await device.write("of the first identity")
    await _has_in_copy(device, "of the first identity")
    first = await device.did()
    await device.use_new_identity()
    assert b"of the first" not in await stored_by(device.page, PREVIEW)
    await device.write("of the second")
    await _has_in_copy(device, "of the second")
    assert b"of the first" not in await stored_by(device.page, PREVIEW)
    second = await device.did()
    await device.ask("choose_identity", did=first)
    await device.uses(first)
    await _has_in_copy(device, "of the first identity")
    await device.ask("delete_identity", did=second)
    assert b"of the second" not in await stored_by(device.page, PREVIEW)


NOTE = {"id": "a", "text": "a note", "whole": True, "edited": False, "modified": 1}


@pytest.mark.parametrize(
    "copy",
    [
        "",
        "[" * 100_000,
        "null",
        '{"length": 3}',
        "[null, 3, {}]",
        json.dumps([{**NOTE, "text": {}}, {**NOTE, "id": 3}, {**NOTE, "modified": "now"}]),
        json.dumps([{**NOTE, "text": "x" * 200_000}]),
    ],
)
async def test_what_is_no_copy_of_ours_is_not_shown(shared_device: Device, copy: str) -> None:
    page = shared_device.page
    await shared_device.ask("notes", limit=1)
    await _has_no_timer(shared_device)
    await _kept(page, copy)
    node = await _held_back(shared_device)
    await page.reload(wait_until="commit")
    await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
    assert await page.locator("#note-list > li").count() == 0
    assert await page.locator("#note-list").get_attribute("aria-busy") is None
    node.set()
    await shared_device.ready()
    await shared_device.context.unroute_all(behavior="ignoreErrors")


async def _has_no_timer(device: Device) -> None:
    """Return once the copy was brought up to date after the start: it is there, if only an empty one."""
    await device.page.evaluate(
        """async (kept) => {
          while ((await eval(kept)(null).catch(() => null)) === null) await new Promise((tick) => setTimeout(tick, 50));
        }""",
        KEPT,
    )
