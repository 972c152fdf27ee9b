"""The page without a network, and newer versions of it: what web/service-worker.js keeps, and when it is used."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, expect

from tests.browser.processes import Server, free_port, plain_files
from tests.browser.world import Device, World, copy_site
from web5_build.packages import bundles
from web5_build.site import compressed, offline

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEPT = "This page opens without a network, too."
NEWER = "A newer version of this page is ready"
WAITS = "navigator.serviceWorker.getRegistration().then(found => !!found.waiting)"
LOOK = "navigator.serviceWorker.getRegistration().then(found => found.update())"
HOLE = """async name => {
  for (const key of await caches.keys()) {
    const cache = await caches.open(key);
    for (const { url } of await cache.keys()) if (url.endsWith(name)) await cache.delete(url);
  }
}"""
"""What takes a file out of all that is kept."""
DEAF = """
Object.defineProperty(ServiceWorkerContainer.prototype, "ready", { get: () => new Promise(() => {}) });
ServiceWorker.prototype.addEventListener = () => {};
"""
"""A browser that does not say how far its service worker is."""


@dataclass
class Deployed:
    """A site on a server of its own, and a browser that keeps it."""

    site: Path
    server: Server
    context: BrowserContext
    url: str

    async def tab(self) -> Device:
        device = Device(self.context, self.url)
        await device.open()
        return await device.ready()

    async def kept(self) -> Device:
        """Open the page for the first time, and wait until it is kept."""
        device = await self.tab()
        async with device.visiting("Settings"):
            await expect(device.page.get_by_text(KEPT)).to_be_visible()
        return device

    async def go_offline(self) -> None:
        """Stop the server and cut off the pages: the browser reaches nothing any more."""
        await self.server.stop()
        await self.context.set_offline(True)

    async def come_back(self) -> None:
        await self.server.start()
        await self.context.set_offline(False)

    def deploy(self, title: str) -> None:
        """Put a newer version in the place of the site's, known by its title, in the page and in its Python."""
        for name in ("agent.mjs", "link.js"):
            built = self.site / "boot" / name
            _replace(built, re.sub(r"(?<=built:)\d+", lambda found: str(int(found[0]) + 1), built.read_text()))
        page = self.site / "index.html"
        _replace(page, page.read_text().replace("<title>Web5 Notes</title>", f"<title>{title}</title>"))
        self._change_python("ui/problems.py", "A newer version", f"{title}: a newer version")
        offline.write(self.site)

    def _change_python(self, name: str, old: str, new: str) -> None:
        """Replace some of the page's Python, whose archive has another name then, by which the page knows it."""
        (before,) = (self.site / "boot").glob("ui.*.zip.gz")
        with zipfile.ZipFile(io.BytesIO(compressed.content(before))) as archive:
            members = {member: archive.read(member) for member in archive.namelist()}
        members[name] = members[name].replace(old.encode(), new.encode())
        packed = io.BytesIO()
        bundles.write_stored(packed, members)
        named = f"ui.{hashlib.sha256(packed.getvalue()).hexdigest()[:16]}.zip"
        after = compressed.write(packed.getvalue(), before.with_name(named))
        before.unlink()
        shell = self.site / "boot" / "micropython.mjs"
        described = f'{after.name}",bytes:{after.stat().st_size}'
        _replace(shell, re.sub(rf'{re.escape(before.name)}",bytes:\d+', described, shell.read_text()))


def _replace(path: Path, text: str) -> None:
    assert text != path.read_text(), path
    path.unlink()  # it may be a link to the built site's
    path.write_text(text)


@pytest_asyncio.fixture(loop_scope="session")
async def deployed(browser: Browser, world: World, tmp_path: Path) -> AsyncIterator[Deployed]:
    config = {"dwn_endpoints": world.endpoints, "did_dht_gateways": [f"{world.origin}dht"]}
    site = copy_site(world.site, tmp_path / "site", config)
    port = free_port()
    server = plain_files(port, site)
    await server.start()
    context = await browser.new_context()
    try:
        yield Deployed(site, server, context, f"http://127.0.0.1:{port}/")
    finally:
        await context.close()
        await server.stop()


async def test_german_is_there_without_a_network(deployed: Deployed) -> None:
    await deployed.context.add_init_script("localStorage.setItem('web5-language', 'de')")
    device = await deployed.tab()
    await device.page.goto(f"{deployed.url}#/settings")
    await expect(device.page.get_by_text("Diese Seite öffnet sich auch ohne Netz.")).to_be_visible()
    await deployed.go_offline()
    await device.page.reload()
    await expect(device.page.locator("html")).to_have_attribute("lang", "de")
    await expect(device.page.get_by_role("heading", name="Einstellungen")).to_be_visible()


