"""One world and one browser for all browser tests; a fresh device for each."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Playwright, async_playwright

from tests.browser.profiles import Profiles
from tests.browser.world import Device, World, make_world
from tests.chromium import TEST_FLAGS

sys.path.append(str(Path(__file__).resolve().parents[2] / "web"))  # web/app, by the name it has in the worker

VISIBLE = bool(os.environ.get("WEB5_SHOW_BROWSER"))
"""See CONTRIBUTING.md."""

NewDevice = Callable[[], Awaitable[Device]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(site: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Servers that run for the whole session."""
    async with make_world(site, tmp_path_factory.mktemp("world")).running() as world:
        yield world


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as playwright:
        yield playwright


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(playwright: Playwright, chromium: str) -> AsyncIterator[Browser]:
    started = await playwright.chromium.launch(executable_path=chromium, args=TEST_FLAGS, headless=not VISIBLE)
    yield started
    await started.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def profiles(
    playwright: Playwright, chromium: str, world: World, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Profiles]:
    folder = tmp_path_factory.mktemp("profiles")
    profiles = Profiles(playwright.chromium, chromium, not VISIBLE, world.origin, folder)
    yield profiles
    await profiles.close()


@pytest_asyncio.fixture(loop_scope="session")
async def blank(profiles: Profiles, request: pytest.FixtureRequest) -> AsyncIterator[BrowserContext]:
    """A browser in which the site has stored nothing; its pages may complain."""
    failed = request.session.testsfailed
    context = await profiles.lend()
    yield context
    await profiles.give_back(context, spoilt=request.session.testsfailed > failed)


@pytest_asyncio.fixture(loop_scope="session")
async def new_device(profiles: Profiles, world: World, request: pytest.FixtureRequest) -> AsyncIterator[NewDevice]:
    """Makes devices with nothing stored, their page open; at the end no page may have complained.

    They keep no copy of the site (test_offline.py): it would be made for each, and answer what tests intercept.
    """
    devices: list[Device] = []
    failed = request.session.testsfailed

    async def make() -> Device:
        device = Device(await profiles.lend(), world.origin)
        devices.append(device)
        await device.open()
        return device

    yield make
    for device in devices:
        await profiles.give_back(device.context, spoilt=request.session.testsfailed > failed)
    assert [device.complaints for device in devices if device.complaints] == []


@pytest_asyncio.fixture(loop_scope="session")
async def device(new_device: NewDevice) -> Device:
    """One device, its page open and its node ready."""
    return await (await new_device()).ready()


class Booted:
    """Devices of a module that its tests use one after the other, since a node takes seconds to start."""

    def __init__(self, profiles: Profiles, world: World) -> None:
        self._profiles = profiles
        self._world = world
        self._devices: dict[str, Device] = {}

    async def get(self, name: str) -> Device:
        if name not in self._devices:
            device = self._devices[name] = Device(await self._profiles.lend(), self._world.origin)
            await device.open()
            await device.ready()
        return self._devices[name]

    def replace(self, name: str, tab: Device) -> None:
        """Let another tab of a device stand for it, whose first one is closed."""
        self._devices[name] = tab

    async def close(self, *, spoilt: bool) -> None:
        while self._devices:
            _, device = self._devices.popitem()
            await self._profiles.give_back(device.context, spoilt=spoilt)

    def complaints(self) -> list[str]:
        return [one for device in self._devices.values() for one in device.complaints]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def booted(profiles: Profiles, world: World) -> AsyncIterator[Booted]:
    booted = Booted(profiles, world)
    yield booted
    await booted.close(spoilt=False)


@pytest_asyncio.fixture(loop_scope="session")
async def shared(booted: Booted, request: pytest.FixtureRequest) -> AsyncIterator[Booted]:
    """The devices of the module, for tests that leave them as they were; after one that failed, they are new ones."""
    failed = request.session.testsfailed
    yield booted
    complaints = booted.complaints()
    if complaints or request.session.testsfailed > failed:
        await booted.close(spoilt=True)
    assert complaints == []


@pytest_asyncio.fixture(loop_scope="session")
async def shared_device(shared: Booted) -> Device:
    """The module's device as other tests of the module left it."""
    return await shared.get("device")


@pytest_asyncio.fixture(loop_scope="session")
async def empty_device(shared_device: Device) -> Device:
    """The module's device, using a new identity that has no notes."""
    await shared_device.use_new_identity()
    return shared_device
