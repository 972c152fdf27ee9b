"""One remote node away: the other gets everything, the page says so, and the one that returns is filled."""

from __future__ import annotations

import json
import re
import time
from email.utils import formatdate

import pytest
import pytest_asyncio
from playwright.async_api import Route, expect

from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def device(empty_device: Device) -> Device:
    """The same for all, with an identity of its own for each."""
    return empty_device


async def test_a_node_that_was_away_is_filled_when_it_returns(device: Device, world: World) -> None:
    await device.write("before")
    await device.sync()
    await device.summary("All synced")
    exported = await device.export()
    first, second = device.node(world.first_endpoint), device.node(world.second_endpoint)
    hint = device.note("meanwhile one").locator('[data-slot="waiting"]')

    await world.second.stop()
    try:
        await device.write("meanwhile one")
        await device.write("meanwhile two")
        await device.edit("before", "before, edited")
        await device.sync()
        await device.summary("1 of 2 unreachable")
        await expect(second.locator('[data-slot="state"]')).to_have_text(re.compile("^Unreachable"))
        await expect(second.locator('[data-slot="error-detail"]')).to_contain_text("Unreachable")
        # Two notes, the edited one, and its text before.
        await expect(second.locator('[data-slot="out"]')).to_have_text("4 messages")
        await expect(first.locator('[data-slot="state"]')).to_have_text("Live")
        await expect(first.locator('[data-slot="out"]')).to_have_text("nothing")
        await expect(hint).to_have_text("Waiting for 1 node")
        await expect(hint).to_be_visible()
        everything = {"before, edited", "meanwhile one", "meanwhile two"}
        assert await texts_held_by(world.first_endpoint, exported) == everything
    finally:
        await world.second.start()

    # Nobody asks for it.
    await expect(second.locator('[data-slot="state"]')).to_have_text("Live")
    await device.summary("All synced")
    await expect(second.locator('[data-slot="out"]')).to_have_text("nothing")
    await expect(hint).to_be_hidden()
    assert await texts_held_by(world.second_endpoint, exported) == everything


async def test_what_a_node_refuses_is_shown_with_its_words(device: Device, world: World) -> None:
    cors = {"access-control-allow-origin": "*", "access-control-allow-headers": "*"}

    async def refuse(route: Route) -> None:
        """Answer as a server does that wants its tenants registered."""
        headers = route.request.headers
        if "dwn-request" not in headers:
            await route.fulfill(status=204, headers=cors)
            return
        reply = {"status": {"code": 401, "detail": "Not a registered tenant."}}
        envelope = {"jsonrpc": "2.0", "id": json.loads(headers["dwn-request"])["id"], "result": {"reply": reply}}
        await route.fulfill(json=envelope, headers=cors)

    await device.context.route(f"{world.second_endpoint}**", refuse)
    await device.reload()
    await device.write("Not wanted there")
    await device.sync()
    await device.summary("1 message refused")
    node = device.node(world.second_endpoint)
    await expect(node.locator('[data-slot="state"]')).to_have_text("Reachable, but refuses")
    async with device.visiting("Nodes"):
        await node.get_by_text("1 message refused").click()
    await expect(node.locator('[data-slot="refused-list"]')).to_contain_text("401 Not a registered tenant.")
    await expect(device.note("Not wanted there").locator('[data-slot="waiting"]')).to_be_visible()

    # The server changes its mind: nothing was lost.
    await device.context.unroute(f"{world.second_endpoint}**")
    await device.sync()
    await device.summary("All synced")
    await expect(node.get_by_text("refused")).to_be_hidden()
    assert await texts_held_by(world.second_endpoint, await device.export()) == {"Not wanted there"}


async def test_the_page_says_that_this_device_s_clock_is_wrong_until_it_is_right(device: Device, world: World) -> None:
    hours = 2

    async def behind(route: Route) -> None:
        """Answer as a node does whose clock shows so many hours less."""
        response = await route.fetch()
        date = formatdate(time.time() - hours * 3600, usegmt=True)
        await route.fulfill(response=response, headers={**response.headers, "date": date})

    for endpoint in (world.first_endpoint, world.second_endpoint):
        await device.context.route(f"{endpoint}**", behind)
    await device.reload()
    await device.write("Waits for its time")
    await device.sync()
    said = device.page.locator("#clock-note")
    await expect(said).to_have_text(
        re.compile("^This device's clock is [12] hours? ahead of your nodes'. Set it right")
    )
    hours = 0
    await device.sync()
    await expect(said).to_be_hidden()
    await device.context.unroute_all(behavior="wait")
