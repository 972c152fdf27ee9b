"""The data as a person looks at them: listed in pages, one as it was signed, and who may do what with them."""

from __future__ import annotations

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from tests.browser.accessibility import faults
from tests.browser.test_hostile_texts import OVERFLOWING
from tests.browser.world import Device
from web5 import DelegationRequest, ProtocolPermissions, WalletConnect, Web5

pytestmark = pytest.mark.asyncio(loop_scope="session")

MARKUP = "<img src=x onerror=\"document.title='ran'\"> \u202eand backwards"
PHOTOS = {
    "protocol": "https://photos.example/albums",
    "published": True,
    "types": {"album": {}, "friend": {}},
    "structure": {"friend": {"$role": True}, "album": {"$actions": [{"who": "anyone", "can": ["create"]}]}},
}


def _rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Records").get_by_role("listitem")


async def _look(page: Page, name: str) -> None:
    """What axe and the width of a phone have to say; pictures for whoever looks."""
    assert await faults(page) == [], name
    await page.set_viewport_size({"width": 320, "height": 740})
    assert await page.evaluate(OVERFLOWING) == [], name
    if pictures := os.environ.get("WEB5_PICTURES"):
        await page.screenshot(path=Path(pictures) / f"{name}-320.png", full_page=True)
    await page.set_viewport_size({"width": 1280, "height": 720})


async def test_records_are_listed_in_pages_and_one_is_looked_at_and_deleted(empty_device: Device) -> None:
    device, page = empty_device, empty_device.page
    await device.fill(119)
    await device.write(MARKUP)
    await device.summary("All synced")
    await device.at("Data")
    rows, before, after = _rows(page), page.locator("#data-before"), page.locator("#data-after")
    await expect(rows).to_have_count(50)
    await expect(rows.first).to_contain_text("<img src=x")
    await expect(page.get_by_text("1 to 50 and more")).to_be_visible()
    await expect(before).to_be_disabled()
    await _look(page, "data-records")
    elements = "document.getElementsByTagName('*').length"
    first = await page.evaluate(elements)
    for _ in range(3):
        await after.click()
        await expect(page.get_by_text("51 to 100 and more")).to_be_visible()
        await after.click()
        await expect(page.get_by_text("101 to 120, the last")).to_be_visible()
        await expect(rows).to_have_count(20)
        await expect(after).to_be_disabled()
        await before.click()
        await before.click()
        await expect(rows).to_have_count(50)
    assert await page.evaluate(elements) == first
    await page.get_by_label("Order").select_option("Oldest first")
    await expect(rows.first).to_contain_text("note 0")
    await page.get_by_role("button", name="Published", exact=True).click()
    await expect(page.get_by_text("Nothing here yet")).to_be_visible()
    await page.get_by_role("button", name="All", exact=True).click()
    await page.get_by_label("Order").select_option("Newest first")
    await device.ask("create_note", text="while somebody looks", created=2_000_000_000_000_000)
    await expect(rows.first).to_contain_text("while somebody looks")

    await rows.nth(1).get_by_role("link").click()
    one = page.get_by_role("article", name="Text")
    await expect(one.locator("#one-verdict-words")).to_have_text("Yes.")
    await expect(one.locator("#one-places li")).to_have_count(3)
    await expect(one.locator("#one-places")).not_to_contain_text("does not")
    await expect(one.locator("#one-text")).to_contain_text("<img src=x")
    fold = one.locator("#one-parts > details").filter(has_text="authorization")
    await fold.locator("> summary").click()
    await fold.get_by_text("signature (2)").click()
    await expect(fold.get_by_text("payload", exact=True)).to_be_visible()
    await _look(page, "data-message")
    async with page.expect_download() as download:
        await one.get_by_role("button", name="Save as a file").click()
    exported = json.loads((await (await download.value).path()).read_text())
    cid = page.url.rpartition("/")[2]
    assert exported["descriptor"]["dataFormat"] == "text/plain" and exported["encodedData"]
    await device.reload()
    await expect(one.locator("#one-verdict-words")).to_have_text("Yes.")
    await one.get_by_role("button", name="Delete the record").click()
    await one.get_by_role("button", name="Delete", exact=True).click()
    await expect(one).to_be_hidden()
    await expect(rows.nth(1)).not_to_contain_text("<img")
    await expect(page).to_have_title("Data · Web5 Notes")

    await page.get_by_role("navigation", name="Kinds of data").get_by_role("link", name="Messages").click()
    listed = page.get_by_role("list", name="Messages").get_by_role("listitem")
    await expect(listed).to_have_count(50)
    await page.get_by_role("button", name="Deleted", exact=True).click()
    await expect(listed).to_have_count(1)
    await listed.get_by_role("link").click()
    await expect(page.locator("#one-verdict-words")).to_have_text("Yes.")
    await page.get_by_role("article").get_by_role("link", name="Another state of it").click()
    await expect(page).to_have_url(f"{device.url}#/data/messages/{cid}")
    await expect(page.get_by_role("button", name="Delete the record")).to_be_hidden()


