"""Two tabs of one browser: one is the node, the other goes through it, and takes over when it goes."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_the_second_tab_works_through_the_first_and_takes_over(device: Device, world: World) -> None:
    await device.write("from the first tab")
    second = Device(device.context, world.origin)
    await second.open()
    await second.ready()
    assert await second.did() == await device.did()
    await expect(second.note("from the first tab")).to_be_visible()

    await second.write("from the second tab")
    await expect(device.note("from the second tab")).to_be_visible()
    await device.write("again from the first")
    await expect(second.note("again from the first")).to_be_visible()

    await device.page.close()
    await second.write("written after the first was closed")
    await second.sync()
    await second.reload()
    await expect(second.page.locator("#note-list > li")).to_have_count(4)
    assert await second.ask("check_store") == []
    assert second.complaints == []
