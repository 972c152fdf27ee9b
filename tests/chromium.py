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


async def crash(page: Page) -> None:
    """Kill the process of a page, and with it the page's workers, in whatever they are doing."""
    session = await page.context.new_cdp_session(page)
    async with page.expect_event("crash"):
        asked = asyncio.ensure_future(session.send("Page.crash"))  # nobody is left to answer it
    asked.cancel()
