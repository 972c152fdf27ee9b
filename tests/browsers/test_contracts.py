"""The port contracts on the browser's adapters, in Firefox and WebKitGTK."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.browsers.tab import Browser, Tab
from tests.contracts.browser_cases import *  # noqa: F403 (the tests)
from tests.contracts.chromium_harness import served

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(browser: Browser, site: Path) -> AsyncIterator[Tab]:
    with served(site) as address:
        tab = await browser.new_tab()
        await tab.goto(address)
        await tab.evaluate("ready")
        yield tab
