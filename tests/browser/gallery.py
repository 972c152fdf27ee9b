"""Takes pictures of all screens in their main states: light and dark, on a phone and on a desk. `build.py screenshots`.

They are for whoever changes a screen to look at; no test compares them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from pathlib import Path

from playwright.async_api import async_playwright, expect

from tests.browser.profiles import Profiles
from tests.browser.world import Device, World, make_world
from web5 import DelegationRequest, ProtocolPermissions
from web5_build.paths import DIST, SITE, WEB
from web5_build.site import texts

WIDTHS = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 860}}
SCHEMES = ("light", "dark")
PASSWORD = "correct horse battery"
NOTES = (
    "Buy bread, and the good butter",
    "# Boats\n\nThe ferry leaves at **7:40** from pier 3.",
    "Call Ada about the roof: she knows somebody who knows somebody, and it has to be before the rain comes.",
    "ملاحظة قصيرة بالعربية",
    "An idea for the garden",
)
PHOTOS = {
    "protocol": "https://photos.example/albums",
    "published": True,
    "types": {"album": {}, "photo": {"dataFormats": ["image/jpeg", "image/png"]}, "friend": {}},
    "structure": {
        "friend": {"$role": True},
        "album": {
            "photo": {
                "$actions": [
                    {"role": "friend", "can": ["read", "query", "subscribe"]},
                    {"who": "author", "of": "album", "can": ["create", "delete"]},
                ]
            }
        },
    },
}


def texts_of(language: str) -> dict[str, str]:
    """Return the page's texts in a language by their English, with those of two things as the page writes them."""
    if language == "en":
        return {}
    found = texts.read(texts.languages()[language])
    several = {english: own for english, own in found.items() if texts.BETWEEN in english}
    of_two = {
        english.split(texts.BETWEEN)[1].replace("{n}", "2"): own.split(texts.BETWEEN)[-1].replace("{n}", "2")
        for english, own in several.items()
    }
    return found | of_two


class Gallery:
    """The pictures of one run.

    Parameters:
        only: parts of the names of those that are taken, with commas; "" for all.
        language: of the page, as browsers name it.
    """

    def __init__(self, folder: Path, only: str, language: str = "en") -> None:
        self.folder = folder
        self.names: list[str] = []
        self.language = language
        self.texts = texts_of(language)
        self._only = only

    async def shoot(self, device: Device, name: str) -> None:
        """Take the four pictures of a state."""
        if not any(part in name for part in self._only.split(",")):
            return
        self.names.append(name)
        for width, size in WIDTHS.items():
            await device.page.set_viewport_size(size)  # type: ignore[arg-type]
            for scheme in SCHEMES:
                await device.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
                await device.page.screenshot(path=self.folder / f"{name}-{width}-{scheme}.png", animations="disabled")
        await device.page.emulate_media(color_scheme="light")
        await device.page.set_viewport_size(WIDTHS["desk"])  # type: ignore[arg-type]

    def write_index(self) -> None:
        """Write the page that shows all of them."""
        rows = "".join(
            f"<h2>{escape(name)}</h2><p>"
            + "".join(
                f'<img loading="lazy" alt="{width}, {scheme}" src="{name}-{width}-{scheme}.png">'
                for width in WIDTHS
                for scheme in SCHEMES
            )
            for name in self.names
        )
        style = "body{font:1rem system-ui;margin:2rem;background:#888}img{height:26rem;margin:.5rem;vertical-align:top}"
        page = f"<!doctype html><html lang=en><meta charset=utf-8><title>Screens</title><style>{style}</style>{rows}"
        (self.folder / "index.html").write_text(page)


