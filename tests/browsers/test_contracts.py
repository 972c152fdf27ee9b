"""The port contracts on the browser's adapters, in Firefox and WebKitGTK."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browsers.tab import Browser, Tab
from tests.contracts.browser_cases import *  # noqa: F403 (the tests)
from tests.contracts.chromium_harness import python, served
from web5_build.paths import WEB

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(browser: Browser, site: Path) -> AsyncIterator[Tab]:
    with served(site) as address:
        tab = await browser.new_tab()
        await tab.goto(address)
        await tab.evaluate("ready")
        yield tab


async def test_the_keys_of_many_tabs_are_made(page: Tab) -> None:
    """WebKitGTK itself fails at one of 256."""
    await python(page, "make_tab_keys", 1000)
    module = b64encode((WEB / "boot" / "tab_channel.mjs").read_bytes()).decode()
    make = """async (module) => {
      const { makePair } = await import("data:text/javascript;base64," + module);
      const made = [];
      for (let number = 0; number < 1000; number++) made.push((await makePair()).publicKey.type);
      return made.every((type) => type === "public");
    }"""
    assert await page.evaluate(make, module)
