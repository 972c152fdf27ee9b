"""Pictures, files, groups and receipts between browsers: Alice, Bob, and Bob's phone."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.accessibility import faults
from tests.browser.conftest import NewDevice
from tests.browser.test_messages import _bubble, _send, _shoot, _turn_on
from tests.browser.world import Device, World

pytestmark = pytest.mark.asyncio(loop_scope="session")

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGNgaGDAi0alGwYZAABjqhXZKGpc0AAAAABJRU5ErkJggg=="
)


async def _meet(alice: Device, bob: Device) -> tuple[str, str]:
    """Both have turned messages on, Alice has written, and Bob has accepted; their addresses."""
    hers, his = await _turn_on(alice), await _turn_on(bob)
    await alice.page.goto(f"{alice.url}#/messages/{his}")
    await _send(alice, "Hello, Bob")
    await bob.page.goto(f"{bob.url}#/messages/{hers}")
    await bob.page.get_by_role("button", name="Accept").click()
    await expect(_bubble(bob, "Hello, Bob")).to_be_visible()
    return hers, his


async def _name(device: Device, name: str) -> None:
    await device.page.get_by_role("button", name="Name", exact=True).click()
    await device.page.get_by_label("What you call them").fill(name)
    await device.page.keyboard.press("Enter")
    await expect(device.page.get_by_role("heading", name=name)).to_be_visible()


async def test_a_picture_and_a_file_go_from_alice_to_bob(new_device: NewDevice, tmp_path: Path) -> None:
    alice, bob = await (await new_device()).ready(), await (await new_device()).ready()
    await _meet(alice, bob)
    large = bytes(range(256)) * 8000
    (tmp_path / "sea.png").write_bytes(PICTURE)
    (tmp_path / "page.html").write_bytes(b"<script>document.title='ran'</script>" + large)
    await alice.page.get_by_label("Files to send").set_input_files([tmp_path / "sea.png", tmp_path / "page.html"])

    for person in (alice, bob):
        picture = person.page.get_by_role("img", name="sea.png")
        await expect(picture).to_be_visible()
        assert await picture.evaluate("async image => (await image.decode(), image.naturalWidth)") == 10
        await expect(_bubble(person, "page.html")).to_contain_text("Text · 2.0 MB")
    await expect(_bubble(alice, "page.html").get_by_label("On their nodes")).to_be_visible()
    await _shoot(bob, "messages-files")
    assert await faults(bob.page) == []
    async with bob.page.expect_download() as saved:
        await _bubble(bob, "page.html").get_by_role("button", name="Download").click()
    path = await (await saved.value).path()
    assert path.read_bytes().endswith(large)
    assert (await saved.value).suggested_filename == "page.html"
    assert await bob.page.title() != "ran"


async def test_a_picture_of_a_stranger_is_not_shown_before_they_are_accepted(new_device: NewDevice) -> None:
    alice, bob = await (await new_device()).ready(), await (await new_device()).ready()
    hers, his = await _turn_on(alice), await _turn_on(bob)
    await alice.page.goto(f"{alice.url}#/messages/{his}")
    await expect(alice.page.get_by_label("Message", exact=True)).to_be_visible()
    picture = {"name": "sea\u202egnp.png", "mimeType": "image/png", "buffer": PICTURE}
    await alice.page.get_by_label("Files to send").set_input_files(picture)  # type: ignore[arg-type]
    await bob.page.goto(f"{bob.url}#/messages/{hers}")
    await expect(_bubble(bob, "sea\ufffdgnp.png")).to_be_visible()
    await expect(bob.page.get_by_role("img", name="sea")).to_have_count(0)
    await bob.page.get_by_role("button", name="Accept").click()
    await expect(bob.page.get_by_role("img", name="sea")).to_be_visible()


async def test_alice_sees_what_bob_has_read_if_he_tells(new_device: NewDevice) -> None:
    alice, bob = await (await new_device()).ready(), await (await new_device()).ready()
    await _meet(alice, bob)
    await expect(_bubble(alice, "Hello, Bob").get_by_label("On their nodes")).to_be_visible()
    await bob.page.get_by_label("Tell them what I have read").check()
    await expect(_bubble(alice, "Hello, Bob").get_by_label("Read", exact=True)).to_have_text("✓")
    await _send(alice, "And this?")
    await expect(_bubble(alice, "And this?").get_by_label("Read", exact=True)).to_be_visible()


async def test_bobs_phone_has_his_conversations_files_and_groups(new_device: NewDevice) -> None:
    alice, bob = await (await new_device()).ready(), await (await new_device()).ready()
    hers, his = await _meet(alice, bob)
    picture = {"name": "sea.png", "mimeType": "image/png", "buffer": PICTURE}
    await alice.page.get_by_label("Files to send").set_input_files(picture)  # type: ignore[arg-type]
    await expect(bob.page.get_by_role("img", name="sea.png")).to_be_visible()
    group = await alice.ask("make_group", called="Hiking", key="g")
    await alice.ask("add_member", did=group, member=his)
    await bob.page.get_by_role("button", name="Join").click()
    await expect(bob.page.get_by_role("heading", name="Hiking")).to_be_visible()
    await _send(bob, "To the lake")
    await expect(_bubble(bob, "To the lake").get_by_label("Where all of the group can read it")).to_be_visible()
    await bob.summary("All synced")

    phone = await (await new_device()).ready()
    await phone.page.click("#invitation-recovery")
    await phone.recover(await bob.words())
    await phone.page.get_by_role("button", name="Show my notes").click()
    await phone.page.goto(f"{phone.url}#/messages/{hers}")
    await expect(phone.page.get_by_role("img", name="sea.png")).to_be_visible()
    await phone.page.goto(f"{phone.url}#/messages/{group}")
    await expect(_bubble(phone, "To the lake")).to_be_visible()
    await alice.page.goto(f"{alice.url}#/messages/{group}")
    await _send(phone, "From my phone")
    await expect(_bubble(alice, "From my phone")).to_be_visible()
    await bob.page.goto(f"{bob.url}#/messages/{group}")
    await expect(_bubble(bob, "From my phone")).to_be_visible()


async def test_an_address_is_a_code_which_another_browser_reads(new_device: NewDevice) -> None:
    alice = await (await new_device()).ready()
    address = await _turn_on(alice)
    await alice.page.get_by_text("Show it as a code").click()
    code = alice.page.get_by_role("img", name="QR code of the link to your address")
    await expect(code).to_be_visible()
    assert await code.evaluate("async image => (await image.decode(), image.naturalWidth)") > 100
    assert await faults(alice.page) == []
    await _shoot(alice, "messages-code")

    # Of a browser that reads codes, here only the part is there that it would do.
    link = f"{alice.url}#/messages/{address}"
    read = f"globalThis.BarcodeDetector = class {{ detect() {{ return [{{ rawValue: {link!r} }}]; }} }}"
    bob = await (await new_device()).ready()
    await bob.context.add_init_script(read)
    await bob.page.reload()
    await bob.ready()
    await _turn_on(bob)
    await bob.page.get_by_role("button", name="Write to somebody").click()
    paste = """async () => {
        const data = new DataTransfer();
        const blob = await new OffscreenCanvas(9, 9).getContext("2d").canvas.convertToBlob();
        data.items.add(new File([blob], "code.png", { type: "image/png" }));
        const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
        document.activeElement.dispatchEvent(event);
    }"""
    await bob.page.get_by_label("Their address, or a link to it").evaluate(paste)
    await expect(bob.page.get_by_label("Their address, or a link to it")).to_have_value(link)
    await bob.page.keyboard.press("Enter")
    await expect(bob.page.get_by_text("Say hello.")).to_be_visible()
    await expect(bob.page.get_by_label("Their address, or a link to it")).to_be_hidden()


async def test_a_group_of_alice_and_bob_with_a_node_down(new_device: NewDevice, world: World) -> None:
    alice, bob = await (await new_device()).ready(), await (await new_device()).ready()
    _, his = await _meet(alice, bob)
    await _name(bob, "Alice")
    await _name(alice, "Bob")
    await alice.at("Messages")
    await alice.page.get_by_role("button", name="New group").click()
    await alice.page.get_by_label("Name of the group").fill("Hiking")
    await alice.page.keyboard.press("Enter")
    await expect(alice.page.get_by_role("heading", name="Hiking")).to_be_visible()
    await alice.page.get_by_label("Address of somebody to add").fill(his)
    await alice.page.keyboard.press("Enter")
    await expect(alice.page.get_by_role("listitem").filter(has_text="Bob").get_by_role("button")).to_be_visible()
    await _shoot(alice, "messages-group")
    assert await faults(alice.page) == []
    await _send(alice, "Where do we go?")

    await expect(bob.page.get_by_text("You are invited to the group “Hiking”.")).to_be_visible()
    await _shoot(bob, "messages-invitation")
    await bob.page.get_by_role("button", name="Join").click()
    await expect(bob.page.get_by_role("heading", name="Hiking")).to_be_visible()
    await expect(_bubble(bob, "Where do we go?")).to_contain_text("Alice")
    await _send(bob, "To the lake")
    await expect(_bubble(bob, "To the lake").get_by_label("Where all of the group can read it")).to_be_visible()
    await expect(_bubble(alice, "To the lake")).to_contain_text("Bob")
    picture = {"name": "lake.png", "mimeType": "image/png", "buffer": PICTURE}
    await bob.page.get_by_label("Files to send").set_input_files(picture)  # type: ignore[arg-type]
    await expect(alice.page.get_by_role("img", name="lake.png")).to_be_visible()
    await _shoot(alice, "messages-group-talk")

    await world.second.stop()
    try:
        await _send(alice, "See you there")
        await expect(_bubble(bob, "See you there")).to_be_visible()
    finally:
        await world.second.start()

    await expect(alice.page.get_by_role("button", name="2 people")).to_have_attribute("aria-expanded", "true")
    await alice.page.get_by_role("button", name="Remove Bob").click()
    await _send(alice, "Without Bob")
    await expect(bob.page.get_by_text("You are not in this group any more.")).to_be_visible()
    await expect(_bubble(alice, "Without Bob").get_by_label("Where all of the group can read it")).to_be_visible()
    await expect(_bubble(bob, "Without Bob")).to_have_count(0)
    await expect(bob.page.get_by_label("Message", exact=True)).to_be_hidden()
