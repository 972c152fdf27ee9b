"""Files and pictures in conversations; the numbers are invariants of app/messages/attachments.py."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from app.messages.protocol import FILE, FileNote, Message, messaging
from app.transfers import LENT, PART

from tests.unit.conftest import World
from tests.unit.page.persons import Person, person

SIZE = 2 * PART + 17


@pytest.fixture
def content(tmp_path: Path) -> Iterator[bytes]:
    """What is in a file that is lent as "key"."""
    found = hashlib.shake_256(b"file").digest(SIZE)
    (tmp_path / "file").write_bytes(found)
    LENT["key"] = tmp_path / "file"
    yield found
    LENT.clear()


async def _send(by: Person, to: str, name: str = "a.png", media_type: str = "image/png") -> Any:
    return await by.ask("send_file", key="key", did=to, called=name, media_type=media_type)


async def _read(by: Person, id: str) -> Any:
    data = b""
    while True:
        found = await by.ask("read_message_file", id=id, key="r", at=len(data))
        if not isinstance(found, dict):
            return found
        data += base64.b64decode(found["part"])
        if len(data) >= found["size"]:
            return data


def _stored(folder: Path) -> list[bytes]:
    """What the devices and the nodes have on disk."""
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file() and path != folder / "file"]


async def test_a_file_arrives_and_no_node_can_read_it(world: World, content: bytes, tmp_path: Path) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    sent = await _send(alice, bob.did)
    assert sent["file"] == {"name": "a.png", "type": "image/png", "size": SIZE}
    assert (await _send(alice, bob.did))["id"] == sent["id"]  # a call that is repeated
    await alice.until(bob, "theirs")
    await bob.sync()
    [request] = (await bob.ask("conversations", limit=5))["requests"]
    assert (request["text"], request["file"]) == ("", "a.png")
    [message] = (await bob.shown(alice.did))["messages"]
    assert message["file"] == sent["file"]
    assert await _read(bob, message["id"]) == content
    assert await _read(alice, message["id"]) == content
    for stored in _stored(tmp_path):
        assert content[:64] not in stored
        assert b"a.png" not in stored


async def test_a_file_waits_until_their_node_is_there(world: World, content: bytes) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    world.down.update({"dwn0", "dwn1"})
    await _send(alice, bob.did)
    await alice.until(bob, "here")
    world.down.clear()
    await alice.ask("retry_conversation", did=bob.did)
    await alice.sync()
    await alice.until(bob, "theirs")
    await bob.sync()
    [message] = (await bob.shown(alice.did))["messages"]
    assert await _read(bob, message["id"]) == content


async def test_a_file_that_is_stopped_leaves_nothing(world: World) -> None:
    alice, bob = await person(world, "alice"), await person(world, "bob")

    async def endless() -> Any:
        yield b"x"
        await alice.ask("stop_message_file", key="key")
        yield b"x"

    LENT["key"] = endless
    assert await _send(alice, bob.did) is None
    assert (await alice.shown(bob.did))["messages"] == []
    assert not await alice.device.session.web5.dwn.records.query(protocol=messaging.uri, protocol_path=FILE)
    LENT.clear()


async def test_what_a_hostile_message_names_is_no_file(world: World, content: bytes) -> None:
    """1 and 2."""
    alice, mallory = await person(world, "alice"), await person(world, "mallory")
    sent = await _send(mallory, alice.did, "../../\u202egnp.exe" + "x" * 300, "text/html; charset=utf-7")
    assert len(sent["file"]["name"]) == 200
    assert sent["file"]["type"] == "application/octet-stream"
    diary = await alice.device.session.web5.dwn.records.create(
        "a secret of Alice's", schema="https://example.org/diary"
    )
    web5 = mallory.device.session.web5
    note = FileNote(record=diary.id, name="a.png", type="image/png", size=19)
    await (await web5.records(Message).create(Message(text="", key="h", file=note), recipient=alice.did)).send(
        alice.did
    )
    await mallory.sync()
    await alice.sync()
    found = await alice.wait(mallory.did, lambda found: len(found["messages"]) == 2, sync=True)
    [shown] = [one for one in found["messages"] if one["file"]["size"] == 19]
    assert await _read(alice, shown["id"]) == "NotFound"
