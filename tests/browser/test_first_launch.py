"""From a browser that has never seen the page to an identity on two remote nodes."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Route, expect

from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

SHELL_BYTES = 900_000
"""All that a page loads until it answers, unpacked."""

LOADED_BYTES = (
    """performance.getEntriesByType("resource").reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0)"""
)

# What the bar has shown.
RECORD_BAR = """
  globalThis.seen = [];
  new MutationObserver(() => {
    const bar = document.getElementById("boot-bar");
    if (bar && bar.value !== seen.at(-1)) seen.push(bar.value);
  }).observe(document, { subtree: true, childList: true, attributes: true });
"""


async def test_connects_by_itself(device: Device, world: World) -> None:
    did = await device.did()
    assert did.startswith("did:dht:")
    for endpoint in world.endpoints:
        await expect(device.node(endpoint).locator('[data-slot="state"]')).to_have_text("Live")
    await device.summary("All synced")
    await expect(device.page.locator("#notes-empty")).to_be_visible()
    # It is published, or no other device could find the nodes.
    async with httpx.AsyncClient(trust_env=False) as client:
        published = await client.get(f"{world.origin}dht/{did.removeprefix('did:dht:')}")
    assert published.status_code == 200
    await expect(device.page.locator("#publish-error")).to_be_hidden()


async def test_the_page_is_there_before_its_node_and_says_how_far_that_is(browser: Browser, world: World) -> None:
    """How soon that is, `build.py bench` says."""
    context = await browser.new_context(service_workers="block")
    python, node = asyncio.Event(), asyncio.Event()
    await context.route("**/pyscript-*/core.js", lambda route: _continue_after(python, route))
    await context.route("**/boot/agent.mjs", lambda route: _continue_after(node, route))
    await context.add_init_script(RECORD_BAR)
    device = Device(context, world.origin)
    page = await device.open(wait_until="commit")
    # Painted without Python.
    await page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
    await expect(page.locator("#boot-words")).to_have_text("Loading the page")
    await page.fill("#note-text", "Written at once")
    # Answers without the node.
    python.set()
    await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
    assert await page.evaluate(LOADED_BYTES) < SHELL_BYTES
    await page.press("#note-text", "Control+Enter")
    # Not yet acknowledged, and the page says so.
    await expect(page.locator("#drafts")).to_contain_text("Written at once")
    await expect(page.locator("#drafts")).to_contain_text("Being saved")
    await expect(page.locator("#boot-bar")).to_be_visible()
    node.set()
    await device.ready()
    await expect(device.note("Written at once")).to_be_visible()
    await expect(page.locator("#drafts > li")).to_have_count(0)
    seen = await page.evaluate("seen")
    assert seen == sorted(seen)
    assert len(set(seen)) > 3

    did = await device.did()
    await device.reload()
    await expect(device.note("Written at once")).to_be_visible()
    assert await device.did() == did
    await context.close()
    assert device.complaints == []


async def _continue_after(event: asyncio.Event, route: Route) -> None:
    await event.wait()
    await route.continue_()


@pytest.mark.parametrize("answer", [{"status": 503, "body": "busy"}, None])
async def test_a_first_launch_waits_for_the_settings_of_its_site(
    browser: Browser, world: World, answer: dict[str, Any] | None
) -> None:
    """An identity that were made without them would have no nodes for good. Later launches do without."""
    context = await browser.new_context(service_workers="block")
    mended = False

    async def config(route: Route) -> None:
        if mended:
            await route.continue_()
        elif answer:
            await route.fulfill(**answer)
        else:
            await route.abort()

    await context.route("**/config.json", config)
    device = Device(context, world.origin)
    page = await device.open()
    await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
    await page.fill("#note-text", "Written while it waits")
    await page.press("#note-text", "Control+Enter")
    await expect(page.locator("#boot-words")).to_contain_text("its settings cannot be fetched")
    await expect(page.locator("#boot-words")).to_contain_text("Tried 2 times")
    mended = True
    await device.ready()
    for endpoint in world.endpoints:
        await expect(device.node(endpoint).locator('[data-slot="state"]')).to_have_text("Live")
    await expect(device.note("Written while it waits")).to_be_visible()
    await device.summary("All synced")

    mended = False
    await page.close()
    await device.open()
    await device.ready()
    await device.write("Written without them")
    await device.summary("All synced")
    await context.close()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("<!doctype html><title>Notes</title>", "it is a page"),
        ("", "it is empty"),
        ('\ufeff{"dwn_endpoints": ["dwn0"]}', "byte-order mark"),
        ('{"dwn_endpoint": ["dwn0"]}', "dwn_endpoint: there is no such setting"),
    ],
)
async def test_settings_that_cannot_be_used_are_told(blank: BrowserContext, world: World, body: str, says: str) -> None:
    with world.deployed({"config.json": body}):
        page = await Device(blank, world.origin).open()
        await expect(page.locator("#banners")).to_contain_text("This site's settings cannot be used")
        detail = page.locator('#banners [data-slot="detail"]')
        await expect(detail).to_contain_text(f"{world.origin}config.json: ")
        await expect(detail).to_contain_text(says)
        await expect(page.locator("#boot-words")).to_have_text("Your node is not running")


@pytest.mark.parametrize("missing", ["**/boot/agent.mjs", "**/boot/web5.*.zip.gz"])
async def test_a_node_that_cannot_be_loaded_is_said_to_be_missing(browser: Browser, world: World, missing: str) -> None:
    context = await browser.new_context(service_workers="block")
    await context.route(missing, lambda route: route.fulfill(status=404))
    device = Device(context, world.origin)
    page = await device.open()
    await expect(page.locator("#boot-words")).to_have_text("Your node is not running")
    await expect(page.locator("#banners")).to_contain_text("The page's node did not start")
    await expect(page.get_by_role("button", name="Reload")).to_be_visible()
    await context.close()


@pytest.mark.parametrize("missing", ["**/pyscript-*/core.js", "**/boot/micropython.*.wasm.gz"])
async def test_a_shell_that_cannot_be_loaded_promises_nothing(browser: Browser, world: World, missing: str) -> None:
    context = await browser.new_context(service_workers="block")
    await context.route(missing, lambda route: route.abort())
    page = await context.new_page()
    await page.clock.install()
    await page.goto(world.origin)
    await page.clock.run_for(20_000)
    await expect(page.locator("#boot-words")).to_have_text("The page has not loaded completely")
    await expect(page.locator("#boot-hint")).to_contain_text("Nothing can be saved now")
    await context.close()
