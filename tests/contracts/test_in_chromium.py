"""The port contracts on the browser's adapters, in Chromium."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page

from tests.contracts.browser_cases import *  # noqa: F403 (the tests)
from tests.contracts.chromium_harness import browser_context, open_page, served

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(site: Path, chromium: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Page]:
    with served(site) as address:
        async with browser_context(chromium, tmp_path_factory.mktemp("profile")) as context:
            yield await open_page(context, address)