async def _data(gallery: Gallery, device: Device) -> None:
    page = device.page
    await device.ask("install_protocol", text=json.dumps(PHOTOS))
    for what in ("records", "messages", "protocols", "grants"):
        await page.goto(f"{device.url}#/data/{what}")
        shown = {"protocols": "#protocol-list > li", "grants": "#apps-empty"}.get(what, "#data-rows > li")
        await expect(page.locator(shown).first).to_be_visible()
        if what == "protocols":
            await page.locator("#protocol-list summary").last.click()
        await gallery.shoot(device, f"data-{what}")
    asked = DelegationRequest([ProtocolPermissions(PHOTOS, ["read", "write", "query"])], display_name="Photo frame")
    await page.get_by_role("button", name=device.t("Give an app access")).click()
    await page.fill("#request-text", json.dumps(asked.to_json()))
    await page.click("#request-save")
    await expect(page.locator("#give-form")).to_be_visible()
    await gallery.shoot(device, "data-request")
    await page.click("#give-save")
    await expect(page.locator("#given")).to_be_visible()
    await gallery.shoot(device, "data-given")
    await page.click("#given-close")
    await gallery.shoot(device, "data-access")
    await page.goto(f"{device.url}#/data/records")
    await page.get_by_role("button", name=device.t("All"), exact=True).click()
    await page.locator("#data-order").select_option("createdAscending")
    await expect(page.locator("#data-rows a").first).to_contain_text(NOTES[0])
    await page.locator("#data-rows a").first.click()
    await expect(page.locator("#one-verdict-words")).to_have_text(device.t("Yes."))
    await gallery.shoot(device, "data-message")
    await page.goto(f"{device.url}#/data/messages/bafynowhere")
    await expect(page.locator("#one-gone")).to_be_visible()
    await gallery.shoot(device, "data-gone")


async def _alice(gallery: Gallery, device: Device) -> None:
    """Her first minutes, and what she has then."""
    page = device.page
    await gallery.shoot(device, "first-notes")
    for place in ("Home", "Messages", "Data", "Nodes", "Settings"):
        await device.at(place)
        await gallery.shoot(device, f"first-{place.lower()}")
    for number, text in enumerate(NOTES):
        await device.type(text)
        await expect(page.locator("#note-list > li")).to_have_count(number + 1)
    await device.summary(device.t("All synced"))
    await page.get_by_role("button", name=device.t("Start")).click()
    await gallery.shoot(device, "notes")
    await device.at("Home")
    await expect(page.locator("#home-notes > li")).to_have_count(len(NOTES))
    await gallery.shoot(device, "home")
    await device.at("Notes")
    await device.at("Messages")
    await page.get_by_role("button", name=device.t("Turn on messages")).click()
    await expect(page.get_by_role("heading", name=device.t("Give somebody your address"))).to_be_visible()
    await gallery.shoot(device, "messages-on")
    for place in ("Nodes", "Settings"):
        await device.at(place)
        await gallery.shoot(device, place.lower())


async def _group(gallery: Gallery, alice: Device, bob: Device) -> None:
    """Bob begins a group; she joins, and both write."""
    group = await bob.ask("make_group", called="Sunday on the lake", key="g")
    await bob.ask("add_member", did=group, member=await alice.did())
    await expect(alice.page.get_by_role("button", name=alice.t("Join"))).to_be_visible()
    await gallery.shoot(alice, "messages-invitation")
    await alice.page.get_by_role("button", name=alice.t("Join")).click()
    await expect(alice.page.get_by_role("button", name=alice.t("2 people"))).to_be_visible()
    await bob.ask("send_message", did=group, text="Who brings the bread?", key="3")
    await expect(alice.page.get_by_text("Who brings the bread?", exact=True)).to_be_visible()
    await alice.page.get_by_label(alice.t("Message"), exact=True).fill("I do, and the good butter.")
    await alice.page.keyboard.press("Control+Enter")
    await expect(alice.page.get_by_label(alice.t("Where all of the group can read it"))).to_be_visible()
    await alice.page.get_by_role("button", name=alice.t("2 people")).click()
    await gallery.shoot(alice, "messages-group")


