"""The page in German: in a browser that asks for it, or where it was chosen; and texts that are long, or turn."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.world import Device, World
from web5_build.site import texts

pytestmark = pytest.mark.asyncio(loop_scope="session")

GERMAN = texts.read(texts.languages()["de"])


@pytest_asyncio.fixture(loop_scope="session")
async def german(browser: Browser, world: World) -> AsyncIterator[Device]:
    """A device whose browser asks for German."""
    context = await browser.new_context(locale="de-DE", service_workers="block")
    device = Device(context, world.origin)
    await device.open()
    yield await device.ready()
    assert device.complaints == []
    await context.close()


async def test_it_speaks_the_language_of_the_browser(german: Device) -> None:
    page = german.page
    await expect(page.locator("html")).to_have_attribute("lang", "de")
    await page.get_by_label("Neue Notiz").fill("Brot kaufen")
    await page.get_by_role("button", name="Notiz sichern").click()
    await expect(page.locator("#note-list time")).to_have_text(re.compile("gerade eben|vor .* Sekunden?"))
    await expect(page.locator("#summary-words")).to_have_text("Alles abgeglichen")
    await page.get_by_role("navigation", name="Orte").get_by_role("link", name="Einstellungen").click()
    await expect(page).to_have_title("Einstellungen · Web5 Notes")


async def test_another_language_is_chosen(german: Device) -> None:
    page = german.page
    await page.get_by_label("Neue Notiz").fill("Noch nicht fertig")
    await page.get_by_role("navigation", name="Orte").get_by_role("link", name="Einstellungen").click()
    await page.get_by_label("Sprache").select_option(label="English")
    await expect(page.get_by_label("Language")).to_have_value("en")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    await page.get_by_role("navigation", name="Places").get_by_role("link", name="Notes").click()
    await expect(page.get_by_label("New note")).to_have_value("Noch nicht fertig")
