"""One world and one browser for all browser tests; a fresh device for each."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browser.world import Device, World, make_world
from tests.chromium import FLAGS

NewDevice = Callable[[], Awaitable[Device]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(site: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Servers that run for the whole session."""
    async with make_world(site, tmp_path_factory.mktemp("world")).running() as world:
        yield world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        visible = bool(os.environ.get("WEB5_SHOW_BROWSER"))  # see CONTRIBUTING.md
        started = await playwright.chromium.launch(executable_path=chromium, args=FLAGS, headless=not visible)
        yield started
        await started.close()


@pytest_asyncio.fixture(loop_scope="session")
async def new_device(browser: Browser, world: World) -> AsyncIterator[NewDevice]:
    """Makes devices with nothing stored, their page open; at the end no page may have complained."""
    devices: list[Device] = []

    async def make() -> Device:
        device = Device(await browser.new_context(), world.origin)
        devices.append(device)
        await device.open()
        return device

    yield make
    for device in devices:
        await device.context.close()
    assert [device.complaints for device in devices if device.complaints] == []


@pytest_asyncio.fixture(loop_scope="session")
async def device(new_device: NewDevice) -> Device:
    """One device, its page open and its node ready."""
    return await (await new_device()).ready()
