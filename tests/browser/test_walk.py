"""The walk of the docs: connect, write, see it on both nodes, on a second device; and Alice writes to Bob."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, expect

from tests.browser.accessibility import faults
from tests.browser.conftest import NewDevice
from tests.browser.test_new_device import let_in, offered, shown_number
from tests.browser.world import Device, World, texts_held_by

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTE = "The ferry leaves at 7:40"
HELLO = "Hello Bob, the ferry leaves at 7:40"


async def test_a_person_connects_writes_sees_it_on_both_nodes_and_a_second_device_and_alice_writes_to_bob(
    new_device: NewDevice, world: World
) -> None:
    # Alice opens the page. She has an identity at once, a node in her browser, and two remote nodes.
    alice = await (await new_device()).ready()
    await alice.page.get_by_role("button", name="Start", exact=True).click()
    assert (await alice.did()).startswith("did:dht:")

    # She writes something. It is here, and soon on both of her nodes.
    await alice.write(NOTE)
    await alice.summary("All synced")
    exported = await alice.export()
    for endpoint in world.endpoints:
        assert await texts_held_by(endpoint, exported) == {NOTE}

    # The page shows so, and that all of them hold the same.
    await alice.at("Nodes")
    nodes = alice.page.get_by_role("table", name="Your nodes and your other devices")
    for endpoint in world.endpoints:
        row = nodes.get_by_role("row").filter(has_text=endpoint.split("://")[1])
        await expect(row).to_contain_text("Live")
    await alice.page.get_by_role("button", name="Compare").click()
    await expect(alice.page.locator("#nodes-news")).to_contain_text("the same")
    hour = alice.page.get_by_role("region", name="The last hour")
    await expect(hour.get_by_role("table").get_by_role("row").nth(1)).to_contain_text("minutes ago")

    # Her phone comes along by a code and a number, and has it too. What she writes there, her laptop shows.
    link = await offered(alice)
    phone = await (await new_device()).ready()
    await phone.page.get_by_role("button", name="Take my other device along").click()
    await phone.page.get_by_label("Paste its text").fill(link)
    await phone.page.get_by_role("button", name="Go on").click()
    await let_in(alice, await shown_number(phone))
    await expect(alice.page.get_by_text("Your other device is in")).to_be_visible()
    await alice.page.get_by_role("button", name="Close", exact=True).click()
    await phone.page.get_by_role("button", name="Show what is here").click()
    await phone.at("Notes")
    await expect(phone.note(NOTE)).to_be_visible()
    await phone.write("And comes back at noon")
    await alice.at("Notes")
    await expect(alice.note("And comes back at noon")).to_be_visible()
    await alice.at("Nodes")
    await expect(nodes).to_contain_text("Chrome on Linux")
    assert await faults(alice.page) == []

    # Bob, whose nodes are his, gives Alice his address. She writes to him; it arrives on his nodes, and with him.
    bob = await (await new_device()).ready()
    for person in (alice, bob):
        await person.at("Messages")
        await person.page.get_by_role("button", name="Turn on messages").click()
        await expect(person.page.get_by_role("heading", name="Give somebody your address")).to_be_visible()
    await _write_to(alice, await bob.did(), HELLO)
    await expect(_said(alice, HELLO).get_by_label("On their nodes")).to_be_visible()
    request = bob.page.get_by_role("region", name="Requests").get_by_role("link")
    await expect(request).to_contain_text(HELLO)
    await request.click()
    await bob.page.get_by_role("button", name="Accept").click()
    await _say(bob, "I will be there")
    await expect(_said(alice, "I will be there")).to_be_visible()

    # It is the newest on her first page, above the note. And on her phone.
    home = await alice.at("Home")
    await expect(home.get_by_role("link").filter(has_text="I will be there")).to_be_visible()
    await expect(home.get_by_role("link").filter(has_text=NOTE)).to_be_visible()
    await phone.at("Messages")
    await phone.page.get_by_role("region", name="Conversations").get_by_role("link").click()
    await expect(_said(phone, "I will be there")).to_be_visible()


async def _write_to(device: Device, did: str, text: str) -> None:
    await device.page.get_by_role("button", name="Write to somebody").click()
    await device.page.get_by_label("Their address").fill(did)
    await device.page.keyboard.press("Enter")
    await expect(device.page.get_by_text("Say hello.")).to_be_visible()
    await _say(device, text)


async def _say(device: Device, text: str) -> None:
    field = device.page.get_by_label("Message", exact=True)
    await field.fill(text)
    await field.press("Control+Enter")
    await expect(_said(device, text)).to_be_visible()


def _said(device: Device, text: str) -> Locator:
    return device.page.locator("#bubbles > li").filter(has=device.page.get_by_text(text, exact=True))