async def test_all_works_without_a_network_after_one_visit(deployed: Deployed) -> None:
    device = await deployed.kept()
    await device.write("with a network")
    await device.summary("All synced")
    await deployed.go_offline()

    await device.reload()
    await expect(device.note("with a network")).to_be_visible()
    await device.write("without one")
    second = await deployed.tab()
    await expect(second.note("without one")).to_be_visible()
    await second.write("in a second tab")
    await device.page.close()
    await second.reload()
    await expect(second.note("in a second tab")).to_be_visible()

    await deployed.come_back()
    await second.sync()
    await second.summary("All synced")
    assert second.complaints == []


async def test_what_could_not_be_kept_is_tried_again(deployed: Deployed) -> None:
    icon = deployed.site / "assets" / "icon-512.png"
    content = icon.read_bytes()
    icon.unlink()
    device = Device(deployed.context, deployed.url)
    async with deployed.context.expect_console_message(lambda said: "It is tried again" in said.text):
        await device.open()
    await device.ready()
    icon.write_bytes(content)
    await device.at("Settings")
    await expect(device.page.get_by_text(KEPT)).to_be_visible()


async def test_a_page_finds_out_that_it_is_kept_where_the_browser_does_not_say_so(deployed: Deployed) -> None:
    await deployed.context.add_init_script(DEAF)
    await deployed.kept()


async def test_a_newer_version_is_fetched_offered_and_taken_when_the_person_says_so(deployed: Deployed) -> None:
    first, second = await deployed.kept(), await deployed.tab()
    deployed.deploy("Notes of tomorrow")
    await first.page.evaluate(LOOK)
    await expect(first.page.get_by_text(NEWER)).to_be_visible()

    await second.reload()  # it has not been said
    assert await second.page.title() == "Web5 Notes"
    await expect(second.page.get_by_text(NEWER)).to_be_visible()

    async with first.page.expect_navigation():
        await first.page.locator("#banners").get_by_role("button", name="Reload").click()
    await first.ready()
    assert await first.page.title() == "Notes of tomorrow"
    await first.write("by the newer version")

    banner = second.page.locator("#banners > *", has_text="A newer version of this page has your notes")
    await expect(banner).to_be_visible()
    assert await second.page.title() == "Web5 Notes"  # all of it is of the version that it began with
    async with second.page.expect_navigation():
        await banner.get_by_role("button", name="Reload").click()
    await second.ready()
    assert await second.page.title() == "Notes of tomorrow"
    await expect(second.note("by the newer version")).to_be_visible()


async def test_a_newer_version_that_was_not_fetched_whole_is_not_used(deployed: Deployed) -> None:
    device = await deployed.kept()
    deployed.deploy("Notes of tomorrow")
    late = deployed.site / "style.css"  # not what the newer version says it is: a server in the middle of a change
    whole = late.read_text()
    _replace(late, whole + "\n/* half */")

    await device.page.evaluate(
        """async () => {
          const registration = await navigator.serviceWorker.getRegistration();
          const ended = new Promise((resolve) => registration.addEventListener("updatefound", () => {
            const coming = registration.installing;
            coming.addEventListener("statechange", () => coming.state === "redundant" && resolve());
          }));
          await registration.update();
          await ended;
        }"""
    )
    assert not await device.page.evaluate(WAITS)
    await device.reload()
    assert await device.page.title() == "Web5 Notes"

    await deployed.go_offline()
    await device.reload()
    assert await device.page.title() == "Web5 Notes"
    await deployed.come_back()

    _replace(late, whole)
    await device.page.evaluate(LOOK)
    await expect(device.page.get_by_text(NEWER)).to_be_visible()


async def test_what_is_kept_and_not_whole_is_not_mixed_with_a_newer_version(deployed: Deployed) -> None:
    device = await deployed.kept()
    await device.write("a note")
    deployed.deploy("Notes of tomorrow")
    await device.page.evaluate(HOLE, "style.css")
    await device.reload()  # the whole of it comes from the server
    assert await device.page.title() == "Notes of tomorrow"
    await expect(device.note("a note")).to_be_visible()
    assert device.complaints == []


async def test_a_page_that_embeds_the_wheel_is_not_kept(deployed: Deployed) -> None:
    page = await deployed.context.new_page()
    await page.goto(f"{deployed.url}examples/hello.html")
    await expect(page.locator("#note")).to_have_text("Hello, Web5")
    assert await page.evaluate("navigator.serviceWorker.getRegistrations().then(found => found.length)") == 0
    assert await page.evaluate("caches.keys()") == []


async def test_the_page_can_be_installed(deployed: Deployed) -> None:
    device = await deployed.kept()
    session = await deployed.context.new_cdp_session(device.page)
    found = await session.send("Page.getInstallabilityErrors")
    assert [one["errorId"] for one in found["installabilityErrors"] if one["errorId"] != "in-incognito"] == []
    manifest = await session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["url"].endswith("manifest.webmanifest")
