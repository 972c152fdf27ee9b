"""The places of the page: an address for each, the keyboard, the focus, what is wide or narrow, and what axe finds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from playwright.async_api import Browser, expect

from tests.browser.accessibility import faults
from tests.browser.test_hostile_texts import OVERFLOWING
from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACES = ("Home", "Notes", "Messages", "Data", "Nodes", "Settings")
WIDTHS = (320, 360, 768, 1280, 2560)
CHECKED = (("light", 360), ("dark", 1280))


async def test_each_place_has_an_address_that_can_be_sent_reloaded_and_gone_back_to(shared_device: Device) -> None:
    device, page = shared_device, shared_device.page
    for place in (*PLACES, "Notes"):
        await device.at(place)
        assert page.url == f"{device.url}#/{place.lower()}"
        await expect(page.get_by_role("heading", name=place, exact=True, level=2)).to_be_visible()
        assert await page.locator(".screen:visible").count() == 1
        await expect(page).to_have_title("Web5 Notes" if place == "Notes" else f"{place} · Web5 Notes")
    await page.go_back()
    await expect(page.get_by_role("heading", name="Settings", level=2)).to_be_visible()
    await device.reload()
    await expect(page.get_by_role("heading", name="Settings", level=2)).to_be_visible()
    await page.go_back()
    await expect(page.get_by_role("heading", name="Nodes", level=2)).to_be_visible()
    await page.goto(f"{device.url}#/nowhere/at/all")
    await expect(page.get_by_role("heading", name="Notes", level=2)).to_be_visible()


async def test_a_note_has_an_address_of_its_own(empty_device: Device) -> None:
    device, page = empty_device, empty_device.page
    await device.write("one")
    await device.write("the other")
    await device.note("one").get_by_role("link").click()
    alone = page.get_by_role("list", name="The note").get_by_role("listitem")
    await expect(alone).to_have_count(1)
    await expect(alone).to_contain_text("one")
    assert await page.locator(".note:visible").count() == 1
    await device.reload()
    await alone.get_by_role("button", name="Edit").click()
    await page.get_by_label("Edit note").fill("one, edited")
    await page.keyboard.press("Control+Enter")
    await expect(alone).to_contain_text("one, edited")
    await alone.get_by_role("button", name="Delete").click()
    await expect(device.note("the other")).to_be_visible()
    assert page.url == f"{device.url}#/notes"
    await page.go_back()
    await expect(page.get_by_text("That note is not here")).to_be_visible()


async def test_a_place_is_shown_before_the_page_has_its_python(browser: Browser, world: World) -> None:
    context = await browser.new_context(service_workers="block")
    await context.route("**/*.wasm*", lambda route: route.abort())
    page = await context.new_page()
    await page.goto(f"{world.origin}#/settings", wait_until="commit")
    await expect(page.get_by_role("heading", name="Settings", level=2)).to_be_visible()
    await expect(page.get_by_role("heading", name="Welcome")).to_be_hidden()
    await page.get_by_role("link", name="Home").click()
    await expect(page.get_by_role("heading", name="Welcome")).to_be_visible()
    await page.get_by_role("link", name="Nodes").click()
    await expect(page.get_by_role("heading", name="Nodes", level=2)).to_be_visible()
    await expect(page.get_by_role("heading", name="Settings", level=2)).to_be_hidden()
    await context.close()


async def test_everything_can_be_reached_by_keyboard(shared_device: Device) -> None:
    device, page = shared_device, shared_device.page
    await device.at("Notes")
    await page.locator("#main").focus()
    for key, place in (
        ("h", "Home"),
        ("m", "Messages"),
        ("d", "Data"),
        ("o", "Nodes"),
        ("s", "Settings"),
        ("n", "Notes"),
    ):
        await page.keyboard.press("g")
        await page.keyboard.press(key)
        await expect(page.locator("html")).to_have_attribute("data-place", place.lower())
        assert await page.evaluate("document.activeElement.closest('[data-screen]')?.dataset.screen") == place.lower()
    await page.keyboard.press("n")
    await expect(page.get_by_label("New note")).to_be_focused()
    await page.keyboard.press("g")  # which is a letter here
    await page.keyboard.press("m")
    await expect(page.get_by_label("New note")).to_have_value("gm")
    await expect(page.locator("html")).to_have_attribute("data-place", "notes")
    await page.fill("#note-text", "")
    await page.locator("#main").focus()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Keyboard")).to_be_hidden()
    await expect(page.locator("#main")).to_be_focused()
    await page.locator("#note-text").focus()
    await page.evaluate("location.hash = '#/nodes'")
    await expect(page.get_by_role("heading", name="Nodes", level=2)).to_be_focused()
    await page.go_back()
    await expect(page.locator("#note-text")).to_be_focused()


async def test_nothing_is_cut_off_at_any_width_and_axe_finds_nothing(shared_device: Device) -> None:
    page = shared_device.page
    pictures = os.environ.get("WEB5_PICTURES")
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 740 if width < 700 else 800})
            for place in PLACES:
                await shared_device.at(place)
                assert await page.evaluate(OVERFLOWING) == [], (width, place)
                if (scheme, width) in CHECKED:
                    assert await faults(page) == [], (scheme, width, place)
                if pictures:
                    await page.screenshot(path=Path(pictures) / f"{place.lower()}-{width}-{scheme}.png")
    await page.emulate_media(color_scheme="light")
    await page.set_viewport_size({"width": 1280, "height": 720})


async def test_the_link_past_the_places_leads_to_the_content_and_leaves_the_address(shared_device: Device) -> None:
    page = shared_device.page
    await shared_device.at("Nodes")
    await page.locator("#skip").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#main")).to_be_focused()
    assert page.url.endswith("#/nodes")


async def test_home_says_what_is_new_and_what_needs_the_person(shared_device: Device) -> None:
    device, page = shared_device, shared_device.page
    await device.use_new_identity()
    welcome = page.get_by_role("region", name="Welcome to a place of your own")
    await expect(welcome).to_be_visible()
    await device.at("Home")
    await expect(welcome).to_be_visible()
    steps, needs = page.get_by_role("region", name="First steps"), page.get_by_role("region", name="What needs you")
    await expect(needs).to_contain_text("Your twelve words are not on paper")
    await expect(steps).not_to_contain_text("Done")
    await welcome.get_by_role("button", name="I have my words").click()
    await expect(page.get_by_role("dialog", name="Bring back your identities")).to_be_visible()
    await page.keyboard.press("Escape")
    await welcome.get_by_role("button", name="Start").click()
    await expect(page.get_by_label("New note")).to_be_focused()
    await expect(welcome).to_be_hidden()
    await device.type("# The first\n\nand more")
    await expect(page.get_by_role("heading", name="The first")).to_be_visible()
    await device.at("Home")
    newest = page.get_by_role("region", name="Newest notes")
    await expect(newest.get_by_role("listitem")).to_have_count(1)
    await expect(steps).to_contain_text("Done: Write something")
    await expect(page.get_by_role("region", name="Where everything is")).to_contain_text("and on 2 nodes. All synced.")
    await device.ask("create_note", text="Another, from elsewhere" + ", and on" * 30, created=2_000_000_000_000_000)
    await expect(newest.get_by_role("listitem").first).to_contain_text("from elsewhere")
    await page.set_viewport_size({"width": 320, "height": 740})
    assert await page.evaluate(OVERFLOWING) == []
    assert await faults(page) == []
    await page.set_viewport_size({"width": 1280, "height": 720})
    await newest.get_by_role("link", name="The first and more").click()
    await expect(page.get_by_role("list", name="The note").get_by_role("listitem")).to_contain_text("The first")
    await device.reload()
    await device.at("Notes")
    await expect(welcome).to_be_hidden()
