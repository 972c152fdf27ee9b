"""The examples, each by two people in two browsers of their own, with our nodes between them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

Person = Callable[[str], Awaitable[Page]]
START = 240_000
"""Milliseconds for a page to install everything, and to be somebody; on a machine that does other things too."""
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8cfc0f01f000501"
    "01ff86b5a1b00000000049454e44ae426082"
)


@pytest_asyncio.fixture(loop_scope="session")
async def person(browser: Browser, world: World) -> AsyncIterator[Person]:
    """Opens an example, or a link to one, for somebody who has nothing yet; at the end no page may have complained."""
    devices: list[Device] = []

    async def opened(link: str) -> Page:
        address = link if "://" in link else f"{world.origin}examples/{link}"
        device = Device(await browser.new_context(), address)
        devices.append(device)
        return await device.open()

    yield opened
    for device in devices:
        await device.context.close()
    assert [device.complaints for device in devices if device.complaints] == []


async def did_of(page: Page) -> str:
    await expect(page.locator("#did")).to_contain_text("did:dht:", timeout=START)
    return await page.locator("#did").inner_text()


async def test_the_index_leads_to_all(person: Person) -> None:
    page = await person("index.html")
    await expect(page.get_by_role("listitem")).to_have_count(7)
    await page.get_by_role("link", name="Hello").click()
    await expect(page.locator("h1")).to_have_text("Hello")


async def test_hello(person: Person) -> None:
    alice, bob = await person("hello.html"), await person("hello.html")
    for page in (alice, bob):
        await expect(page.locator("#note")).to_have_text("Hello, Web5", timeout=START)
    assert await did_of(alice) != await did_of(bob)


async def test_a_shared_list(person: Person) -> None:
    alice, bob = await person("list.html"), await person("list.html")
    await did_of(alice)
    await alice.fill("#text", "Milk")
    await alice.press("#text", "Enter")
    await expect(alice.locator("#items li")).to_have_text([" Milk"])
    await alice.fill("#friend", await did_of(bob))
    await alice.press("#friend", "Enter")
    await expect(alice.locator("#link")).to_contain_text("?owner=did:dht:")
    link = (await alice.locator("#link").inner_text()).removeprefix("For your friend: ")

    await bob.goto(link)
    await expect(bob.locator("#items li")).to_have_text([" Milk"], timeout=START)
    await bob.locator("#items input").check()
    await bob.fill("#text", "Bread")
    await bob.press("#text", "Enter")
    await expect(bob.locator("#items li")).to_have_text([" Milk", " Bread"])
    await expect(alice.locator("#items li")).to_have_text([" Milk", " Bread"])
    await expect(alice.locator("#items input").first).to_be_checked()

    stranger = await person("list.html")
    await did_of(stranger)
    await alice.locator("#items input").last.check()
    await expect(bob.locator("#items input").last).to_be_checked()
    await expect(stranger.locator("#items li")).to_have_count(0)


async def test_a_chat(person: Person, world: World) -> None:
    alice, bob = await person("chat.html"), await person("chat.html")
    names = {alice: await did_of(alice), bob: await did_of(bob)}
    for sender, receiver, text in ((alice, bob, "Hi Bob"), (bob, alice, "Hi Alice")):
        await sender.fill("#to", names[receiver])
        await sender.fill("#text", text)
        await sender.press("#text", "Enter")
        sent = sender.locator("li.mine", has_text=text)
        await expect(sent.locator("small")).to_have_text("delivered")
        await expect(receiver.locator("li:not(.mine)", has_text=text).locator("small")).to_have_text(names[sender])
    await expect(alice.locator("#messages li")).to_have_count(2)

    await alice.context.set_offline(True)
    await alice.fill("#text", "Are you there?")
    await alice.press("#text", "Enter")
    late = alice.locator("li.mine", has_text="Are you there?").locator("small")
    await expect(late).to_contain_text("on its way: ")
    await expect(bob.locator("#messages li")).to_have_count(2)
    await alice.context.set_offline(False)
    await expect(late).to_have_text("delivered")
    await expect(bob.locator("#messages li")).to_have_count(3)


async def test_a_photo_backup(person: Person, world: World) -> None:
    alice, bob = await person("photos.html"), await person("photos.html")
    for page in (alice, bob):
        await expect(page.locator("#nodes li")).to_have_count(2, timeout=START)
    large = PIXEL + bytes(1_000_000)  # browsers show what comes first
    files = [{"name": name, "mimeType": "image/png", "buffer": data} for name, data in (("a", PIXEL), ("b", large))]
    await alice.set_input_files("#files", files)
    await expect(alice.locator("#photos img")).to_have_count(2)
    await expect(alice.locator("#photos li").first).to_have_text("b")
    assert (
        await alice.locator("#photos img").first.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    )
    await expect(alice.locator("#nodes small")).to_have_text(["all there", "all there"])
    await expect(bob.locator("#photos li")).to_have_count(0)
    assert sum(path.stat().st_size for path in world.folder.rglob("*") if path.is_file()) > 2_000_000


async def test_an_encrypted_diary(person: Person) -> None:
    there, here = await person("diary.html"), await person("diary.html")
    for page in (there, here):
        await expect(page.locator("#open button")).to_be_enabled(timeout=START)
    await there.fill("#password", "correct horse")
    await there.get_by_role("button", name="Open").click()
    await expect(there.locator("#state")).to_contain_text("Write down", timeout=START)
    words = (await there.locator("#state").inner_text()).rpartition(": ")[2]
    assert len(words.split()) == 12
    await there.fill("#text", "Dear diary")
    await there.get_by_role("button", name="Keep").click()
    await expect(there.locator("#entries li")).to_contain_text(["Dear diary"])

    await here.fill("#password", "another horse")
    await here.fill("#words", words)

    async def recover() -> bool:
        """Try once; what the first device has is published, and brought to the nodes, in its own time."""
        await here.get_by_role("button", name="Open").click()
        await expect(here.locator("#state")).not_to_have_text("Opening it …", timeout=START)
        return await here.locator("#write").is_visible()

    for _ in range(20):
        if await recover():
            break
    await expect(here.locator("#entries li")).to_contain_text(["Dear diary"])


async def test_a_page_for_everybody(person: Person) -> None:
    author = await person("page.html")
    await expect(author.locator("#write")).to_be_visible(timeout=START)
    await author.fill("#text", "Read me,\nwhoever you are.")
    await author.get_by_role("button", name="Publish").click()
    await expect(author.locator("#link")).to_contain_text("?author=did:dht:", timeout=START)
    reader = await person((await author.locator("#link").inner_text()).removeprefix("For everybody: "))
    await expect(reader.locator("#page")).to_have_text("Read me,\nwhoever you are.", timeout=START)
    databases = await reader.evaluate("indexedDB.databases().then(all => all.map(one => one.name))")
    assert [name for name in databases if name.startswith("web5") and name != "web5.settings"] == []  # no agent's


async def test_pictures_of_all(person: Person, tmp_path: Path) -> None:
    for name in ("index", "hello", "list", "chat", "photos", "diary", "page"):
        page = await person(f"{name}.html")
        await expect(page.locator("h1")).to_be_visible()
        box = await page.locator("body").bounding_box()
        await page.set_viewport_size({"width": 390, "height": 700})
        narrow = await page.evaluate("document.documentElement.scrollWidth")
        assert box and narrow <= 390, name


async def test_a_worker_in_two_tabs(person: Person) -> None:
    first = await person("worker.html")
    did = await did_of(first)
    await first.fill("#text", "One")
    await first.press("#text", "Enter")
    await expect(first.locator("#notes li")).to_have_text(["One"])

    second = await first.context.new_page()
    await second.goto(first.url)
    assert await did_of(second) == did
    await expect(second.locator("#notes li")).to_have_text(["One"])
    await second.fill("#text", "Two")
    await second.press("#text", "Enter")
    await expect(first.locator("#notes li")).to_have_text(["One", "Two"])

    await first.close()
    await second.fill("#text", "Three")
    await second.press("#text", "Enter")
    await expect(second.locator("#notes li")).to_have_text(["One", "Two", "Three"])
