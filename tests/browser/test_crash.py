"""What was acknowledged outlives the page and the browser."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright, expect
from playwright.async_api import Error as PlaywrightError

from tests.browser.world import Device, World, texts_held_by
from tests.chromium import TEST_FLAGS, crash

pytestmark = pytest.mark.asyncio(loop_scope="session")

LANES = 10
ENOUGH = 60
"""Acknowledged notes after which the axe falls."""
MANY = 100_000

WRITE = """lanes => {
  async function write(lane) {
    for (let number = 0; ; number++) {
      const text = `burst ${lane} ${number}`;
      await web5Ask("create_note", JSON.stringify({ text, created: Date.now() * 1000 + lane }));
      acknowledged(text);
    }
  }
  for (let lane = 0; lane < lanes; lane++) write(lane).catch(() => {});
}"""


async def _burst(page: Page) -> set[str]:
    """Begin to write notes without end, several at a time; return after some, with what is acknowledged.

    The set goes on growing as long as the page lives.
    """
    known: set[str] = set()
    enough = asyncio.Event()

    def acknowledged(text: str) -> None:
        known.add(text)
        if len(known) >= ENOUGH:
            enough.set()

    await page.expose_function("acknowledged", acknowledged)
    await page.evaluate(WRITE, LANES)
    async with asyncio.timeout(60):
        await enough.wait()
    return known


async def _check(device: Device, world: World, known: set[str]) -> None:
    """Every acknowledged note is there, nothing is there twice, the store is whole, and every node has all of it."""
    await device.write("And on it goes")
    listed = (await device.ask("notes", limit=MANY))["notes"]
    texts = [note["text"] for note in listed]
    assert known <= set(texts)
    assert len(set(texts)) == len(texts)
    assert await device.ask("check_store") == []
    await device.summary("All synced")
    exported = await device.export()
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == set(texts)


async def test_the_worker_is_killed_in_a_burst_of_writes(device: Device, world: World) -> None:
    page = device.page
    page.on("dialog", lambda dialog: dialog.accept())  # it asks whether to leave what is not saved
    known = await _burst(page)
    [worker] = [worker for worker in page.workers if "agent.mjs" in worker.url]
    ended = asyncio.Event()
    worker.on("close", lambda _: ended.set())
    await worker.evaluate("void setTimeout(close)")
    async with asyncio.timeout(60):
        await ended.wait()
    await device.type("written after the end")
    await expect(page.locator("#drafts > li", has_text="written after the end")).to_be_visible()
    await expect(page.locator("#banners")).to_contain_text("Your node does not answer")
    await device.reload()
    await expect(page.locator("#banners")).not_to_contain_text("Your node does not answer")
    await expect(device.note("written after the end")).to_be_visible()
    await _check(device, world, {*known, "written after the end"})


async def test_the_page_is_killed_in_a_burst_of_writes(device: Device, world: World) -> None:
    page = device.page
    known = await _burst(page)
    await crash(page)
    await device.open()
    await device.ready()
    await _check(device, world, known)


async def test_the_browser_is_killed_in_a_burst_of_writes(world: World, chromium: str, tmp_path: Path) -> None:
    async with async_playwright() as playwright:

        async def launch() -> BrowserContext:
            return await playwright.chromium.launch_persistent_context(
                tmp_path / "profile", executable_path=chromium, args=TEST_FLAGS, service_workers="block"
            )

        context = await launch()
        device = Device(context, world.origin)
        await device.open()
        await device.ready()
        closed = asyncio.Event()
        context.on("close", lambda _: closed.set())
        session = await context.new_cdp_session(device.page)
        known = await _burst(device.page)
        with contextlib.suppress(PlaywrightError):
            await session.send("Browser.crash")
        async with asyncio.timeout(60):
            await closed.wait()

        context = await launch()
        device = Device(context, world.origin)
        await device.open()
        await device.ready()
        await _check(device, world, known)
        await context.close()
