"""A world for the browser tests: a site, two remote nodes on two servers, a gateway, and devices that open the page."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import BrowserContext, ConsoleMessage, Locator, Page, expect

from tests.browser.processes import Server, embedded, free_port, remote_node
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose.jws import MessageSigner
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dwn import compose
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

PATIENCE = 60_000
"""Milliseconds for what a person would call at once, on a machine that does other things too: all waits have them."""

expect.set_options(timeout=PATIENCE)

NOTES = {"dataFormat": "text/plain", "schema": "https://schema.org/TextDigitalDocument"}

SETTLED = """async () => {
  const { endpoints, syncing } = JSON.parse(await web5Ask("state"));
  return !syncing && endpoints.every((node) => node.pending_out + node.pending_in === 0);
}"""
"""True once the agent has nothing to send or to fetch; the header says so a tenth of a second later."""
FILL = """count => {
  const texts = Array.from({ length: count }, (_, number) => `note ${number}`);
  const write = (text, number) =>
    web5Ask("create_note", JSON.stringify({ text, created: Date.now() * 1000 + number })).then(() => text);
  return Promise.all(texts.map(write));
}"""


@dataclass
class World:
    """What runs on this machine for the tests.

    Parameters:
        origin: the address of the site, which also serves the first node and the gateway.
        third_endpoint: a node on the first server, which the site does not name.
        folder: where the servers keep what they have.
        second: the other node's server.
    """

    origin: str
    first_endpoint: str
    second_endpoint: str
    third_endpoint: str
    site: Path
    folder: Path
    main: Server
    second: Server

    @property
    def endpoints(self) -> list[str]:
        return [self.first_endpoint, self.second_endpoint]

    @contextmanager
    def deployed(self, files: Mapping[str, str]) -> Iterator[None]:
        """Serve other files of the site for the time of the block.

        Unlike a route of Playwright's, that leaves the browser's cache at work.

        Parameters:
            files: their texts by their paths in the site.
        """
        paths = {self.site / name: text for name, text in files.items()}
        before = {path: path.read_text() for path in paths if path.exists()}
        try:
            for path, text in paths.items():
                path.unlink(missing_ok=True)  # it may be a link to the built site's
                path.write_text(text)
            yield
        finally:
            for path in paths:
                path.unlink(missing_ok=True)
            for path, text in before.items():
                path.write_text(text)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[World]:
        """Both servers run, until the end of the block."""
        try:
            await self.main.start()
            await self.second.start()
            yield self
        finally:
            await self.second.stop()
            await self.main.stop()


def make_world(built: Path, folder: Path, terms: Path | None = None, *, invited: bool = False) -> World:
    """Prepare a copy of the built site whose config.json names two nodes on two servers; nothing runs yet.

    Parameters:
        terms: a file with the terms of service of the second node; None: it serves everybody.
        invited: True: it takes those who were invited alone.
    """
    port, second_port = free_port(), free_port()
    origin = f"http://127.0.0.1:{port}"
    first, second = f"{origin}/dwn0", f"http://127.0.0.1:{second_port}/dwn"
    site = copy_site(built, folder / "site", {"dwn_endpoints": ["dwn0", second], "did_dht_gateways": ["dht"]})
    return World(
        origin=origin + "/",
        first_endpoint=first,
        second_endpoint=second,
        third_endpoint=f"{origin}/dwn1",
        site=site,
        folder=folder,
        main=embedded(port, site, folder / "main"),
        second=remote_node(second_port, folder / "second", f"{origin}/dht", terms, invited=invited),
    )


def copy_site(built: Path, target: Path, config: dict[str, Any]) -> Path:
    """The built site, by hard links where possible, with a config.json of its own."""
    shutil.copytree(built, target, copy_function=_link)
    (target / "config.json").unlink(missing_ok=True)
    (target / "config.json").write_text(json.dumps(config))
    return target


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


class Device:
    """A browser context, and a page on it: what one person uses in one place.

    Parameters:
        texts: the page's texts by their English, where it speaks another language.
    """

    def __init__(self, context: BrowserContext, url: str, texts: Mapping[str, str] | None = None) -> None:
        self.context = context
        self.url = url
        self._texts = texts or {}
        self.complaints: list[str] = []
        self.page: Page

    def t(self, english: str) -> str:
        """The text that has this English, as the page says it; what is none of its texts is as it was."""
        return self._texts.get(english, english)

    async def open(self, *, wait_until: Literal["commit", "load"] = "load") -> Page:
        """Open the page anew; return once it has loaded, before its node is there."""
        self.page = await self.context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        await self.page.goto(self.url, wait_until=wait_until)
        return self.page

    async def ready(self) -> Device:
        """Return when the node answers and the notes are there."""
        await expect(self.page.locator("#boot")).to_be_hidden()
        await expect(self.page.locator("#note-list > li, #notes-empty:not([hidden])").first).to_be_attached()
        return self

    async def at(self, place: str) -> Page:
        """Go to a place of the page by its link, if it is not there; return the page."""
        if await self.page.locator("html").get_attribute("data-place") != place.lower():
            link = self.page.get_by_role("navigation", name=self.t("Places")).get_by_role("link", name=self.t(place))
            await link.click()
            await expect(link).to_have_attribute("aria-current", "page")
        return self.page

    @asynccontextmanager
    async def visiting(self, place: str) -> AsyncIterator[Page]:
        """Go to a place of the page, and in the end back to where it was."""
        before = await self.page.locator("html").get_attribute("data-place") or "notes"
        yield await self.at(place)
        await self.at(before.title())

    async def reload(self) -> None:
        await self.page.reload()
        await self.ready()

    async def ask(self, name: str, **arguments: Any) -> Any:
        """Ask the agent, as the browser's console may."""
        return json.loads(await self.page.evaluate("([n, a]) => web5Ask(n, a)", [name, json.dumps(arguments)]))

    async def type(self, text: str) -> None:
        """Write a note by keyboard, and ask for it to be saved."""
        await self.at("Notes")
        await self.page.fill("#note-text", text)
        await self.page.press("#note-text", "Control+Enter")

    async def write(self, text: str) -> None:
        """Write a note by keyboard and wait until it is saved."""
        await self.type(text)
        await expect(self.note(text)).to_be_visible()
        await expect(self.page.locator("#drafts").get_by_text(text, exact=True)).to_have_count(0)

    async def fill(self, count: int) -> set[str]:
        """Write so many notes, as fast as the agent takes them; their texts."""
        return set(await self.page.evaluate(FILL, count))

    def note(self, text: str) -> Locator:
        """The saved note with exactly this text."""
        return self.page.locator("#note-list > li").filter(has=self.page.get_by_text(text, exact=True))

    async def edit(self, text: str, new: str) -> None:
        await self.at("Notes")
        await self.edit_card(self.note(text), new)
        await expect(self.note(new)).to_be_visible()

    async def edit_card(self, card: Locator, new: str) -> None:
        """Give a note that is shown another text, and wait until it is saved."""
        await card.get_by_role("button", name="Edit").click()
        editor = self.page.get_by_label("Edit note")
        await editor.fill(new)
        await editor.press("Control+Enter")
        await expect(editor).to_have_count(0)

    async def delete(self, text: str) -> None:
        await self.at("Notes")
        await self.delete_note(self.note(text))

    async def delete_note(self, card: Locator) -> None:
        await card.get_by_role("button", name="Delete").click()
        await self.page.locator("#toast").get_by_role("button", name="Dismiss").click()
        await expect(card).to_have_count(0)

    async def shoot(self, path: Path) -> None:
        """Take pictures of the page, as wide as a desk's and a hand's screen, for whoever looks at it."""
        before = self.page.viewport_size
        for width in (1280, 390):
            await self.page.set_viewport_size({"width": width, "height": 900})
            await self.page.screenshot(path=path.with_name(f"{path.name}-{width}.png"))
        if before:
            await self.page.set_viewport_size(before)

    async def sync(self) -> None:
        """Press "Sync now" and wait for the end of the round."""
        async with self.visiting("Nodes"):
            button = self.page.locator("#sync-now")
            await expect(button).to_have_text("Sync now")
            await button.click()
            await expect(button).to_have_text("Sync now")
            await expect(button).to_be_enabled()

    async def summary(self, words: str) -> None:
        """Wait until the header says this; that all is synced, once nothing waits of what was done before."""
        if words == self.t("All synced"):
            await self.page.wait_for_function(SETTLED, polling=100)
        await expect(self.page.locator("#summary-words")).to_have_text(words)

    async def use_new_identity(self) -> None:
        """Make an identity, which has no notes, and use it."""
        known = [one["did"] for one in await self.ask("identities")]
        did = await self.ask("create_identity", called="Another", known=known)
        await self.ask("choose_identity", did=did)
        await self.uses(did)
        await self.at("Notes")
        await expect(self.page.locator("#notes-empty")).to_be_visible()

    async def did(self) -> str:
        return await self.page.locator("#identity").get_attribute("data-did") or ""

    def node(self, endpoint: str) -> Any:
        return self.page.locator(f'[data-endpoint="{endpoint}"]')

    async def export(self, password: str = "") -> str:
        """Export the identity as a person does; the file's text."""
        async with self.visiting("Settings"):
            await self.page.click("#export-open")
            if password:
                await self.page.fill("#export-password", password)
            async with self.page.expect_download() as download:
                await self.page.click("#export-save")
            path = await (await download.value).path()
            return await asyncio.to_thread(path.read_text)

    async def import_(self, exported: str) -> None:
        """Import an identity by pasting it, and wait until the page uses it."""
        did = json.loads(exported)["portableDid"]["uri"]
        async with self.visiting("Settings"):
            await self.page.click("#import-open")
            await self.page.fill("#import-text", exported)
            await self.page.click("#import-save")
            await self.uses(did)

    async def uses(self, did: str) -> None:
        """Wait until the page uses this identity."""
        await expect(self.page.locator("#identity")).to_have_attribute("data-did", did)

    def identity(self, name: str) -> Any:
        """The identity of that name in the panel."""
        return self.page.locator("#identity-list > li").filter(has=self.page.get_by_text(name, exact=True))

    async def words(self, password: str = "") -> str:
        """Look at the recovery phrase, as a person does who writes it down later."""
        async with self.visiting("Settings"):
            await self.page.click("#phrase-open")
            if password:
                await self.page.fill("#reveal-password", password)
            await self.page.click("#reveal-save")
            items = self.page.locator("#phrase-words > li")
            await expect(items).to_have_count(12)
            words = " ".join(await items.all_text_contents())
            await self.page.click("#phrase-later")
            return words

    async def set_password(self, new: str, old: str | None = None) -> None:
        """Type a new password into its dialog, and wait until it is there."""
        async with self.visiting("Settings"):
            await self.page.click("#password-open")
            if old is not None:
                await self.page.fill("#password-old", old)
            await self.page.fill("#password-new", new)
            await self.page.fill("#password-again", new)
            await self.page.click("#password-save")
            await expect(self.page.locator("#password-dialog")).to_be_hidden()
            await expect(self.page.locator("#protection-key")).to_contain_text(self.t("Keys: locked by your password"))

    async def remove_password(self, old: str) -> None:
        """Let the browser protect the keys again, as before there was a password."""
        async with self.visiting("Settings"):
            await self.page.click("#password-open")
            await self.page.fill("#password-old", old)
            await self.page.click("#password-remove")
            await expect(self.page.locator("#password-dialog")).to_be_hidden()
            await expect(self.page.locator("#protection-key")).to_contain_text("whoever can use this browser profile")

    async def is_locked(self) -> None:
        """Wait until the page asks for the password and shows no note."""
        await expect(self.page.locator("#lock-password")).to_be_visible()
        await expect(self.page.locator("#note-list > li")).to_have_count(0)

    async def unlock(self, password: str) -> None:
        """Type the password into the page that asks for it."""
        await self.page.fill("#lock-password", password)
        await self.page.press("#lock-password", "Enter")

    async def reload_locked(self, password: str) -> None:
        """Reload a page that has a password, and unlock it."""
        await self.page.reload()
        await self.is_locked()
        await self.unlock(password)
        await self.ready()

    async def recover(self, words: str, password: str = "") -> None:
        """Fill in the dialog for the words, which is open, and send it."""
        await self.page.fill("#recovery-words", words)
        await self.page.fill("#recovery-new", password)
        await self.page.fill("#recovery-again", password)
        await self.page.click("#recovery-save")

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)


async def texts_held_by(endpoint: str, exported: str) -> set[str]:
    """The notes that a remote node holds for an identity, asked for directly and not through a page."""
    portable = PortableDid.from_wire(json.loads(exported)["portableDid"])
    signer: MessageSigner = await signer_for(portable, CPythonCrypto())
    texts: set[str] = set()
    cursor = None
    http = HttpxHttp()
    try:
        while True:
            query = await compose.records_query(
                signer, SystemClock(), filter=NOTES, pagination={"limit": 100, "cursor": cursor}
            )
            reply = await RemoteDwn(http).process_message(endpoint, portable.uri, query)
            assert reply["status"]["code"] == 200, reply
            for entry in reply["entries"]:
                if "encodedData" in entry:
                    texts.add(b64url_decode(entry["encodedData"]).decode())
                    continue
                read = await compose.records_read(signer, SystemClock(), filter={"recordId": entry["recordId"]})
                found = await RemoteDwn(http).process_message(endpoint, portable.uri, read)
                texts.add((await found["entry"]["data"].read()).decode())
            if not (cursor := reply.get("cursor")):
                return texts
    finally:
        await http.close()
