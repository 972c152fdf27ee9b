"""Other pages: of the same origin, on the channel between the tabs; and of any, with this one in a frame."""

from __future__ import annotations

import asyncio
import functools
import json
import threading
from collections.abc import AsyncIterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from app.service import METHODS, SHARED
from playwright.async_api import Browser, Page, expect

from tests.browser.world import Device, World, copy_site

pytestmark = pytest.mark.asyncio(loop_scope="session")

STRANGER = Path(__file__).with_name("stranger.js").read_text()
PASSWORD = "correct horse \u00fc"
ARGUMENTS: dict[str, dict[str, Any]] = {
    "change_password": {"old": None, "new": "of the stranger"},
    "import_identity": {"text": "{}"},
    "recover": {"words": "abandon " * 11 + "about", "password": "of the stranger"},
    "unlock": {"password": "a guess of the stranger"},
    "add_node": {"url": "https://stranger.example"},
    "remove_node": {"url": "https://stranger.example"},
    "delete_identity": {"did": "did:dht:x"},
    "accept_terms": {"endpoint": "https://stranger.example", "terms_hash": "x"},
    "accept_work": {"endpoint": "https://stranger.example", "hashes": 1},
    "use_invitation": {"endpoint": "https://stranger.example", "code": "of the stranger"},
}


@pytest_asyncio.fixture(loop_scope="session")
async def device(shared_device: Device) -> AsyncIterator[Device]:
    """The same for all; what else is open of its browser is closed after each."""
    yield shared_device
    for page in shared_device.context.pages:
        if page is not shared_device.page:
            await page.close()


async def _stranger(device: Device, world: World) -> Page:
    """Another page of the origin, which knows how our tabs talk."""
    page = await device.context.new_page()
    await page.goto(f"{world.origin}assets/mark.svg")
    await page.evaluate(STRANGER)
    return page


async def _heard(stranger: Page) -> str:
    text: str = await stranger.evaluate("JSON.stringify(heard)")
    return text


async def test_no_message_of_another_page_gets_keys_words_or_sets_a_password(device: Device, world: World) -> None:
    stranger = await _stranger(device, world)
    for name in sorted(METHODS - SHARED):
        answered = await stranger.evaluate("([name, args]) => call(name, args)", [name, ARGUMENTS.get(name, {})])
        assert answered["error"]["message"] == f"No other tab can call '{name}'.", name
        assert "result" not in answered
    shared = await stranger.evaluate("call('state', {})")
    assert json.loads(shared["result"])["ok"]["did"] == await device.did()  # so the calls above did arrive
    await expect(device.page.locator("#protection-key")).to_contain_text("whoever can use this browser profile")
    words = await device.words()
    assert words.split()[0] not in await _heard(stranger)


async def test_no_password_or_key_is_caught_by_a_page_that_claims_to_lead(device: Device, world: World) -> None:
    stranger = await _stranger(device, world)
    await stranger.evaluate("claim()")
    second = Device(device.context, world.origin)
    await second.open()
    await second.ready()
    await stranger.evaluate("claim()")
    await second.set_password(PASSWORD)  # this tab was not the node
    exported = await device.export(PASSWORD)  # nor is this one now
    words = await second.words(PASSWORD)
    await second.at("Settings")
    await second.page.click("#lock-now")
    await device.is_locked()
    await device.unlock(PASSWORD)
    await second.ready()
    await second.at("Notes")
    await device.write("Still one node for all")
    await expect(second.note("Still one node for all")).to_be_visible()

    heard = await _heard(stranger)
    assert "hand over" in heard and "sealed" in heard
    keys = [key["d"] for key in json.loads(exported)["portableDid"]["privateKeys"]]
    secrets = [PASSWORD, json.dumps(PASSWORD)[1:-1], "correct horse", *keys, " ".join(words.split()[:2])]
    assert [secret for secret in secrets if secret in heard] == []
    assert second.complaints == []
    await device.remove_password(PASSWORD)


