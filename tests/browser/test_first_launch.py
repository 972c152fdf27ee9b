"""From a browser that has never seen the page to an identity on two remote nodes."""

from __future__ import annotations

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import NewDevice
from tests.browser.world import PATIENCE, Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAINTED_MS = 1000
ANSWERS_MS = 3000
"""The shell takes half a second on a quiet machine; two cores that also run the servers get more."""


async def test_connects_by_itself(device: Device, world: World) -> None:
    did = await device.did()
    assert did.startswith("did:dht:")
    for endpoint in world.endpoints:
        await expect(device.node(endpoint).locator('[data-slot="state"]')).to_have_text("Live", timeout=PATIENCE)
    await device.summary("All synced")
    await expect(device.page.locator("#notes-empty")).to_be_visible()
    # It is published, or no other device could find the nodes.
    async with httpx.AsyncClient(trust_env=False) as client:
        published = await client.get(f"{world.origin}dht/{did.removeprefix('did:dht:')}")
    assert published.status_code == 200
    await expect(device.page.locator("#publish-error")).to_be_hidden()


async def test_the_identity_stays(device: Device) -> None:
    did = await device.did()
    await device.reload()
    assert await device.did() == did


async def test_the_shell_is_there_within_a_second(new_device: NewDevice) -> None:
    painted, answering = [], []
    for _ in range(3):
        page = (await new_device()).page
        await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
        painted.append(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
        answering.append(await page.evaluate("performance.getEntriesByName('web5-shell')[0].startTime"))
    assert min(painted) < PAINTED_MS
    assert min(answering) < ANSWERS_MS


async def test_a_note_may_be_written_before_the_node_is_up(new_device: NewDevice) -> None:
    device = await new_device()
    page = device.page
    await page.fill("#note-text", "Written at once")
    await page.wait_for_function("performance.getEntriesByName('web5-shell').length")
    await page.press("#note-text", "Control+Enter")
    # Not yet acknowledged, and the page says so.
    await expect(page.locator("#drafts")).to_contain_text("Written at once")
    await expect(page.locator("#drafts")).to_contain_text("Being saved")
    await expect(page.locator("#boot-bar")).to_be_visible()
    await device.ready()
    await expect(device.note("Written at once")).to_be_visible(timeout=PATIENCE)
    await expect(page.locator("#drafts > li")).to_have_count(0)
    await device.reload()
    await expect(device.note("Written at once")).to_be_visible(timeout=PATIENCE)


async def test_progress_is_told_while_the_worker_loads(new_device: NewDevice) -> None:
    device = await new_device()
    seen: list[float] = []
    while not await device.page.locator("#boot").is_hidden():
        seen.append(await device.page.locator("#boot-bar").evaluate("bar => bar.value"))
    assert seen == sorted(seen)
    assert len(set(seen)) > 3


@pytest.mark.parametrize("missing", ["**/boot/agent.mjs", "**/boot/web5.*.zip"])
async def test_a_node_that_cannot_be_loaded_is_said_to_be_missing(browser: Browser, world: World, missing: str) -> None:
    context = await browser.new_context()
    await context.route(missing, lambda route: route.abort())
    device = Device(context, world.origin)
    page = await device.open()
    await expect(page.locator("#boot-words")).to_have_text("Your node is not running", timeout=PATIENCE)
    await expect(page.locator("#banners")).to_contain_text("The page's node did not start")
    await expect(page.get_by_role("button", name="Reload")).to_be_visible()
    await context.close()


@pytest.mark.parametrize("missing", ["**/pyscript-*/core.js", "**/micropython-*/micropython.wasm"])
async def test_a_shell_that_cannot_be_loaded_promises_nothing(browser: Browser, world: World, missing: str) -> None:
    context = await browser.new_context()
    await context.route(missing, lambda route: route.abort())
    page = await context.new_page()
    await page.clock.install()
    await page.goto(world.origin)
    await page.clock.run_for(20_000)
    await expect(page.locator("#boot-words")).to_have_text("The page has not loaded completely", timeout=PATIENCE)
    await expect(page.locator("#boot-hint")).to_contain_text("Nothing can be saved now")
    await context.close()
