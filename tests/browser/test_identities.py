"""Several identities, each with its nodes: made, named, chosen, deleted; nodes added and removed."""

from __future__ import annotations

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.browser.conftest import NewDevice
from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def device(shared_device: Device) -> Device:
    """The same for all, with one identity; tests delete what they add to it."""
    return shared_device


async def _make(device: Device, name: str) -> str:
    """Make an identity as a person does; its DID."""
    async with device.visiting("Settings"):
        await device.page.click("#name-open")
        await device.page.fill("#name-text", name)
        await device.page.press("#name-text", "Enter")
        await expect(device.identity(name).get_by_text("In use")).to_be_visible()
    return await device.did()


async def test_each_identity_has_its_own_notes(device: Device) -> None:
    first = await device.did()
    await device.at("Settings")
    await expect(device.identity("Default").get_by_role("button", name="Delete")).to_be_hidden()  # the only one
    await device.write("of the first")
    work = await _make(device, "Work")
    assert work != first
    await expect(device.note("of the first")).to_have_count(0)
    await device.write("of the second")
    async with device.visiting("Settings"):
        await device.identity("Default").get_by_role("button", name="Use").click()
    await device.uses(first)
    await expect(device.note("of the first")).to_be_visible()
    await expect(device.note("of the second")).to_have_count(0)
    await device.reload()
    assert await device.did() == first
    await device.ask("delete_identity", did=work)
    await expect(device.page.locator("#identity-list > li")).to_have_count(1)


async def test_an_identity_is_renamed_and_deleted(device: Device) -> None:
    first = await device.did()
    await _make(device, "Work")
    await device.at("Settings")
    await device.identity("Work").get_by_role("button", name="Rename").click()
    await expect(device.page.locator("#name-text")).to_have_value("Work")
    await device.page.fill("#name-text", " ")
    await device.page.click("#name-save")
    await expect(device.page.locator("#name-problem")).to_contain_text("needs a name")
    await device.page.fill("#name-text", "Job")
    await device.page.click("#name-save")
    job = device.identity("Job")
    await job.get_by_role("button", name="Delete").click()
    await expect(job).to_contain_text("Only an export brings it back")
    await job.get_by_role("button", name="Keep").click()
    await job.get_by_role("button", name="Delete").click()
    await job.get_by_role("group", name="Delete Job?").get_by_role("button", name="Delete").click()
    await expect(job).to_have_count(0)
    await device.uses(first)
    await device.reload()
    await expect(device.page.locator("#identity-list > li")).to_have_count(1)


async def test_other_tabs_and_devices_see_it_by_themselves(device: Device, new_device: NewDevice, world: World) -> None:
    await device.summary("All synced")
    did = await device.did()
    other = await (await new_device()).ready()
    await other.page.click("#invitation-recovery")
    await other.recover(await device.words())
    await other.page.click("#recovery-close")
    tab = Device(device.context, world.origin)
    await tab.open()
    await tab.ready()

    await _make(device, "Work")
    for everywhere in (device, tab, other):
        await everywhere.at("Settings")
    for elsewhere in (tab, other):
        await expect(elsewhere.identity("Work")).to_be_visible()
    await other.identity("Work").get_by_role("button", name="Rename").click()
    await other.page.fill("#name-text", "Job")
    await other.page.click("#name-save")
    for elsewhere in (device, tab):
        await expect(elsewhere.identity("Job")).to_be_visible()
    job = other.identity("Job")
    await job.get_by_role("button", name="Delete").click()
    await job.get_by_role("group").get_by_role("button", name="Delete").click()
    for elsewhere in (device, tab):  # they use it
        await expect(elsewhere.identity("Job")).to_have_count(0)
        await expect(elsewhere.page.locator(f'[data-identity="{did}"]').get_by_text("In use")).to_be_visible()
    assert tab.complaints == []
    await tab.page.close()


async def test_a_node_that_is_added_is_filled_and_brings_everything_back(new_device: NewDevice, world: World) -> None:
    device = await (await new_device()).ready()
    texts = await device.fill(30)
    await device.summary("All synced")
    exported = await device.export()
    page = await device.at("Nodes")
    await page.click("#node-open")
    await page.fill("#node-url", "no address")
    await page.press("#node-url", "Enter")
    await expect(page.locator("#node-problem")).to_contain_text("not the address of a node")
    await page.fill("#node-url", world.third_endpoint + "/")
    await page.press("#node-url", "Enter")
    added = device.node(world.third_endpoint)
    await expect(added.locator('[data-slot="state"]')).to_have_text("Live")
    await expect(added.locator('[data-slot="out"]')).to_have_text("nothing")
    await device.summary("All synced")
    assert await texts_held_by(world.third_endpoint, exported) == texts

    for endpoint in world.endpoints:
        node = device.node(endpoint)
        await node.get_by_role("button", name="Remove").click()
        await node.get_by_role("group").get_by_role("button", name="Remove").click()
        await expect(node).to_have_count(0)
    await device.write("only there")
    await device.summary("All synced")
    assert await texts_held_by(world.third_endpoint, exported) == {*texts, "only there"}
    assert await texts_held_by(world.first_endpoint, exported) == texts

    other = await (await new_device()).ready()
    await other.page.click("#invitation-recovery")
    await other.recover(await device.words())
    await other.page.click("#recovery-close")
    await expect(other.note("only there")).to_be_visible()
    await expect(other.page.locator("#node-list > li")).to_have_count(1)


async def test_nodes_that_are_added_in_a_row_are_all_there(device: Device) -> None:
    """Each is added while the document with the one before is being published, at another moment of that."""
    did = await _make(device, "With many")
    added = [f"http://127.0.0.1:9/node{number}" for number in range(12)]
    for number, url in enumerate(added):
        await device.ask("add_node", url=url)
        for _ in range(5 * (number % 4)):
            await device.ask("state")
    there = {one["endpoint"] for one in (await device.ask("state"))["endpoints"]}
    assert [url for url in added if url not in there] == []
    await device.ask("delete_identity", did=did)


async def test_without_sync_a_node_is_added_all_the_same(device: Device, world: World) -> None:
    await device.at("Nodes")
    await device.page.select_option("#sync-mode", "off")
    await device.page.click("#node-open")
    await device.page.fill("#node-url", world.third_endpoint)
    await device.page.click("#node-save")
    await expect(device.node(world.third_endpoint)).to_be_visible()
    node = device.node(world.third_endpoint)
    await node.get_by_role("button", name="Remove").click()
    await node.get_by_role("group").get_by_role("button", name="Remove").click()
    await expect(node).to_have_count(0)
    await device.page.select_option("#sync-mode", "live")


async def test_nodes_stay_where_they_are_when_a_sync_begins_and_ends(device: Device) -> None:
    """Else a click that comes in that moment goes astray."""
    await device.at("Nodes")
    [before, during] = await device.page.evaluate(
        """() => {
          const bar = document.getElementById("sync-bar"), is = bar.hidden;
          const places = [true, false].map((hidden) => {
            bar.hidden = hidden;
            return document.getElementById("node-list").getBoundingClientRect().top;
          });
          bar.hidden = is;
          return places;
        }"""
    )
    assert during == before
