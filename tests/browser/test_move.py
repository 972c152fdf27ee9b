"""Moving house: from one node to another, with proof, and what becomes of a move that is interrupted."""

from __future__ import annotations

import pytest
from playwright.async_api import Route, expect

from tests.browser.accessibility import faults
from tests.browser.conftest import NewDevice
from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def _move(device: Device, source: str, target: str) -> None:
    """Ask for a move."""
    await device.at("Nodes")
    await device.node(source).get_by_role("button", name="to another node…").click()
    dialog = device.page.get_by_role("dialog", name="Move to another node")
    await dialog.get_by_label("Address of the new node").fill(target)
    await dialog.get_by_role("button", name="Move", exact=True).click()


async def test_an_identity_moves_with_proof_that_both_hold_the_same(device: Device, world: World) -> None:
    await device.write("comes along")
    await device.summary("All synced")
    await _move(device, world.second_endpoint, "")
    await expect(device.page.locator("#move-problem")).to_have_text("Type the address of the node.")
    assert await faults(device.page) == []
    await device.page.keyboard.press("Escape")
    await _move(device, world.second_endpoint, world.third_endpoint)
    await expect(device.page.locator("#move-words")).to_contain_text("Both nodes held the same")
    assert await faults(device.page) == []
    await device.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(device.node(world.third_endpoint)).to_be_visible()
    await expect(device.node(world.second_endpoint)).to_have_count(0)
    await expect(device.page.locator("#move-note")).to_be_hidden()
    assert await texts_held_by(world.third_endpoint, await device.export()) == {"comes along"}


async def test_a_move_that_is_interrupted_leaves_both_and_goes_on(new_device: NewDevice, world: World) -> None:
    device = await (await new_device()).ready()
    await device.write("comes along later")
    await device.summary("All synced")

    async def refuse(route: Route) -> None:
        await route.abort()

    await device.context.route(f"{world.origin}dht/**", refuse)
    await _move(device, world.second_endpoint, world.third_endpoint)
    await expect(device.page.locator("#move-problem")).to_contain_text("do not find")
    await device.page.keyboard.press("Escape")
    for endpoint in (world.second_endpoint, world.third_endpoint):
        await expect(device.node(endpoint)).to_be_visible()

    await device.context.unroute_all()
    await device.page.reload()
    await device.at("Nodes")
    note = device.page.get_by_role("group", name="A move that is not finished")
    await expect(note).to_contain_text("Both are your nodes for now, and nothing is lost.")
    await note.get_by_role("button", name="Go on").click()
    await expect(device.page.locator("#move-words")).to_contain_text("Both nodes held the same")
    await device.page.get_by_role("dialog").get_by_role("button", name="Close").click()
    await expect(note).to_be_hidden()
    await expect(device.node(world.second_endpoint)).to_have_count(0)
