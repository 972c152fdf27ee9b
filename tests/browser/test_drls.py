"""Records by their addresses, https://dweb/{did}/…: shown by any page of the site, through the service worker."""

from __future__ import annotations

import asyncio
import json
import struct
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import NewDevice
from tests.browser.test_published_content import MARKUP, PROGRAM, SVG, png
from tests.browser.world import PATIENCE, Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "correct horse battery"
CONTROLLED = "() => navigator.serviceWorker.controller !== null"
SHOW = """async address => {
  const image = new Image();
  image.src = address;
  document.body.append(image);
  await new Promise(done => image.onload = image.onerror = done);
  return [image.naturalWidth, image.naturalHeight];
}"""
SIZE = "[document.images[0].naturalWidth, document.images[0].naturalHeight]"
FETCH = """async ([address, headers]) => {
  const response = await fetch(address, { headers, cache: "no-store" });
  const bytes = new Uint8Array(await response.arrayBuffer());
  let sum = 0;
  for (const byte of bytes) sum = (sum * 31 + byte) % 1000003;
  return { status: response.status, headers: Object.fromEntries(response.headers), size: bytes.length, sum,
           text: new TextDecoder().decode(bytes.subarray(0, 300)) };
}"""
CREATE = """
import agent, json
from base64 import b64decode
session, _ = agent.opening.result()
record = await session.web5.dwn.records.create(b64decode({data!r}) * {times}, **json.loads({options!r}))
record.drl
"""
TEXT = "address => fetch(address).then(response => response.text())"
SEEK = """async address => {
  const sound = new Audio();
  const heard = name => new Promise((done, failed) => {
    sound.addEventListener(name, done, { once: true });
    sound.addEventListener("error", () => failed(sound.error), { once: true });
  });
  sound.preload = "auto";
  const loaded = heard("loadedmetadata");
  sound.src = address;
  await loaded;
  const sought = heard("seeked");
  sound.currentTime = 250;
  await sought;
  return [sound.duration, sound.currentTime];
}"""
MANY = """address => Promise.all(Array.from({ length: 60 }, async () => {
  const reader = (await fetch(address)).body.getReader();
  let size = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return size;
    size += value.length;
  }
}))"""
ADD = """async ([name, address]) => {
  const element = document.createElement(name);
  if (name === "link") element.rel = "stylesheet";
  element[{ link: "href", object: "data" }[name] ?? "src"] = address;
  const ended = new Promise(done => element.onload = element.onerror = done);
  document.body.append(element);
  if (name === "script" || name === "link") await ended;
}"""
LARGE = 3_000_000


def summed(data: bytes) -> int:
    total = 0
    for byte in data:
        total = (total * 31 + byte) % 1000003
    return total


@dataclass
class Place:
    """A browser that has the site's service worker, and its first page."""

    context: BrowserContext
    device: Device

    async def create(self, data: bytes, times: int = 1, **options: Any) -> str:
        """Have the node of the page keep a record; its DRL."""
        program = CREATE.format(data=b64encode(data).decode(), times=times, options=json.dumps(options))
        for worker in self.device.page.workers:
            if worker.url.endswith("boot/agent.mjs"):
                drl: str = await worker.evaluate("program => pyodide.runPythonAsync(program)", program)
                return drl
        raise AssertionError("this page is not the node")

    async def page(self, path: str) -> Page:
        """Open another page of the site."""
        page = await self.context.new_page()
        page.set_default_timeout(PATIENCE)
        await page.goto(self.device.url + path)
        await page.wait_for_function(CONTROLLED)
        return page


async def fetched(page: Page, address: str, **headers: str) -> dict[str, Any]:
    found: dict[str, Any] = await page.evaluate(FETCH, [address, headers])
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(browser: Browser, world: World) -> AsyncIterator[Place]:
    context = await browser.new_context()
    device = Device(context, world.origin)
    await device.open()
    await device.ready()
    await device.page.wait_for_function(CONTROLLED, timeout=PATIENCE)
    yield Place(context, device)
    await context.close()
    assert device.complaints == []


async def test_an_own_private_encrypted_record_is_a_picture_on_any_page_of_the_site(place: Place) -> None:
    drl = await place.create(png(7, 5), data_format="image/png", encryption=True)
    assert await place.device.page.evaluate(SHOW, drl) == [7, 5]
    other = await place.page("licences/index.html")
    assert await other.evaluate(SHOW, drl) == [7, 5]
    found = await fetched(other, drl)
    assert (found["status"], found["headers"]["content-type"]) == (200, "image/png")
    assert found["headers"]["x-content-type-options"] == "nosniff"
    assert "sandbox" in found["headers"]["content-security-policy"]
    await other.close()


