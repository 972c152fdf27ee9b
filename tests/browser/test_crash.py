"""What was acknowledged outlives the page and the browser."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, async_playwright
from playwright.async_api import Error as PlaywrightError

from tests.browser.world import Device, World
from tests.chromium import FLAGS

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
  for (let lane = 0; lane < lanes; lane++) write(lane);
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


async def _check(device: Device, known: set[str]) -> None:
    """Every acknowledged note is there, nothing is there twice, and the store is whole."""
    listed = (await device.ask("notes", limit=MANY))["notes"]
    texts = [note["text"] for note in listed]
    assert known <= set(texts)
    assert len(set(texts)) == len(texts)
    assert await device.ask("check_store") == []
    await device.write("And on it goes")


async def test_the_page_is_killed_in_a_burst_of_writes(device: Device) -> None:
    page = device.page
    session = await device.context.new_cdp_session(page)
    known = await _burst(page)
    crashed = asyncio.Event()
    page.on("crash", lambda _: crashed.set())
    command = asyncio.ensure_future(session.send("Page.crash"))
    async with asyncio.timeout(60):
        await crashed.wait()
    command.cancel()
    await device.open()
    await device.ready()
    await _check(device, known)


async def test_the_browser_is_killed_in_a_burst_of_writes(world: World, chromium: str, tmp_path: Path) -> None:
    async with async_playwright() as playwright:

        async def launch() -> BrowserContext:
            return await playwright.chromium.launch_persistent_context(
                tmp_path / "profile", executable_path=chromium, args=FLAGS
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
        await _check(device, known)
        await context.close()
