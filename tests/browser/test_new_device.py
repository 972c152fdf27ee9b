"""A second device comes along: by the code that the first one shows, and the number that it shows itself."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import faults
from tests.browser.conftest import NewDevice
from tests.browser.world import Device

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEING = """
globalThis.BarcodeDetector = class {
  async detect() { return globalThis.seen ? [{ rawValue: globalThis.seen }] : []; }
};
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").fillRect(0, 0, 10, 10);
  return (globalThis.stream = canvas.captureStream(5));
};
"""


async def offered(device: Device, password: str = "") -> str:
    """Have a device show a code; its link."""
    await device.at("Settings")
    page = device.page
    await page.get_by_role("button", name="Add a device").click()
    if password:
        await page.get_by_role("dialog").get_by_label("Your password").fill(password)
    await page.get_by_role("button", name="Show the code").click()
    await expect(page.get_by_role("img", name="QR code for your other device")).to_be_visible()
    return await page.get_by_label("The same as a text").input_value()


async def let_in(device: Device, number: str) -> None:
    """Type the number that the other device shows."""
    field = device.page.get_by_label("Number", exact=True)
    await field.fill(number)
    await device.page.get_by_role("button", name="Let it in", exact=True).click()


async def shown_number(device: Device) -> str:
    """The number that a device shows."""
    number = device.page.locator("#join-number")
    await expect(number).to_have_text(re.compile(r"\d{3} \d{3}"))
    return await number.text_content() or ""


async def test_a_second_device_has_everything_by_a_code_and_a_number(device: Device, new_device: NewDevice) -> None:
    await device.write("from the first")
    await device.summary("All synced")
    link = await offered(device)
    assert await faults(device.page) == []

    other = await (await new_device()).ready()
    page = other.page
    await page.get_by_role("button", name="Take my other device along").click()
    assert await faults(page) == []
    await page.get_by_label("Paste its text").fill(link)
    await page.get_by_role("button", name="Go on").click()
    number = await shown_number(other)
    await expect(device.page.get_by_text("has read the code. Type the number")).to_be_visible()
    assert await faults(device.page) == []
    assert await faults(page) == []
    await let_in(device, "12 34")
    await expect(device.page.locator("#number-problem")).to_contain_text("That is not the number")
    await let_in(device, number)
    await expect(device.page.get_by_text("Your other device is in")).to_be_visible()
    await device.page.get_by_role("button", name="Close", exact=True).click()
    await page.get_by_role("button", name="Show what is here").click()
    await other.at("Notes")
    await expect(other.note("from the first")).to_be_visible()
    assert await other.did() == await device.did()
    await expect(page.locator("#identity-list > li")).to_have_count(1)

    await other.write("from the second")
    await device.at("Notes")
    await expect(device.note("from the second")).to_be_visible()

    # Each is on the list of both, by the name that the person gives it.
    await device.at("Settings")
    devices = device.page.get_by_role("region", name="Your devices").get_by_role("listitem")
    await expect(devices).to_have_count(2)
    await expect(devices.first).to_contain_text("This one")
    assert await faults(device.page) == []
    await devices.nth(1).get_by_role("button", name="Rename").click()
    await device.page.get_by_role("dialog", name="Rename this device").get_by_label("Name").fill("My phone")
    await device.page.get_by_role("button", name="Save", exact=True).click()
    await other.at("Settings")
    theirs = page.get_by_role("region", name="Your devices").get_by_role("listitem")
    await expect(theirs.first).to_contain_text("My phone")
    await devices.nth(1).get_by_role("button", name="Remove").click()
    await expect(devices.nth(1)).to_contain_text("not locked out")
    await devices.nth(1).get_by_role("button", name="Remove", exact=True).click()
    await expect(devices).to_have_count(1)


async def test_the_address_in_the_code_asks_and_a_refusal_is_told(device: Device, new_device: NewDevice) -> None:
    link = await offered(device)
    other = await (await new_device()).ready()
    page, before = other.page, await other.did()
    await page.goto(link)
    dialog = page.get_by_role("dialog", name="Take this device along")
    await expect(dialog).to_be_visible()
    assert "device/" not in page.url
    await dialog.get_by_role("button", name="Go on").click()
    await shown_number(other)
    await device.page.get_by_role("button", name="Do not let it in").click()
    await expect(page.locator("#join-problem")).to_contain_text("did not let this one in")
    assert await other.did() == before
    # And once more with the same code, which was used.
    await dialog.get_by_role("button", name="Go on").click()
    await expect(page.locator("#join-problem")).to_contain_text("used already")
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()


async def test_who_stops_is_not_brought_along(device: Device, new_device: NewDevice) -> None:
    await device.set_password("of the first browser")
    link = await offered(device, "of the first browser")
    other = await (await new_device()).ready()
    before = await other.did()
    await other.page.get_by_role("button", name="Take my other device along").click()
    await other.page.get_by_label("Paste its text").fill(link)
    await other.page.get_by_role("button", name="Go on").click()
    number = await shown_number(other)
    await other.page.get_by_role("button", name="Stop", exact=True).click()
    await expect(other.page.get_by_role("dialog")).to_be_hidden()
    await let_in(device, number)
    await expect(device.page.get_by_text("Your other device is in")).to_be_visible()
    assert await other.did() == before
    await other.write("Still at work")


async def test_the_camera_reads_the_code_where_the_browser_can(device: Device, new_device: NewDevice) -> None:
    link = await offered(device)
    other = await new_device()
    await other.page.add_init_script(SEEING)
    await other.reload()
    await other.page.get_by_role("button", name="Take my other device along").click()
    await other.page.get_by_role("button", name="Read it with the camera").click()
    seen = other.page.get_by_role("dialog").get_by_label("What the camera sees")
    await expect(seen).to_be_visible()
    await other.page.evaluate("link => (globalThis.seen = link)", link)
    await expect(other.page.get_by_label("Paste its text")).to_have_value(link)
    await expect(seen).to_be_hidden()
    assert await other.page.evaluate("stream.getTracks().every(track => track.readyState === 'ended')")
