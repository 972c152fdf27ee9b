"""The servers that the contracts of HTTP and WebSocket need, and the tabs of a browser for those between tabs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page

from tests.contracts.chromium_harness import browser_context, open_page, served
from tests.contracts.http_server import http_server
from tests.contracts.websocket_server import websocket_server


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with http_server() as address:
        yield address


@pytest.fixture(scope="module")
def socket_base() -> Iterator[str]:
    with websocket_server() as address:
        yield address


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    """The address of the site, on an origin of its own."""
    with served(site) as where:
        yield where


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def context(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[BrowserContext]:
    async with browser_context(chromium, tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def opened() -> list[Page]:
    """Pages of earlier tests: Python takes seconds to start in one. Each test uses a store, or a name, of its own."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def pages(context: BrowserContext, address: str, opened: list[Page]) -> tuple[Page, Page, Page]:
    """Three tabs with Python in each."""
    opened[:] = [page for page in opened if not page.is_closed()]
    opened += await asyncio.gather(*(open_page(context, address) for _ in range(3 - len(opened))))
    for page in opened:
        await page.evaluate("told.length = 0")
    return opened[0], opened[1], opened[2]