async def test_a_second_tab_without_a_password_takes_over_to_export(device: Device, world: World) -> None:
    second = Device(device.context, world.origin)
    await second.open()
    await second.ready()
    exported = json.loads(await second.export())
    assert exported["portableDid"]["uri"] == await device.did()
    await device.write("Through the second")
    await expect(second.note("Through the second")).to_be_visible()
    assert second.complaints == []


async def test_garbage_on_the_channels_disturbs_no_page(device: Device, world: World) -> None:
    stranger = await _stranger(device, world)
    posted = ["", "[" * 90_000, "{}", "null", '{"type": "changed", "what": 3}', '{"type": "boot", "step": []}']
    posted += ['{"type": "changed", "what": [], "news": [{"kind": "removed", "endpoint": "\u202e<b>", "total": 1}]}']
    await stranger.evaluate(
        "posted => channels.forEach((one) => [...posted, 7, null, {}].forEach((what) => one.postMessage(what)))", posted
    )
    await device.write("Undisturbed")
    await expect(device.page.locator("#nodes-news")).to_contain_text("is no longer one of your nodes")
    assert await device.page.locator("#nodes-news b").count() == 0


class _Frames(SimpleHTTPRequestHandler):
    """Any static server, and a page that has the site in a frame."""

    def log_message(self, format: str, *args: Any) -> None: ...

    def do_GET(self) -> None:
        frames = self.path.removeprefix("/frames?") if self.path.startswith("/frames?") else None
        if frames is None:
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f'<iframe src="{frames}"></iframe>'.encode())


@pytest_asyncio.fixture(loop_scope="session")
async def static_host(world: World, tmp_path: Path) -> AsyncIterator[str]:
    """The site on a host that sends no headers of ours."""
    site = copy_site(world.site, tmp_path / "site", {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Frames, directory=str(site)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    await asyncio.to_thread(server.shutdown)
    server.server_close()


async def test_in_a_frame_it_starts_nothing(browser: Browser, world: World, static_host: str) -> None:
    context = await browser.new_context(service_workers="block")
    page = await context.new_page()
    for address in (static_host, world.origin):  # a page of its own origin, and one of another
        await page.goto(f"{static_host}frames?{address}")
        frame = page.frames[1]
        if address == static_host:
            await expect(frame.locator("body")).to_have_text(
                "This page does not run inside another one. Open it in a tab of its own."
            )
            assert await frame.evaluate("[typeof web5Link, document.scripts.length]") == ["undefined", 1]
        else:
            assert frame.url == "chrome-error://chromewebdata/"  # the server's headers forbid it
    await context.close()


async def test_who_opens_the_page_has_no_hold_of_it(browser: Browser, world: World) -> None:
    context = await browser.new_context(service_workers="block")
    page = await context.new_page()
    await page.goto(world.first_endpoint)  # of the same origin, and not of the site
    async with context.expect_page() as opened:
        await page.evaluate("window.handle = window.open('/', '_blank'); 0")
    await (await opened.value).wait_for_selector("#boot-words", state="attached")
    assert await page.evaluate("handle.closed")  # which is what a window says that is out of reach
    assert await (await opened.value).evaluate("window.opener") is None
    await context.close()


async def test_the_page_runs_under_its_policy(device: Device, browser: Browser, world: World, static_host: str) -> None:
    response = await device.context.request.get(world.origin)
    policy = response.headers["content-security-policy"]
    for rule in ("default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert rule in policy
    assert "unsafe-inline" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    meta = await device.page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert meta and set(meta.split("; ")) == set(policy.split("; ")) - {"frame-ancestors 'none'"}
    inject = """() => new Promise((resolve) => {
      document.addEventListener("securitypolicyviolation", (event) => resolve(event.effectiveDirective));
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = true'>");
    })"""
    for url in (world.origin, static_host):
        other = await browser.new_context(service_workers="block")
        page = await other.new_page()
        await page.goto(url, wait_until="commit")
        await page.wait_for_selector("#boot-words")
        assert await page.evaluate(inject) == "script-src-attr"
        assert await page.evaluate("window.ran") is None
        assert await page.locator("[onerror]:not(img), [onclick], [style]").count() == 0
        await other.close()