async def test_a_published_record_of_somebody_else_is_shown(place: Place, new_device: NewDevice, world: World) -> None:
    bob = await (await new_device()).ready()
    theirs = Place(bob.context, bob)
    drl = await theirs.create(png(4, 3), data_format="image/png", published=True)
    private = await theirs.create(png(4, 3), data_format="image/png")
    large = await theirs.create(bytes(range(256)), LARGE // 256, data_format="video/mp4", published=True)
    await bob.sync()
    page = place.device.page
    assert await page.evaluate(SHOW, drl) == [4, 3]
    assert (await fetched(page, private))["status"] == 404
    part = await fetched(page, large, range=f"bytes={LARGE - LARGE % 256 - 100}-")
    assert (part["status"], part["size"]) == (206, 100)
    assert part["sum"] == summed((bytes(range(256)) * 2)[-100:])
    document = await fetched(page, f"https://dweb/{await bob.did()}")
    assert json.loads(await page.evaluate(TEXT, f"https://dweb/{await bob.did()}"))["didDocument"]["id"] == (
        await bob.did()
    )
    assert document["headers"]["content-type"] == "application/json"


async def test_a_large_private_file_is_read_in_parts_and_as_a_whole(place: Place) -> None:
    data = bytes(range(251))
    times = LARGE // 251
    drl = await place.create(data, times, data_format="application/x-test", encryption=True)
    size, page = 251 * times, place.device.page
    whole = await fetched(page, drl)
    assert (whole["status"], whole["size"], whole["sum"]) == (200, size, summed(data * times))
    for begin, end in ((0, 0), (17, 1_000_050), (2_000_003, size - 1)):
        part = await fetched(page, drl, range=f"bytes={begin}-{end}")
        assert (part["status"], part["size"]) == (206, end - begin + 1)
        assert part["headers"]["content-range"] == f"bytes {begin}-{end}/{size}"
        assert part["sum"] == summed((data * times)[begin : end + 1])
    assert (await fetched(page, drl, range=f"bytes={size}-"))["status"] == 416


def sound(seconds: int) -> bytes:
    samples = 8000 * seconds
    head = b"RIFF" + struct.pack("<I", 36 + samples) + b"WAVEfmt "
    head += struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", samples)
    return head + b"\x80" * samples


async def test_a_sound_can_be_sought_in(place: Place) -> None:
    drl = await place.create(sound(300), data_format="audio/wav", encryption=True)
    assert await place.device.page.evaluate(SEEK, drl) == [300, 250]


async def test_a_link_to_a_record_goes_to_it(place: Place) -> None:
    drl = await place.create(png(9, 4), data_format="image/png", encryption=True)
    notes = await place.device.at("Notes")
    await notes.get_by_label("New note").fill(
        f"See [the pier]({drl}), not [the site](https://dweb/did:a/../../index.html)"
    )
    await notes.get_by_label("New note").press("Control+Enter")
    link = notes.locator("#note-list > li").get_by_role("link", name="the pier")
    aside = notes.locator("#note-list > li").get_by_role("link", name="the site")
    await expect(aside).to_have_attribute("href", "https://dweb/index.html")
    async with place.context.expect_page() as opened:
        await link.click()
    page = await opened.value
    await page.wait_for_load_state()
    assert await page.evaluate(SIZE) == [9, 4]
    assert page.url == f"{place.device.url}dweb/{drl.removeprefix('https://dweb/')}"
    await page.close()


async def test_one_can_go_to_a_record_below_the_site(place: Place) -> None:
    page, did = await place.page("licences/index.html"), await place.device.did()

    async def go(drl: str) -> tuple[int, str]:
        response = await page.goto(f"{place.device.url}dweb/{drl.removeprefix('https://dweb/')}")
        assert response is not None
        return response.status, response.headers["content-type"]

    assert await go(await place.create(b"<b>Words</b>", data_format="text/plain")) == (200, "text/plain")
    assert await page.inner_text("body") == "<b>Words</b>"
    film = await place.create(sound(3), data_format="audio/wav")
    assert await go(film) == (200, "text/html; charset=utf-8")
    await page.wait_for_function("document.querySelector('audio').readyState >= 1")
    assert await page.evaluate("document.querySelector('audio').duration") == 3
    assert await go(f"https://dweb/{did}") == (200, "application/json")
    assert await go(f"https://dweb/{did}/query?filter.dataFormat=audio/wav") == (200, "application/json")
    assert (await go(f"https://dweb/{did}/records/bafyreigvqtm7xjyyhgkkzvzxnblyfgcxykpmuezc2cwfdyphmsyqhjnlhi"))[
        0
    ] == 404
    assert "no such record" in await page.inner_text("body")
    await page.close()
    html = await place.create(MARKUP.encode(), data_format="text/html")
    page = await place.page("licences/index.html")  # a page that may save something
    async with page.expect_download() as saved:
        await page.evaluate("path => { location.href = path }", html.replace("https://dweb/", "../dweb/"))
    assert (await saved.value).suggested_filename.startswith("bafy")
    await page.close()


async def test_a_page_asks_for_what_there_is(place: Place) -> None:
    did, schema = await place.device.did(), "https://example.org/asked"
    await place.create(b"one", data_format="text/plain", schema=schema)
    page = await place.page("licences/index.html")
    reply = json.loads(await page.evaluate(TEXT, f"https://dweb/{did}/query?filter.schema={schema}"))
    assert [entry["descriptor"]["schema"] for entry in reply["entries"]] == [schema]
    assert (await fetched(page, f"https://dweb/{did}/query?filter=x"))["status"] == 400
    await page.close()


async def test_many_are_read_at_once(place: Place) -> None:
    drl = await place.create(bytes(100), 10_000, data_format="application/x-test")
    found = await place.device.page.evaluate(MANY, drl)
    assert found == [1_000_000] * 60


async def test_what_a_record_contains_does_not_run(place: Place) -> None:
    page = await place.page("licences/index.html")
    html = await place.create(MARKUP.encode(), data_format="text/html")
    script = await place.create(PROGRAM.encode(), data_format="text/javascript")
    svg = await place.create(SVG.encode(), data_format="image/svg+xml")
    assert await page.evaluate(SHOW, svg) == [7, 5]
    for drl in (html, script, svg):
        for element in ("script", "iframe", "object", "embed", "link"):
            await page.evaluate(ADD, [element, drl])
    read = await fetched(page, html)
    assert read["headers"]["content-disposition"].startswith("attachment")
    assert "sandbox" in read["headers"]["content-security-policy"]
    assert (await fetched(page, script))["headers"]["content-type"] == "text/plain; charset=utf-8"
    assert await page.evaluate("!window.ran && !localStorage.getItem('ran')")
    await page.close()


async def test_what_is_no_address_has_a_status_and_words(place: Place) -> None:
    page, did = place.device.page, await place.device.did()
    missing = "bafyreigvqtm7xjyyhgkkzvzxnblyfgcxykpmuezc2cwfdyphmsyqhjnlhi"
    for address, status, words in (
        (f"https://dweb/{did}/records/{missing}", 404, "no such record"),
        (f"https://dweb/{did}/records/../../x", 400, "no DRL"),
        (f"https://dweb/{did}/records/%2e%2e%2fx", 400, "no DRL"),
        (f"https://dweb/alice/records/{missing}", 400, "no DID"),
        (f"https://dweb/did:dht:{'y' * 52}/records/{missing}", 404, "notFound"),
        (f"https://dweb/{did}/{'x' * 9000}", 400, "too long"),
    ):
        found = await fetched(page, address)
        assert found["status"] == status, found
        assert words in found["text"]
        assert "sandbox" in found["headers"]["content-security-policy"]


async def test_no_page_of_another_origin_reads_any(place: Place, world: World) -> None:
    drl = await place.create(png(2, 2), data_format="image/png")
    page = await place.context.new_page()
    await page.goto(world.second_endpoint)
    assert await page.evaluate(SHOW, drl) == [0, 0]
    assert await page.evaluate("drl => fetch(drl).then(() => 'read', () => 'refused')", drl) == "refused"
    await page.close()


async def test_without_a_network_what_is_here_is_shown(place: Place) -> None:
    drl = await place.create(png(6, 6), data_format="image/png", encryption=True)
    page = place.device.page
    await place.context.set_offline(True)
    try:
        assert await page.evaluate(SHOW, drl) == [6, 6]
        assert (await fetched(page, drl.replace("bafy", "baaa")))["status"] in (502, 504)
    finally:
        await place.context.set_offline(False)


async def test_nothing_private_is_shown_while_the_vault_is_locked(place: Place) -> None:
    drl = await place.create(png(5, 5), data_format="image/png")
    other = await place.page("licences/index.html")
    assert await other.evaluate(SHOW, drl) == [5, 5]
    await place.device.set_password(PASSWORD)
    await place.device.at("Settings")
    await place.device.page.click("#lock-now")
    await place.device.is_locked()
    found = await fetched(other, drl)
    assert (found["status"], found["text"]) == (403, "What is private is shown once this is unlocked.")
    await place.device.unlock(PASSWORD)
    await expect(place.device.page.locator("#lock-password")).to_be_hidden()
    assert (await fetched(other, drl))["status"] == 200
    await place.device.remove_password(PASSWORD)
    await other.close()


async def test_a_page_without_a_node_is_told_so_and_shown_it_once_there_is_one(place: Place) -> None:
    drl = await place.create(png(8, 8), data_format="image/png")
    other = await place.page("licences/index.html")
    await place.device.page.close()
    shown = asyncio.ensure_future(other.evaluate(SHOW, drl))
    await place.device.open()
    await place.device.ready()
    assert await shown == [8, 8]
    await other.close()
