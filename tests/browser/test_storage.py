"""A browser that loses what it had stored, stores nothing, or does not answer: that is told, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, async_playwright, expect

from tests.browser.conftest import NewDevice
from tests.browser.world import Device, World, texts_held_by
from tests.chromium import TEST_FLAGS

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Lets a test close the worker's connections as the browser does, or have IndexedDB fail.
HOOK = """
const opened = [];
const real = IDBFactory.prototype.open;
let failing = "";
IDBFactory.prototype.open = function (...args) {
  if (failing === "silent") return {};
  if (failing) throw new DOMException(failing, "UnknownError");
  const request = real.apply(this, args);
  request.addEventListener("success", () => opened.push(request.result));
  return request;
};
const transaction = IDBDatabase.prototype.transaction;
IDBDatabase.prototype.transaction = function (...args) {
  if (failing === "writes") throw new DOMException("not now", "UnknownError");
  return transaction.apply(this, args);
};
globalThis.closedByBrowser = () => {
  for (const database of opened.splice(0)) { database.close(); database.dispatchEvent(new Event("close")); }
};
globalThis.fail = (how) => { failing = how; };
fail(START);
"""

WORKER = "boot/agent.mjs"
RESTORED = "This browser's storage was gone, and everything is stored again"
GONE = "This browser's storage is gone"
FULL = "This browser has no room left"

ROOM_IS_KEPT = """async () => {
  const kept = async () => (await navigator.storage.estimate()).usageDetails?.fileSystem ?? 0;
  while ((await kept()) < 16 << 20) await new Promise((tick) => setTimeout(tick, 100));
}"""
USED = "navigator.storage.estimate().then((found) => found.usage)"

Hooked = Callable[..., Awaitable[Device]]


def _hook(world: World, failing: str) -> AbstractContextManager[None]:
    worker = f"import './hook.mjs';\n{(world.site / WORKER).read_text()}"
    return world.deployed({WORKER: worker, "boot/hook.mjs": HOOK.replace("START", json.dumps(failing))})


async def _in_worker(device: Device, script: str) -> None:
    [worker] = [worker for worker in device.page.workers if "agent.mjs" in worker.url]
    await worker.evaluate(script)


async def _clear(device: Device) -> None:
    session = await device.context.new_cdp_session(device.page)
    origin = device.url.rstrip("/")
    await session.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})


@pytest_asyncio.fixture(loop_scope="session")
async def hooked(blank: BrowserContext, world: World) -> AsyncIterator[Hooked]:
    """Makes a device whose IndexedDB can be made to fail."""
    with ExitStack() as stack:

        async def make(failing: str = "") -> Device:
            stack.enter_context(_hook(world, failing))
            device = Device(blank, world.origin)
            await device.open()
            return device

        yield make


async def _fill_up(device: Device) -> list[str]:
    """Write notes until one is not saved; those that are."""
    saved: list[str] = []
    while True:
        text = f"note {len(saved)}: {secrets.token_hex(20_000)}"
        await device.type(text)
        refused = device.page.locator("#drafts > li", has_text="Not saved")
        await expect(_begins(device, text).or_(refused).first).to_be_visible()
        await expect(device.page.locator("#drafts > li", has_text="Being saved")).to_have_count(0)
        if await refused.count():
            return saved
        saved.append(text)


def _begins(device: Device, text: str) -> Locator:
    """The saved note that begins so; of a long one, the page has no more."""
    return device.page.locator("#note-list > li", has_text=text[:20])


async def test_where_there_is_no_room_notes_are_deleted_by_the_button_and_later_all_goes_on(
    new_device: NewDevice, world: World, tmp_path: Path
) -> None:
    device = await (await new_device()).ready()
    page = device.page
    page.on("dialog", lambda dialog: dialog.accept())  # it asks whether to leave what is not saved
    exported = await device.export()
    await device.write("the first")
    await page.evaluate(ROOM_IS_KEPT)
    session = await device.context.new_cdp_session(page)
    quota = {"origin": device.url.rstrip("/")}
    used = await page.evaluate(USED)
    await session.send("Storage.overrideQuotaForOrigin", {**quota, "quotaSize": used + (1 << 18)})
    filled = await _fill_up(device)
    assert len(filled) > 5
    await session.send("Storage.overrideQuotaForOrigin", {**quota, "quotaSize": used})  # nothing fits by chance

    picture = "data:image/png;base64," + "\n".join(secrets.token_hex(38) for _ in range(1000))
    for text in (picture, "a word about it"):
        await device.type(text)
    drafts = page.locator("#drafts > li")
    await expect(drafts.filter(has_text="Not saved")).to_have_count(3)
    await expect(page.locator("#banners > *", has_text=FULL)).to_have_count(1)
    await device.shoot(tmp_path / "full")
    for text in reversed(filled[-2:]):
        await device.delete_note(_begins(device, text))
        await device.reload()
        await expect(drafts.filter(has_text="Not saved")).to_have_count(3)
    unsaved = drafts.filter(has_text=f"note {len(filled)}:")
    await unsaved.get_by_role("button", name="Delete").click()
    await unsaved.get_by_role("group", name="Delete this note?").get_by_role("button", name="Delete").click()
    await expect(page.get_by_text("2 notes are not saved.")).to_be_visible()
    await device.shoot(tmp_path / "deleted")

    await session.send("Storage.overrideQuotaForOrigin", quota)
    await page.get_by_role("button", name="Try again").click()
    await expect(device.note("a word about it")).to_be_visible()
    await expect(drafts).to_have_count(0)
    await device.write("and on it goes")
    await expect(page.locator("#banners > *")).to_have_count(0)
    await device.summary("All synced")
    await device.reload()
    expected = {"the first", *filled[:-2], picture, "a word about it", "and on it goes"}
    found = (await device.ask("notes", limit=len(expected) + 1))["notes"]
    texts = [note["text"] if note["whole"] else await device.ask("read_note", id=note["id"]) for note in found]
    assert (len(texts), set(texts)) == (len(expected), expected)
    assert await device.ask("check_store") == []
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == expected


async def test_data_that_were_cleared_are_stored_again(new_device: NewDevice, world: World) -> None:
    device = await (await new_device()).ready()
    exported = await device.export()
    await device.write("before")
    await _clear(device)
    await expect(device.page.get_by_text(RESTORED)).to_be_visible()
    await device.write("after")
    await _clear(device)
    await device.write("after the second time")
    await device.summary("All synced")
    await device.reload()
    texts = {"before", "after", "after the second time"}
    for text in texts:
        await expect(device.note(text)).to_be_visible()
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == texts
    assert await device.ask("check_store") == []
    await expect(device.page.get_by_text(RESTORED)).to_be_hidden()


async def test_a_page_whose_store_is_gone_goes_on_from_memory(hooked: Hooked, tmp_path: Path) -> None:
    device = await (await hooked()).ready()
    await device.write("before")
    await _in_worker(device, "fail('the backing store is gone')")
    await _clear(device)
    banner = device.page.locator("#banners > *", has_text=GONE)
    await expect(banner).to_be_visible()
    await device.write("meanwhile")
    state = (await device.ask("sync_now"))["state"]
    [first] = [one for one in state["endpoints"] if one["endpoint"].startswith(device.url)]
    assert (first["reachable"], first["pending_out"], first["last_error"]) == (True, 0, None)
    async with device.page.expect_download() as downloading:
        await banner.get_by_role("button", name="Save notes").click()
    path = await (await downloading.value).path()
    saved = json.loads(await asyncio.to_thread(path.read_text))
    assert [note["text"] for note in saved["notes"]] == ["before", "meanwhile"]
    await banner.get_by_role("button", name="Save keys").click()
    await expect(device.page.locator("#export-dialog")).to_be_visible()
    await device.page.screenshot(path=tmp_path / "gone.png")
    await device.page.locator("#export-cancel").click()
    await _in_worker(device, "fail('')")
    await expect(device.page.get_by_text(RESTORED)).to_be_visible()
    await expect(banner).to_be_hidden()
    await device.reload()
    for text in ("before", "meanwhile"):
        await expect(device.note(text)).to_be_visible()


async def test_connections_that_the_browser_closes_are_opened_again(hooked: Hooked) -> None:
    device = await (await hooked()).ready()
    for number in range(3):
        await _in_worker(device, "closedByBrowser()")
        await device.write(f"note {number}")
    await expect(device.page.locator("#banners > *")).to_have_count(0)
    await device.reload()
    for number in range(3):
        await expect(device.note(f"note {number}")).to_be_visible()


async def test_a_change_that_could_not_be_stored_is_tried_again_by_the_person(hooked: Hooked) -> None:
    device = await (await hooked()).ready()
    await device.write("before")
    await _in_worker(device, "fail('writes')")
    await device.page.locator("#note-text").fill("not now")
    await device.page.locator("#note-save").click()
    await device.type("nor this")
    await expect(device.page.locator("#drafts > li", has_text="Not saved")).to_have_count(2)
    await expect(device.page.get_by_text("This browser stores nothing at the moment")).to_be_visible()
    await _in_worker(device, "fail('')")
    await expect(device.page.get_by_text("This browser stores nothing at the moment")).to_be_hidden()
    await expect(device.note("not now")).to_have_count(0)
    await device.page.get_by_role("button", name="Try again").click()
    await expect(device.note("not now")).to_be_visible()
    await device.reload()
    await expect(device.note("not now")).to_have_count(1)


async def test_a_storage_that_does_not_answer_is_told_in_words(hooked: Hooked) -> None:
    device = await hooked("silent")
    await expect(device.page.locator("#boot-words")).to_have_text("This browser's storage does not answer")
    await device.page.locator("#note-text").fill("typed meanwhile")
    await device.page.locator("#note-save").click()
    await _in_worker(device, "fail('')")
    await device.page.reload()
    await expect(device.page.locator("#drafts > li", has_text="typed meanwhile")).to_be_visible()


async def test_a_storage_that_throws_is_told_in_words(hooked: Hooked) -> None:
    device = await hooked("no storage today")
    await expect(device.page.get_by_text("This browser's storage failed")).to_be_visible()
    await expect(device.page.locator("#boot-words")).to_have_text("Your node is not running")


async def test_a_browser_that_lets_pages_store_nothing_is_told_in_words(
    chromium: str, world: World, tmp_path: Path
) -> None:
    (tmp_path / "Default").mkdir()
    blocked = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (tmp_path / "Default" / "Preferences").write_text(json.dumps(blocked))
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path, executable_path=chromium, args=TEST_FLAGS, service_workers="block"
        )
        device = Device(context, world.origin)
        await device.open()
        await expect(device.page.get_by_text("This browser lets this page store nothing")).to_be_visible()
        await device.page.locator("#note-text").fill("typed all the same")
        await device.page.locator("#note-save").click()
        await expect(device.page.locator("#drafts > li", has_text="Not saved")).to_be_visible()
        await device.page.screenshot(path=tmp_path / "blocked.png")
        await context.close()


async def test_an_address_that_is_not_secure_is_told_in_words(chromium: str, world: World, tmp_path: Path) -> None:
    async with async_playwright() as playwright:
        flags = [*TEST_FLAGS, "--host-resolver-rules=MAP notes.example 127.0.0.1"]
        browser = await playwright.chromium.launch(executable_path=chromium, args=flags)
        device = Device(
            await browser.new_context(service_workers="block"), world.origin.replace("127.0.0.1", "notes.example")
        )
        await device.open()
        await expect(device.page.get_by_text("This page needs a secure address")).to_be_visible()
        await device.page.locator("#note-text").fill("typed all the same")
        await device.page.locator("#note-save").click()
        await expect(device.page.locator("#drafts > li", has_text="Not saved")).to_be_visible()
        await device.page.reload()
        await expect(device.page.locator("#drafts > li", has_text="typed all the same")).to_be_visible()
        await device.page.screenshot(path=tmp_path / "insecure.png")
        await browser.close()


async def test_the_browser_is_asked_to_keep_what_is_stored(browser: Browser, world: World) -> None:
    """In a browser of which that was never asked; one remembers it longer than what is stored."""
    context = await browser.new_context(service_workers="block")
    await context.add_init_script(
        """{ const real = StorageManager.prototype.persist; globalThis.asked = 0;
             StorageManager.prototype.persist = function () { asked++; return real.call(this); } }"""
    )
    device = Device(context, world.origin)
    await device.open()
    await device.ready()
    assert await device.page.evaluate("asked") == 0
    await device.write("worth keeping")
    await expect(device.page.locator("#protection-storage-words")).to_contain_text("All that is stored here takes")
    assert await device.page.evaluate("asked") == 1
    await context.close()