async def test_a_protocol_is_installed_and_an_app_gets_access_until_it_is_taken_away(
    empty_device: Device, tmp_path: Path
) -> None:
    device, page = empty_device, empty_device.page
    await page.goto(f"{device.url}#/data/protocols")
    await page.get_by_role("button", name="Install a protocol").click()
    for text, problem in (("{", "should be JSON"), ('{"protocol": 1}', "definition['protocol']")):
        await page.get_by_label("Its definition").fill(text)
        await page.get_by_role("button", name="Install", exact=True).click()
        await expect(page.locator("#install-problem")).to_contain_text(problem)
    await page.get_by_label("Its definition").fill(json.dumps(PHOTOS))
    await page.get_by_role("button", name="Install", exact=True).click()
    protocol = page.get_by_role("list", name="Protocols").get_by_role("listitem")
    await protocol.get_by_text("photos.example/albums").click()
    await expect(protocol).to_contain_text("anybody may write")
    await _look(page, "data-protocols")

    await page.get_by_role("link", name="Access").click()
    await expect(page.get_by_text("Nobody else has access")).to_be_visible()
    asked = DelegationRequest(
        [
            ProtocolPermissions(PHOTOS, ["read", "write"]),
            ProtocolPermissions({**PHOTOS, "protocol": "https://photos.example/frames"}, ["read"]),
        ],
        display_name="Photo frame",
    )
    await page.get_by_role("button", name="Give an app access").click()
    await page.get_by_label("What the app shows you").fill("{}")
    await page.get_by_role("button", name="Look at it").click()
    await expect(page.locator("#request-problem")).to_contain_text("This is no request of an app")
    await page.get_by_label("What the app shows you").fill(json.dumps(asked.to_json()))
    await page.get_by_role("button", name="Look at it").click()
    form = page.locator("#give-form")
    await expect(form).to_contain_text("read and write in photos.example/albums")
    await expect(form.get_by_text("This installs its rules")).to_have_count(1)
    await _look(page, "data-request")
    await form.get_by_role("button", name="Give access").click()
    given = page.get_by_role("region", name="The app has access")
    delegation = json.loads(await given.get_by_label("For the app").input_value())
    assert delegation["connectedDid"] == await device.did() and delegation["delegatePortableDid"]
    await given.get_by_role("button", name="Done").click()
    assert await page.locator("#given-text").input_value() == ""
    app = page.get_by_role("list", name="Who has access").get_by_role("listitem").filter(has_text="Photo frame")
    await expect(app).to_contain_text("May read and write in photos.example/albums")
    await _look(page, "data-access")
    await app.get_by_role("button", name="Take away the access of Photo frame").click()
    await app.get_by_role("button", name="Take away", exact=True).click()
    await expect(app).to_contain_text("Taken away: read")
    await expect(app.get_by_role("button")).to_have_count(0)
    await _connect_by_a_link(device, tmp_path)


async def _connect_by_a_link(device: Device, folder: Path) -> None:
    """An app that asks by a link gets access once the person has typed the PIN into it."""
    page, pins = device.page, asyncio.Queue[str]()
    links = asyncio.Queue[str]()

    async def ask_pin(wrong: int) -> str:
        return await pins.get()

    wallet = WalletConnect(
        display_name="Frame on the wall",
        permissions=[ProtocolPermissions(PHOTOS, ["read"])],
        server=f"{device.url}dwn0/connect",
        wallet_uri=device.url,
        on_uri=links.put_nowait,
        ask_pin=ask_pin,
    )
    options = {"did_dht_gateways": [f"{device.url}dht"], "dwn_endpoints": [], "allow_local": True}
    connecting = asyncio.create_task(Web5.connect(wallet=wallet, data_path=folder / "app", sync="off", **options))
    await page.get_by_role("button", name="Give an app access").click()
    await page.get_by_label("What the app shows you").fill(await links.get())
    await page.get_by_role("button", name="Look at it").click()
    form = page.locator("#give-form")
    await expect(form).to_contain_text("read in photos.example/albums")
    await expect(form).to_contain_text("a PIN that you will see here")
    await _look(page, "data-link")
    await form.get_by_role("button", name="Give access").click()
    shown = page.get_by_label("PIN", exact=True)
    await expect(shown).to_have_text(re.compile(r"^\d{4}$"))
    await expect(page.get_by_role("button", name="Save as a file")).to_have_count(0)
    await _look(page, "data-pin")
    pins.put_nowait(await shown.inner_text())
    async with await connecting as web5:
        assert web5.connected_did == await device.did()
    await page.get_by_role("region", name="The app has access").get_by_role("button", name="Done").click()
    assert await page.locator("#given-pin").inner_text() == ""
    await expect(page.get_by_role("list", name="Who has access")).to_contain_text("Frame on the wall")