async def _together(gallery: Gallery, alice: Device, bob: Device) -> None:
    """Somebody writes to her, and she answers."""
    await bob.ask("turn_on_messages")
    await bob.ask("send_message", did=await alice.did(), text="Hello, is this Alice?", key="1")
    await bob.ask("send_message", did=await alice.did(), text="It is about the boat on Sunday.", key="2")
    await alice.at("Messages")
    requests = alice.page.get_by_role("region", name=alice.t("Requests"))
    await expect(requests).to_contain_text("the boat on Sunday")
    await gallery.shoot(alice, "messages-request")
    await requests.get_by_role("link").click()
    await gallery.shoot(alice, "messages-stranger")
    await alice.page.get_by_role("button", name=alice.t("Accept")).click()
    await alice.ask("rename_person", did=await bob.did(), called="Bob")
    await expect(alice.page.locator("#conversation-name")).to_have_text("Bob")
    await alice.page.get_by_label(alice.t("Message"), exact=True).fill("Yes! I will be at the pier at half past seven.")
    await alice.page.keyboard.press("Control+Enter")
    await expect(alice.page.get_by_label(alice.t("On their nodes"))).to_be_visible()
    await gallery.shoot(alice, "messages-conversation")
    await bob.ask("tell_person", did=await alice.did(), tells=True)
    await bob.page.goto(f"{bob.url}#/messages/{await alice.did()}")
    read = bob.page.get_by_role("list", name=bob.t("Messages of this conversation"))
    await expect(read.get_by_text("half past seven")).to_be_visible()
    await expect(alice.page.get_by_label(alice.t("Read"), exact=True)).to_be_visible()
    await bob.at("Home")
    picture = {"name": "pier.png", "mimeType": "image/png", "buffer": (WEB / "assets" / "icon-192.png").read_bytes()}
    film = {"name": "the boat.mp4", "mimeType": "video/mp4", "buffer": bytes(2_400_000)}
    await alice.page.get_by_label(alice.t("Files to send")).set_input_files([picture, film])  # type: ignore[list-item]
    await expect(alice.page.get_by_role("img", name="pier.png")).to_be_visible()
    await expect(alice.page.get_by_text(re.compile("Video · 2[.,]4 MB"))).to_be_visible()
    await expect(alice.page.get_by_label(alice.t("On their nodes"))).to_have_count(2)
    await gallery.shoot(alice, "messages-files")
    await _group(gallery, alice, bob)
    await alice.at("Home")
    await expect(alice.page.locator("#home-messages > li")).to_have_count(2)
    await gallery.shoot(alice, "home-messages")


async def _second(gallery: Gallery, alice: Device, phone: Device) -> None:
    """Her phone comes along, and both are on the list and in the picture."""
    await alice.at("Settings")
    await alice.page.get_by_role("button", name=alice.t("Add a device")).click()
    await gallery.shoot(alice, "device-begin")
    await alice.page.get_by_role("button", name=alice.t("Show the code")).click()
    await expect(alice.page.locator("#offer-picture")).to_be_visible()
    await gallery.shoot(alice, "device-code")
    link = await alice.page.get_by_label(alice.t("The same as a text")).input_value()
    await phone.page.get_by_role("button", name=phone.t("Take my other device along")).click()
    await gallery.shoot(phone, "join-begin")
    await phone.page.get_by_label(phone.t("Paste its text")).fill(link)
    await phone.page.get_by_role("button", name=phone.t("Go on")).click()
    await expect(phone.page.locator("#join-number")).not_to_be_empty()
    await gallery.shoot(phone, "join-number")
    await expect(alice.page.locator("#number-form")).to_be_visible()
    await gallery.shoot(alice, "device-number")
    await alice.page.get_by_label(alice.t("Number"), exact=True).fill(
        await phone.page.locator("#join-number").inner_text()
    )
    await alice.page.get_by_role("button", name=alice.t("Let it in"), exact=True).click()
    await expect(alice.page.locator("#offer-end")).to_be_visible()
    await gallery.shoot(alice, "device-end")
    await alice.page.click("#offer-close")
    await expect(phone.page.locator("#join-close")).to_be_visible()
    await gallery.shoot(phone, "join-end")
    await phone.page.click("#join-close")
    await expect(alice.page.locator("#device-list > li")).to_have_count(2)
    await gallery.shoot(alice, "settings-devices")
    await alice.at("Nodes")
    await expect(alice.page.locator("#sky-nodes > li")).to_have_count(3)
    await expect(alice.page.locator("#hour")).to_be_visible()
    await gallery.shoot(alice, "nodes-devices")


