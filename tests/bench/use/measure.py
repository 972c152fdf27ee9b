"""How smooth the page is in use, part of `build.py bench`: the tasks that keep its main thread from answering, while it
starts, while many notes sync and when they are there, with many conversations and files, and what a long time of
changes leaves in its memory. None over 50 ms is the goal (`trace.py` says how they count).
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page, async_playwright, expect

from tests.bench.stage import CHROMIUM, FILL, ROOT, embedded_defaults, say
from tests.bench.use import chats
from tests.bench.use.trace import Figures, scene
from tests.browser.world import Device
from tests.chromium import FLAGS

WRITE = """async (text) => {
  const begun = performance.now();
  await web5Ask("create_note", JSON.stringify({ text, created: Date.now() * 1000 }));
  return performance.now() - begun;
}"""
SYNC_MS = 600_000
MB = 1e6


@dataclass(frozen=True)
class Sizes:
    """How much is done.

    Parameters:
        notes: that one device has, and another gets.
        seconds: of one change a second.
        people: with whom one person has conversations, of `each` messages.
        files: among notes and messages.
        sent: messages from one browser to another.
    """

    notes: int
    seconds: int
    people: int
    each: int
    files: int
    sent: int


SIZES = {
    "full": Sizes(notes=10_000, seconds=720, people=1_000, each=5, files=100, sent=30),
    "quick": Sizes(notes=60, seconds=8, people=60, each=2, files=6, sent=3),
}


async def measure(sizes: Sizes, figures: Figures) -> None:
    """Fill in all figures of the table."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        origin = await stack.enter_async_context(embedded_defaults(ROOT / "dist/site", folder / "data"))
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        stack.push_async_callback(browser.close)
        exported = await _many_notes(browser, origin, sizes, figures)
        await _second_device(browser, origin, exported, sizes, figures)
        await _conversations(browser, origin, sizes, figures)
        await _long_use(browser, origin, sizes, figures)


async def _conversations(browser: Browser, origin: str, sizes: Sizes, figures: Figures) -> None:
    async with _device(browser, origin) as device:
        await chats.many_chats(device, sizes.people, sizes.each, sizes.files, figures)
    async with _device(browser, origin) as alice, _device(browser, origin) as bob:
        await chats.two_browsers(alice, bob, sizes.sent, figures)


async def _many_notes(browser: Browser, origin: str, sizes: Sizes, figures: Figures) -> str:
    """Start a first and a later time, and use a page that has many notes; the identity, exported."""
    async with _device(browser, origin) as device:
        async with scene(device, figures, "a first visit"):
            await device.page.goto(origin)
            await device.ready()
        say(f"use: {sizes.notes:,} notes are written")
        [worker] = device.page.workers
        await worker.evaluate("code => pyodide.runPythonAsync(code)", FILL.replace("COUNT", str(sizes.notes)))
        await device.page.goto("about:blank")
        async with scene(device, figures, f"a later visit, {sizes.notes:,} notes"):
            await device.page.goto(origin)
            await device.ready()
        async with scene(device, figures, f"{sizes.notes:,} notes sent to two nodes"):
            await device.page.evaluate("void web5Ask('sync_now')")
            await expect(device.page.locator("#summary-words")).to_have_text("All synced", timeout=SYNC_MS)
        async with scene(device, figures, f"more of {sizes.notes:,} notes shown, one found, one written"):
            await _walk(device)
        return await device.export()


async def _walk(device: Device) -> None:
    page = await device.at("Notes")
    for _ in range(3):
        if not await page.locator("#more").is_visible():
            break
        before = await page.locator("#note-list > li").count()
        await page.click("#more-button")
        await page.wait_for_function(
            "before => document.querySelectorAll('#note-list > li').length > before", arg=before
        )
    await page.fill("#note-find", "Note 7 lorem")
    await expect(page.locator("#note-found")).to_be_visible()
    await page.fill("#note-find", "")
    await expect(page.locator("#note-found")).to_be_hidden()
    await device.write("one more")
    await device.edit("one more", "one more, edited")


async def _second_device(browser: Browser, origin: str, exported: str, sizes: Sizes, figures: Figures) -> None:
    say(f"use: {sizes.notes:,} notes come to a second device")
    async with _device(browser, origin) as device:
        await device.page.goto(origin)
        await device.ready()
        async with scene(device, figures, f"a first sync of {sizes.notes:,} notes"):
            await device.ask("import_identity", text=exported)
            await device.ask("choose_identity", did=json.loads(exported)["portableDid"]["uri"])
            await device.page.evaluate("void web5Ask('sync_now')")
            await expect(device.page.locator("#summary-words")).to_have_text("All synced", timeout=SYNC_MS)


async def _long_use(browser: Browser, origin: str, sizes: Sizes, figures: Figures) -> None:
    """Change one thing a second, in turns a new note, an edit and a deletion, while every change is synced."""
    async with _device(browser, origin) as device:
        await device.page.goto(origin)
        await device.ready()
        name = f"{sizes.seconds} s of one change a second"
        for number in range(10):
            await device.page.evaluate(WRITE, f"kept {number}")
        before = await _alive(device.page)
        took: list[float] = []
        end = time.monotonic() + sizes.seconds
        while (left := end - time.monotonic()) > 0:
            if len(took) % 60 == 0:
                say(f"use: changes for {left:.0f} s more")
            begun = time.monotonic()
            took.append(await _change(device, len(took)))
            await asyncio.sleep(max(0.0, 1 - (time.monotonic() - begun)))
        after = await _alive(device.page)
        for what, unit in (("DOM nodes", ""), ("listeners", ""), ("JavaScript's heap", "MB"), ("Python's heap", "MB")):
            figures.rows.append((f"{name}: {what} before", before[what], unit))
            figures.rows.append((f"{name}: {what} after", after[what], unit))
        minute = max(1, min(60, len(took) // 2))
        figures.rows.append((f"{name}: a new note, first minute", statistics.median(took[:minute]), "ms"))
        figures.rows.append((f"{name}: a new note, last minute", statistics.median(took[-minute:]), "ms"))


async def _change(device: Device, number: int) -> float:
    """Write a note, and edit and delete the one before; milliseconds of the write."""
    ms: float = await device.page.evaluate(WRITE, f"change {number}")
    notes = (await device.ask("notes", limit=3))["notes"]
    if len(notes) > 2:
        await device.ask("update_note", id=notes[1]["id"], text=f"edited {number}")
        await device.ask("delete_note", id=notes[2]["id"])
    return ms


@asynccontextmanager
async def _device(browser: Browser, origin: str) -> AsyncIterator[Device]:
    context = await browser.new_context()
    device = Device(context, origin)
    try:
        device.page = await context.new_page()
        yield device
    finally:
        await context.close()


async def _alive(page: Page) -> dict[str, float]:
    """Return what the page holds, once what nobody has any more is gone."""
    session = await page.context.new_cdp_session(page)
    await session.send("Performance.enable")
    for _ in range(3):
        await session.send("HeapProfiler.collectGarbage")
    found: Any = await session.send("Performance.getMetrics")
    await session.detach()
    metrics = {one["name"]: one["value"] for one in found["metrics"]}
    [worker] = page.workers
    python: float = await worker.evaluate("pyodide._module.HEAPU8.length")
    return {
        "DOM nodes": metrics["Nodes"],
        "listeners": metrics["JSEventListeners"],
        "JavaScript's heap": metrics["JSHeapUsedSize"] / MB,
        "Python's heap": python / MB,
    }
