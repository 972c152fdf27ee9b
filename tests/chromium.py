"""How the tests and benches start Chromium, and kill what runs in it."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
"""For benches: what would spoil figures is off, and all that a person's browser does for speed is on."""

BASELINE_COMPILER = "--js-flags=--liftoff-only"
"""WebAssembly is compiled once and fast. V8 would optimize it anew in each of the hundreds of pages of the tests, which
takes more of the processor than all Python that they run."""

TEST_FLAGS = [*FLAGS, BASELINE_COMPILER]


async def crash(page: Page) -> None:
    """Kill the process of a page, and with it the page's workers, in whatever they are doing."""
    session = await page.context.new_cdp_session(page)
    async with page.expect_event("crash"):
        asked = asyncio.ensure_future(session.send("Page.crash"))  # nobody is left to answer it
    asked.cancel()
