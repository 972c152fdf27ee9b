"""Alice and Bob, each in a browser of their own, write to one another through their nodes."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Locator, expect

from tests.browser.accessibility import faults
from tests.browser.conftest import NewDevice
from tests.browser.world import Device

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"document.title='ran'\"> \u202eand backwards"


async def _turn_on(device: Device) -> str:
    """Let others write to somebody; their address."""
    page = await device.at("Messages")
    await page.get_by_role("button", name="Turn on messages").click()
    await expect(page.get_by_role("heading", name="Give somebody your address")).to_be_visible()
    await device.summary("All synced")
    return await device.did()


async def _send(device: Device, text: str) -> None:
    field = device.page.get_by_label("Message", exact=True)
    await field.fill(text)
    await field.press("Control+Enter")


def _bubble(device: Device, text: str) -> Locator:
    conversation = device.page.get_by_role("list", name="Messages of this conversation")
    return conversation.get_by_role("listitem").filter(has=device.page.get_by_text(text, exact=True))


async def _shoot(device: Device, name: str) -> None:
    if pictures := os.environ.get("WEB5_PICTURES"):
        await device.shoot(Path(pictures) / name)


async def test_alice_writes_bob_accepts_and_answers_and_both_keep_it(new_device: NewDevice) -> None:
    alice, bob = await (await new_device()).ready(), await (await new_device()).ready()
    await alice.at("Messages")
    await expect(alice.page.get_by_text("Nobody can write to you yet")).to_be_visible()
    await _shoot(alice, "messages-off")
    hers, his = await _turn_on(alice), await _turn_on(bob)
    await _shoot(alice, "messages-empty")

    await alice.page.get_by_role("button", name="Write to somebody").click()
    await alice.page.get_by_label("Their address").fill("Bob")
    await alice.page.keyboard.press("Enter")
    await expect(alice.page.locator("#person-problem")).to_contain_text("That is not an address")
    await alice.page.get_by_label("Their address").fill(f"{bob.url}#/messages/{his}")
    await alice.page.keyboard.press("Enter")
    await expect(alice.page.get_by_text("Say hello.")).to_be_visible()
    await _send(alice, "Hello, Bob")
    await _send(alice, MARKUP)
    await expect(_bubble(alice, "Hello, Bob").get_by_label("On their nodes")).to_be_visible()

    # Bob is looking at something else: he is told, and nobody is let in unasked.
    await bob.at("Notes")
    place = bob.page.get_by_role("link", name="Messages")
    await expect(place.get_by_label("1 request")).to_be_visible()
    await place.click()
    requests = bob.page.get_by_role("region", name="Requests")
    await expect(requests).to_contain_text("and backwards")
    await _shoot(bob, "messages-request")
    assert await faults(bob.page) == []
    await requests.get_by_role("link").click()
    assert bob.page.url.endswith(f"#/messages/{hers}")
    await expect(_bubble(bob, "Hello, Bob")).to_be_visible()
    await bob.page.get_by_role("button", name="Accept").click()
    await expect(bob.page.get_by_role("region", name="Conversations").get_by_role("link")).to_have_count(1)
    await bob.page.get_by_role("button", name="Name", exact=True).click()
    await bob.page.get_by_label("What you call them").fill("Alice")
    await bob.page.keyboard.press("Enter")
    await expect(bob.page.get_by_role("heading", name="Alice")).to_be_visible()
    await _send(bob, "Hello, Alice")
    await expect(_bubble(bob, "Hello, Alice").get_by_label("On their nodes")).to_be_visible()

    await expect(_bubble(alice, "Hello, Alice")).to_be_visible()
    await _shoot(alice, "messages-conversation")
    assert await faults(alice.page) == []
    for person, texts in ((alice, 3), (bob, 3)):
        await person.reload()
        await expect(person.page.locator("#bubbles > li")).to_have_count(texts)
        assert await person.page.title() != "ran"
        assert await person.page.locator("#bubbles img[src]").count() == 0
    await expect(bob.page.get_by_role("heading", name="Alice")).to_be_visible()

    # Who is blocked is heard no more, and may come back.
    await bob.page.goto(f"{bob.url}#/messages/{hers}")
    await bob.page.get_by_role("button", name="Block", exact=True).click()
    await expect(bob.page.get_by_role("button", name="Unblock")).to_be_visible()
    await expect(bob.page.locator("#bubbles > li")).to_have_count(0)
    await expect(bob.page.get_by_text("1 person blocked.")).to_be_attached()
    await _send(alice, "Are you there?")
    await expect(_bubble(alice, "Are you there?").get_by_label("On their nodes")).to_be_visible()
    await bob.page.get_by_role("button", name="Unblock").click()
    await expect(_bubble(bob, "Are you there?")).to_be_visible()


async def test_a_message_to_nobody_comes_back_into_its_field(new_device: NewDevice) -> None:
    device = await (await new_device()).ready()
    await device.page.goto(f"{device.url}#/messages/did:dht:{'y' * 52}")
    await _send(device, "Is anybody there?")
    await expect(device.page.locator("#message-problem")).to_contain_text("Nobody can be found under this address")
    await expect(device.page.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
    await expect(device.page.locator("#bubbles > li")).to_have_count(0)
    await device.reload()
    await expect(device.page.get_by_label("Message", exact=True)).to_have_value("Is anybody there?")
