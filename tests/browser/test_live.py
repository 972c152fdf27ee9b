"""Sync that nobody has to think about: live by default, and what the page says and does about it."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import Booted, NewDevice
from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")

HEADER_AT_FIRST_NOTE = """() => {
  const list = document.getElementById("note-list");
  window.headerAtFirstNote = new Promise((found) => {
    const seen = new MutationObserver(() => {
      seen.disconnect();
      found(document.getElementById("summary-words").textContent);
    });
    seen.observe(list, { childList: true });
  });
}"""
"""Notes what the header says at the moment at which the first note is there."""


@pytest_asyncio.fixture(loop_scope="session")
async def device(empty_device: Device) -> Device:
    """The same for all, with an identity of its own for each."""
    return empty_device


async def _is_live(device: Device, world: World) -> None:
    """Wait until both nodes are heard of at once."""
    for endpoint in world.endpoints:
        await expect(device.node(endpoint).locator('[data-slot="state"]')).to_have_text("Live")


async def _joined(device: Device, shared: Booted) -> Device:
    """Another device with the same identity."""
    other = await shared.get("other")
    await other.import_(await device.export())
    return other


async def test_what_one_device_does_is_at_the_other_without_a_click(
    device: Device, shared: Booted, world: World
) -> None:
    other = await _joined(device, shared)
    await _is_live(device, world)
    await _is_live(other, world)
    await device.write("at once")
    await expect(other.note("at once")).to_be_visible()
    await other.edit("at once", "and back")
    await expect(device.note("and back")).to_be_visible()
    await device.delete("and back")
    await expect(other.note("and back")).to_have_count(0)


async def test_the_header_never_says_that_a_note_is_synced_which_is_not(device: Device, world: World) -> None:
    await _is_live(device, world)
    await device.summary("All synced")
    await device.page.evaluate(HEADER_AT_FIRST_NOTE)
    await device.write("just saved")
    assert await device.page.evaluate("headerAtFirstNote") == "Syncing"
    await device.summary("All synced")


async def test_the_mode_that_was_chosen_is_kept(device: Device, world: World) -> None:
    mode = device.page.locator("#sync-mode")
    await expect(mode).to_have_value("live")
    await _is_live(device, world)
    await device.at("Nodes")
    await mode.select_option("off")
    await device.write("waits until somebody asks")
    hint = device.note("waits until somebody asks").locator('[data-slot="waiting"]')
    await expect(hint).to_have_text("Waiting for 2 nodes")
    await device.reload()
    await expect(mode).to_have_value("off")
    await expect(hint).to_have_text("Waiting for 2 nodes")
    await device.summary("2 messages waiting")
    exported = await device.export()
    assert await texts_held_by(world.first_endpoint, exported) == set()
    await device.sync()
    await device.summary("All synced")
    await expect(hint).to_be_hidden()
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == {"waits until somebody asks"}

    await device.at("Nodes")
    await mode.select_option("2m")
    await device.reload()
    await expect(mode).to_have_value("2m")
    await mode.select_option("live")
    await _is_live(device, world)


async def test_compare_says_what_is_the_same(device: Device, world: World) -> None:
    for number in range(3):
        await device.write(f"note {number}")
    await device.summary("All synced")
    await device.at("Nodes")
    await device.page.click("#compare")
    words = device.page.locator("#nodes-news")
    for endpoint in world.endpoints:
        await expect(words).to_contain_text(f"{endpoint.removeprefix('http://')}: the same 3 messages")


async def test_a_node_that_lost_its_disk_is_noticed_and_filled_again(new_device: NewDevice, world: World) -> None:
    device = await (await new_device()).ready()
    for number in range(3):
        await device.write(f"note {number}")
    await device.summary("All synced")
    await _is_live(device, world)
    await world.second.lose_everything()
    name = world.second_endpoint.removeprefix("http://")
    words = device.page.locator("#nodes-news")
    await expect(words).to_contain_text(f"{name} had lost 3 messages; it gets them again.")
    await _is_live(device, world)
    await device.summary("All synced")
    assert await texts_held_by(world.second_endpoint, await device.export()) == {"note 0", "note 1", "note 2"}
    await device.at("Nodes")
    await device.page.click("#compare")
    await expect(words).to_contain_text(f"{name}: the same 3 messages")


async def test_offline_and_online_again_syncs_without_a_click(device: Device, shared: Booted, world: World) -> None:
    other = await _joined(device, shared)
    await _is_live(device, world)
    await _is_live(other, world)
    await device.context.set_offline(True)
    await device.write("written offline")
    await device.summary("No node reachable")
    await other.write("meanwhile elsewhere")
    await other.summary("All synced")
    await expect(device.note("meanwhile elsewhere")).to_have_count(0)
    await device.context.set_offline(False)
    await expect(device.note("meanwhile elsewhere")).to_be_visible()
    await expect(other.note("written offline")).to_be_visible()
    await _is_live(device, world)


async def test_two_tabs_show_the_same_state_and_mode(device: Device, shared: Booted, world: World) -> None:
    second = Device(device.context, world.origin)
    await second.open()
    await second.ready()
    await _is_live(device, world)
    await _is_live(second, world)
    await second.at("Nodes")
    await second.page.select_option("#sync-mode", "off")
    await expect(device.page.locator("#sync-mode")).to_have_value("off")
    await second.write("kept here")
    for tab in (device, second):
        await tab.summary("2 messages waiting")
    await device.page.close()  # it was the node
    await second.write("kept here too")
    await second.summary("4 messages waiting")
    await expect(second.page.locator("#sync-mode")).to_have_value("off")
    assert second.complaints == []
    await second.at("Nodes")
    await second.page.select_option("#sync-mode", "live")
    shared.replace("device", second)
