"""What axe-core finds on a page."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

SETTLED = """() => Promise.all(
  document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime < Infinity)
    .map((one) => one.finished.catch(() => {})),
)"""
"""Colours are on their way for a moment after a change of the scheme."""


async def faults(page: Page) -> list[str]:
    """The rules that the page breaks as it is, each with the elements that do."""
    await page.evaluate(SETTLED)
    found = (await Axe().run(page)).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:5]]}" for one in found]
