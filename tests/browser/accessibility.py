"""What axe-core finds on a page."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page


async def faults(page: Page) -> list[str]:
    """The rules that the page breaks as it is, each with the elements that do."""
    found = (await Axe().run(page)).response["violations"]
    return [f"{one['id']}: {one['help']}: {[node['html'][:120] for node in one['nodes'][:5]]}" for one in found]
