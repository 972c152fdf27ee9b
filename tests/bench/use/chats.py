"""A page with many conversations and files, and how soon what one browser sends is shown in another."""

from __future__ import annotations

import statistics
from pathlib import Path

from playwright.async_api import Page, expect

from tests.bench.stage import ROOT, say
from tests.bench.use.trace import Figures, scene
from tests.browser.world import Device

FILL = (Path(__file__).parent / "fill.py").read_text()
PICTURE = ROOT / "web/assets/icon-192.png"

START_MS = 120_000

LISTED = 50
"""Conversations that are listed at first."""

SEEN = """() => {
  globalThis.seen = {};
  const look = () => {
    for (const bubble of document.querySelectorAll("#bubbles .bubble-text")) seen[bubble.textContent] ??= Date.now();
  };
  new MutationObserver(look).observe(document.getElementById("bubbles"), {
    subtree: true,
    childList: true,
    characterData: true,
  });
}"""
SEND = """text => {
  document.getElementById("message-text").value = text;
  const now = Date.now();
  document.getElementById("message-save").click();
  return now;
}"""


async def many_chats(device: Device, people: int, each: int, files: int, figures: Figures) -> None:
    """Use a page whose person has so many conversations with so many messages, and so many files."""
    origin = device.url
    device.page.set_default_timeout(START_MS)
    await device.page.goto(origin)
    await device.ready()
    say(f"use: {people:,} conversations of {each} messages and {files} files are written")
    [worker] = device.page.workers
    counts = ("bench", people, each, files, PICTURE.read_bytes().hex())
    await worker.evaluate("code => pyodide.runPythonAsync(code)", FILL.replace("COUNTS", repr(counts)))
    await device.page.goto("about:blank")
    name = f"{people:,} conversations, {files} files"
    async with scene(device, figures, f"{name}: a later visit", worker=True):
        await device.page.goto(f"{origin}#/messages")
        await device.page.wait_for_selector("#people > li")
        await expect(device.page.locator("#people > li")).to_have_count(min(people, LISTED))
    page = device.page
    async with scene(device, figures, f"{name}: all listed and scrolled", worker=True):
        await _list_all(page, people)
    async with scene(device, figures, f"{name}: one opened, read back and written to", worker=True):
        await _talk(page, each)
    async with scene(device, figures, f"{name}: files listed, one found", worker=True):
        await device.at("Notes")
        await _look_at_files(page)


async def _list_all(page: Page, people: int) -> None:
    more = page.locator("#people-older")
    while await more.is_visible():
        shown = await page.locator("#people > li").count()
        await more.click()
        await page.wait_for_function(
            "shown => document.querySelectorAll('#people > li').length > shown", arg=min(shown, people - 1)
        )
    await expect(page.locator("#people > li")).to_have_count(people)
    for part in (1, 0.5, 0):
        await page.evaluate("part => scrollTo(0, part * document.body.scrollHeight)", part)


async def _talk(page: Page, each: int) -> None:
    await page.locator("#people > li a").nth(3).click()
    await expect(page.locator("#bubbles > li")).to_have_count(each)
    wide = "() => { const one = document.getElementById('conversations'); return one.scrollWidth - one.clientWidth; }"
    assert await page.evaluate(wide) <= 0, "the list of conversations is cut off beside an open one"
    text = "As many as that, and still at once"
    await page.fill("#message-text", text)
    await page.click("#message-save")
    await expect(page.locator("#bubbles > li").last).to_contain_text(text)
    await expect(page.locator("#people > li").first).to_contain_text(text)


async def _look_at_files(page: Page) -> None:
    for _ in range(3):
        if not await page.locator("#more").is_visible():
            break
        before = await page.locator("#note-list > li").count()
        await page.click("#more-button")
        await page.wait_for_function(
            "before => document.querySelectorAll('#note-list > li').length > before", arg=before
        )
    await page.fill("#note-find", "picture 001.png")
    await expect(page.locator("#note-list > li")).to_have_count(1)
    await page.fill("#note-find", "")
    await expect(page.locator("#note-found")).to_be_hidden()


async def two_browsers(alice: Device, bob: Device, messages: int, figures: Figures) -> None:
    """Measure from where Alice sends a message in her browser until it is shown in Bob's."""
    for device in (alice, bob):
        await device.page.goto(device.url)
        await device.ready()
        await device.ask("turn_on_messages")
        await expect(device.page.locator("#summary-words")).to_have_text("All synced")
    for one, other in ((alice, bob), (bob, alice)):
        await one.ask("judge_person", did=await other.did(), standing="accepted")
        await one.page.goto(f"{one.url}#/messages/{await other.did()}")
        await expect(one.page.locator("#message-form")).to_be_visible()
    await bob.page.evaluate(SEEN)
    say(f"use: {messages} messages go from one browser to another")
    took = []
    for number in range(-2, messages):  # the first ones find out where the other is
        text = f"message {number}"
        sent: float = await alice.page.evaluate(SEND, text)
        await bob.page.wait_for_function("text => seen[text] !== undefined", arg=text, timeout=60_000)
        if number >= 0:
            took.append(await bob.page.evaluate("text => seen[text]", text) - sent)
    figures.rows.append(("from send to shown in another's browser, median", statistics.median(took), "ms"))
    figures.rows.append(("from send to shown in another's browser, the longest", max(took), "ms"))