async def _moving(gallery: Gallery, device: Device, world: World) -> None:
    """From one node to another, which is interrupted, and goes on."""
    await device.context.route(f"{world.origin}dht/**", lambda route: route.abort())
    await device.at("Nodes")
    await device.node(world.second_endpoint).get_by_text(device.t("Move to another node…")).click()
    await gallery.shoot(device, "move-begin")
    await device.page.fill("#move-url", world.third_endpoint)
    await device.page.click("#move-save")
    await expect(device.page.locator("#move-problem")).to_be_visible()
    await gallery.shoot(device, "move-failed")
    await device.page.keyboard.press("Escape")
    await expect(device.page.locator("#move-note")).to_be_visible()
    await gallery.shoot(device, "move-unfinished")
    await device.context.unroute_all()
    await device.page.click("#move-again")
    await expect(device.page.locator("#move-words")).not_to_be_empty()
    await gallery.shoot(device, "move-end")
    await device.page.click("#move-close")
    await device.ask("move_node", source=world.third_endpoint, target=world.second_endpoint)


async def _troubles(gallery: Gallery, device: Device, world: World) -> None:
    """A node that is down, no network, and a locked vault."""
    await world.second.stop()
    await device.ask("sync_now")
    await device.at("Nodes")
    await gallery.shoot(device, "nodes-down")
    await device.at("Notes")
    await device.type("Written while a node is down")
    await gallery.shoot(device, "notes-down")
    await world.second.start()
    await device.set_password(PASSWORD)
    await device.at("Settings")
    await device.page.click("#lock-now")
    await device.is_locked()
    await gallery.shoot(device, "locked")


async def _take(gallery: Gallery) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with async_playwright() as playwright, make_world(SITE, Path(folder)).running() as world:
            chromium = os.environ["WEB5_CHROMIUM"]
            folders = Path(folder) / "profiles"
            profiles = Profiles(playwright.chromium, chromium, True, world.origin, folders, locale=gallery.language)
            try:
                async with _device(gallery, profiles, world) as alice:
                    await _starting(gallery, world, profiles)
                    await alice.ready()
                    await _alice(gallery, alice)
                    await _data(gallery, alice)
                    async with _device(gallery, profiles, world) as bob:
                        await bob.ready()
                        await _together(gallery, alice, bob)
                    async with _device(gallery, profiles, world) as phone:
                        await phone.ready()
                        await _second(gallery, alice, phone)
                    await _moving(gallery, alice, world)
                    await _troubles(gallery, alice, world)
            finally:
                await profiles.close()


async def _starting(gallery: Gallery, world: World, profiles: Profiles) -> None:
    """What is there before the node is."""
    context = await profiles.lend()
    await context.route("**/*.wasm*", lambda route: route.abort())
    device = Device(context, world.origin)
    await device.open(wait_until="commit")
    await expect(device.page.locator("#boot")).to_be_visible()
    await gallery.shoot(device, "starting")
    await profiles.give_back(context, spoilt=True)


@asynccontextmanager
async def _device(gallery: Gallery, profiles: Profiles, world: World) -> AsyncIterator[Device]:
    device = Device(await profiles.lend(), world.origin, gallery.texts)
    await device.open()
    await device.page.set_viewport_size(WIDTHS["desk"])  # type: ignore[arg-type]
    yield device


def main() -> None:
    """Take the pictures."""
    reader = argparse.ArgumentParser(prog="build.py screenshots", description=__doc__)
    reader.add_argument("--only", default="", help="only states whose name has one of these in it, with commas")
    reader.add_argument("--out", type=Path, default=DIST / "screenshots", help="the folder (dist/screenshots)")
    reader.add_argument("--language", default="en", choices=["en", *texts.languages()], help="of the page (en)")
    options = reader.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    gallery = Gallery(options.out, options.only, options.language)
    asyncio.run(_take(gallery))
    gallery.write_index()
    print(f"{len(gallery.names)} states, four pictures each: {options.out / 'index.html'}")


if __name__ == "__main__":
    main()
