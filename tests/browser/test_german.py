"""The page in German: in a browser that asks for it, or where it was chosen; and texts that are long, or turn."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.conftest import NewDevice
from tests.browser.gallery import PHOTOS
from tests.browser.german import left
from tests.browser.test_hostile_texts import OVERFLOWING
from tests.browser.world import Device, World
from web5 import DelegationRequest, ProtocolPermissions

pytestmark = pytest.mark.asyncio(loop_scope="session")

PLACES = ("home", "notes", "messages", "data", "nodes", "settings")
DATA = {
    "records": "#data-rows > li",
    "messages": "#data-rows > li",
    "protocols": "#protocol-list > li, #protocols-empty",
    "grants": "#request-open",
}
SETTLED = """() => [...document.querySelectorAll("#home-wait, #messages-wait, #data-wait")]
  .every((one) => one.hidden || !one.checkVisibility())"""
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC = "مرحبا"
RIGHT_TO_LEFT = f"{ARABIC} שלום \u200f" + "ملاحظةطويلةجدا" * 6
STRANGER = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


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


async def test_no_screen_has_english_left(german: Device, new_device: NewDevice) -> None:
    page = german.page
    assert await left(page) == []
    await german.ask(
        "create_note", text="# Boote\n\nDie Fähre legt um **7:40** ab. #hafen", created=1_700_000_000_000_000
    )
    card = page.locator("#note-list > li").first
    await card.get_by_role("button", name="Teilen").click()
    await card.get_by_role("button", name="Veröffentlichen").click()
    await expect(card.get_by_role("button", name="Zurückziehen")).to_be_visible()
    await card.get_by_role("button", name="Bearbeiten").click()
    await page.get_by_label("Notizen durchsuchen").fill("Boote")
    await expect(page.locator("#note-found")).to_have_text("1 Notiz gefunden")
    assert await left(page) == []
    for place in PLACES:
        await page.goto(f"{german.url}#/{place}")
        await expect(page.locator(f'[data-screen="{place}"]')).to_be_visible()
        await page.wait_for_function(SETTLED)
        assert await left(page) == [], place
    await page.goto(f"{german.url}#/nodes")
    await page.click("#compare")
    await expect(page.locator("#nodes-news")).to_contain_text("dieselben")
    assert await left(page) == []

    other = await (await new_device()).ready()
    await other.ask("turn_on_messages")
    await german.ask("turn_on_messages")
    me = await german.did()
    await other.ask("send_message", did=me, text="Hallo, bist du das?", key="1")
    await page.goto(f"{german.url}#/messages")
    await page.get_by_role("region", name="Anfragen").get_by_role("link").click()
    await expect(page.locator("#judge-words")).to_contain_text("schreibt dir zum ersten Mal")
    assert await left(page) == []
    await page.get_by_role("button", name="Annehmen").click()
    await page.get_by_label("Nachricht", exact=True).fill("Ja!")
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Auf den Knoten des Gegenübers")).to_be_visible()
    assert await left(page) == []


async def test_no_dialog_has_english_left(german: Device) -> None:
    page = german.page
    await page.goto(f"{german.url}#/settings")
    for opens in ("export", "import", "name", "phrase", "password", "recovery", "keys"):
        await page.click(f"#{opens}-open")
        await expect(page.locator("dialog[open]")).to_be_visible()
        assert await left(page) == [], opens
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open]")).to_have_count(0)
    await page.click("#import-open")
    await page.fill("#import-text", "keine")
    await page.click("#import-save")
    await expect(page.locator("#import-problem")).to_contain_text("Das ist keine exportierte Identität")
    assert await left(page) == []


async def test_data_have_no_english_left(german: Device) -> None:
    page = german.page
    await german.ask("create_note", text="Brot", created=1_700_000_000_000_000)
    for what, shown in DATA.items():
        await page.goto(f"{german.url}#/data/{what}")
        await expect(page.locator(shown).first).to_be_visible()
        assert await left(page) == [], what
    await page.goto(f"{german.url}#/data/grants")
    asked = DelegationRequest([ProtocolPermissions(PHOTOS, ["read", "write", "query"])], display_name="Bilderrahmen")
    await page.get_by_role("button", name="Einer App Zugriff geben").click()
    await page.fill("#request-text", "kein JSON")
    await page.click("#request-save")
    await expect(page.locator("#request-problem")).to_contain_text("Das ist nicht die Anfrage einer App")
    await page.fill("#request-text", json.dumps(asked.to_json()))
    await page.click("#request-save")
    await expect(page.locator("#give-asks")).to_contain_text("lesen, schreiben und suchen")
    assert await left(page) == []
    await page.click("#give-save")
    await expect(page.locator("#given")).to_be_visible()
    assert await left(page) == []
    await page.goto(f"{german.url}#/data/records")
    await page.locator("#data-rows a").first.click()
    await expect(page.locator("#one-verdict-words")).to_have_text("Ja.")
    assert await left(page) == []


async def test_the_playground_has_no_english_left(german: Device) -> None:
    page = german.page
    await page.goto(f"{german.url}playground/index.html")
    await expect(page.get_by_role("button", name="Ausführen")).to_be_enabled()
    assert await left(page) == []
    await expect(page).to_have_title("Spielwiese · Web5 Notes")


async def test_long_names_and_those_that_run_to_the_left_stay_in_a_narrow_page(german: Device) -> None:
    page = german.page
    for number, text in enumerate((LONG, RIGHT_TO_LEFT, f"# {LONG}\n\n#{LONG} #{ARABIC}\n\n- {RIGHT_TO_LEFT}")):
        await german.ask("create_note", text=text, created=1_700_000_000_000_000 + number)
    did = await german.ask("create_identity", called=LONG[:60], known=[])
    await german.ask("create_identity", called=RIGHT_TO_LEFT[:60], known=[did, await german.did()])
    await german.ask("add_node", url=f"http://127.0.0.1:9/{LONG}")
    await german.ask("install_protocol", text=json.dumps({**PHOTOS, "protocol": f"https://{LONG}.example/{LONG}"}))
    await german.ask("turn_on_messages")
    await german.ask("judge_person", did=STRANGER, standing="accepted")
    await german.ask("rename_person", did=STRANGER, called=LONG[:60])
    await page.set_viewport_size({"width": 320, "height": 640})
    for place in (*PLACES, *(f"data/{one}" for one in DATA), f"messages/{STRANGER}"):
        await page.goto(f"{german.url}#/{place}")
        await expect(page.locator(f'[data-screen="{place.split("/")[0]}"]')).to_be_visible()
        await page.wait_for_function(SETTLED)
        assert await page.evaluate(OVERFLOWING) == [], place
    await page.goto(f"{german.url}#/settings")
    for opens in ("export", "import", "name", "phrase", "password", "recovery", "keys"):
        await page.click(f"#{opens}-open")
        await expect(page.locator("dialog[open]")).to_be_visible()
        assert await page.evaluate(OVERFLOWING) == [], opens
        await page.keyboard.press("Escape")
