"""A node with terms of service: the page asks, and what was written arrives there once the person has agreed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.accessibility import faults
from tests.browser.world import Device, World, make_world, texts_held_by
from web5.dwn.store.database import open_file
from web5.node.stores import REGISTRY
from web5.node.tenants.invitations import Invitations
from web5.ports.clock import SystemClock

pytestmark = pytest.mark.asyncio(loop_scope="session")

TERMS = "<h1>Terms</h1>\n" + "\n".join(f"{number}. Be kind, and be so again." for number in range(1, 60))
OTHERS = "Be kinder."


@pytest_asyncio.fixture(loop_scope="session")
async def strict_world(site: Path, tmp_path: Path) -> AsyncIterator[World]:
    """A world of its own, whose second node wants its tenants registered."""
    (tmp_path / "terms.txt").write_text(TERMS, encoding="utf-8")
    async with make_world(site, tmp_path, tmp_path / "terms.txt").running() as world:
        yield world


async def test_a_node_with_terms_asks_and_is_filled_after_consent(
    browser: Browser, strict_world: World, tmp_path: Path
) -> None:
    device = Device(await browser.new_context(service_workers="block"), strict_world.origin)
    await device.open()
    await device.ready()
    node = device.node(strict_world.second_endpoint)
    state, terms = node.locator('[data-slot="state"]'), node.get_by_role("region", name="Terms of service")
    await device.write("before consent")
    await expect(state).to_have_text("Asks for your consent")
    await device.summary("1 of 2 asks you")
    await device.at("Nodes")
    await expect(node.get_by_text("agree to its terms")).to_be_visible()
    await expect(terms).to_be_hidden()

    await node.get_by_role("button", name="Read its terms").click()
    await expect(terms).to_have_text(TERMS)  # as text: what looks like markup is none
    await expect(terms.locator("h1")).to_have_count(0)
    assert await terms.evaluate("box => box.scrollHeight > box.clientHeight && box.clientHeight < 300")
    await node.screenshot(path=tmp_path / "asks.png")
    exported = await device.export()
    assert await texts_held_by(strict_world.first_endpoint, exported) == {"before consent"}

    await node.get_by_role("button", name="I agree").click()
    await expect(state).to_have_text("Live")
    await device.summary("All synced")
    await expect(terms).to_be_hidden()
    await device.write("after consent")
    await device.summary("All synced")
    assert await texts_held_by(strict_world.second_endpoint, exported) == {"before consent", "after consent"}

    # Other terms are asked about anew; what was agreed to before counts no more.
    await strict_world.second.stop()
    (tmp_path / "terms.txt").write_text(OTHERS, encoding="utf-8")
    await strict_world.second.start()
    await expect(state).to_have_text("Asks for your consent")
    await device.at("Nodes")
    await node.get_by_role("button", name="Read its terms").click()
    await expect(terms).to_have_text(OTHERS)
    await device.reload()
    await expect(state).to_have_text("Asks for your consent")
    await device.context.close()
    assert device.complaints == []


async def test_a_node_for_invited_people_opens_by_a_code(browser: Browser, site: Path, tmp_path: Path) -> None:
    async with make_world(site, tmp_path, invited=True).running() as world:
        device = Device(await browser.new_context(service_workers="block"), world.origin)
        await device.open()
        await device.ready()
        await device.write("before the door")
        await device.at("Nodes")
        node = device.node(world.second_endpoint)
        state, code = node.locator('[data-slot="state"]'), node.get_by_role("textbox", name="Code of your invitation")
        await expect(state).to_have_text("Asks for an invitation")
        await expect(node.get_by_text("for people who were invited")).to_be_visible()
        await code.fill("a guess")
        await code.press("Enter")
        await expect(node.get_by_text("knows no such code")).to_be_visible()
        assert await faults(device.page) == []
        await node.screenshot(path=tmp_path / "asks.png")
        database = open_file(tmp_path / "second" / REGISTRY)
        right, _ = await Invitations(database, SystemClock()).make(2)
        await database.close()
        await code.fill(right.upper())
        await node.get_by_role("button", name="Join").click()
        await expect(state).to_have_text("Live")
        await device.summary("All synced")
        await expect(code).to_be_hidden()
        exported = await device.export()
        assert await texts_held_by(world.second_endpoint, exported) == {"before the door"}
        await device.context.close()
        assert device.complaints == []
