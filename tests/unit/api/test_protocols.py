"""Protocols, protocol records and subscriptions, as an app uses them."""

from __future__ import annotations

import pytest

from tests.unit.api.test_web5_connect import connected, second_device
from tests.unit.conftest import World
from web5 import Record
from web5.errors import BadRequest, InvalidArgument

CHAT = "https://example.org/chat"
DEFINITION = {
    "protocol": CHAT,
    "published": True,
    "types": {
        "thread": {"schema": "https://example.org/thread", "dataFormats": ["application/json"]},
        "message": {"schema": "https://example.org/message", "dataFormats": ["text/plain"]},
    },
    "structure": {
        "thread": {"message": {"$actions": [{"who": "anyone", "can": ["create", "read"]}]}},
    },
}
THREAD = {"protocol": CHAT, "protocol_path": "thread", "schema": "https://example.org/thread"}
MESSAGE = {"protocol": CHAT, "protocol_path": "thread/message", "schema": "https://example.org/message"}


async def test_records_live_in_a_protocol_and_travel_with_it(world: World) -> None:
    laptop = await connected(world)
    await laptop.dwn.protocols.configure(DEFINITION)
    thread = await laptop.dwn.records.create({"title": "boats"}, **THREAD)
    await laptop.dwn.records.create("ahoy", parent_context_id=thread.context_id, **MESSAGE)
    assert (await laptop.sync.now()).ok

    phone = await second_device(world, laptop)
    assert (await phone.sync.now()).ok
    [protocol] = await phone.dwn.protocols.query(CHAT)
    assert protocol.definition == DEFINITION
    [message] = await phone.dwn.records.query(protocol=CHAT, protocol_path="thread/message", parent_id=thread.id)
    assert await message.data.text() == "ahoy"
    assert message.context_id == f"{thread.context_id}/{message.id}"


async def test_a_stranger_sees_a_published_protocol(world: World) -> None:
    alice = await connected(world)
    await alice.dwn.protocols.configure(DEFINITION)
    assert (await alice.sync.now()).ok
    bob = await connected(world, "bob")
    [protocol] = await bob.dwn.protocols.query(CHAT, from_=alice.connected_did)
    assert protocol.definition["protocol"] == CHAT
    assert await bob.dwn.protocols.query(CHAT) == []


async def test_what_a_protocol_does_not_know_is_refused(world: World) -> None:
    web5 = await connected(world)
    with pytest.raises(BadRequest, match="ProtocolAuthorizationProtocolNotFound"):
        await web5.dwn.records.create({}, **THREAD)
    await web5.dwn.protocols.configure(DEFINITION)
    with pytest.raises(BadRequest, match="ProtocolAuthorization"):
        await web5.dwn.records.create("no thread", protocol=CHAT, protocol_path="speech")
    with pytest.raises(BadRequest):
        await web5.dwn.protocols.configure({**DEFINITION, "structure": {"unheard-of": {}}})


async def test_subscribers_hear_of_local_and_of_pulled_records(world: World) -> None:
    laptop = await connected(world)
    phone = await second_device(world, laptop)
    heard: list[Record] = []
    subscription = await phone.dwn.records.subscribe(heard.append, schema="https://example.org/note")

    note = await laptop.dwn.records.create("one", schema="https://example.org/note")
    await laptop.dwn.records.create("another kind", schema="https://example.org/other")
    assert (await laptop.sync.now()).ok
    assert (await phone.sync.now()).ok
    assert [record.id for record in heard] == [note.id]
    assert await heard[0].data.text() == "one"

    await (await phone.dwn.records.read(note.id)).update(data="two")
    await phone.dwn.records.delete(note.id)
    assert [record.deleted for record in heard] == [False, False, True]
    assert heard[2].id == note.id
    await subscription.close()
    await phone.dwn.records.create("unheard", schema="https://example.org/note")
    assert len(heard) == 3


async def test_a_subscription_needs_what_can_be_called(world: World) -> None:
    web5 = await connected(world)
    with pytest.raises(InvalidArgument, match="cannot be called"):
        await web5.dwn.records.subscribe("print")  # type: ignore[arg-type]
