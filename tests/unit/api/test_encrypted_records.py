"""Encrypted records, as an app uses them, between real nodes: whoever has access reads them, and no node does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.contracts.memory import MIB, at_most
from tests.unit.api.test_web5_connect import connected, second_device
from tests.unit.conftest import World
from tests.unit.dwn.encryption.sealed import CRYPTO, root_of, sealed_write
from web5 import Encryption, Record, Web5, strict_json
from web5.agent.delegation.actor import Actor
from web5.agent.keys import context_keys
from web5.api.records.encryption import RecordEncryption
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jwk import public_jwk
from web5.dids.jwk import create
from web5.dwn.encryption.content import Target, content_key
from web5.dwn.values.cid import data_cid
from web5.errors import EncryptionError, InvalidArgument, KeyMissing, RemoteError

SECRET = "the combination is 12-34-56"
NOTE = "https://schema.example/note"
DIARY = "http://diary.example"
DEFINITION: dict[str, Any] = {
    "protocol": DIARY,
    "published": True,
    "types": {
        "day": {"dataFormats": ["text/plain"], "encryptionRequired": True},
        "mood": {"dataFormats": ["text/plain"]},
    },
    "structure": {"day": {"mood": {}}},
}
DAY = {"protocol": DIARY, "protocol_path": "day"}
CHAT = "http://chat.example"
CHAT_DEFINITION: dict[str, Any] = {
    "protocol": CHAT,
    "published": True,
    "types": {"thread": {}, "line": {}, "guest": {}},
    "structure": {
        "thread": {
            "$actions": [
                {"who": "anyone", "can": ["create", "update"]},
                {"who": "recipient", "of": "thread", "can": ["read"]},
            ],
            "guest": {"$role": True},
            "line": {
                "$actions": [
                    {"who": "author", "of": "thread", "can": ["create", "read"]},
                    {"who": "recipient", "of": "thread", "can": ["create", "read"]},
                    {"role": "thread/guest", "can": ["read", "query", "subscribe"]},
                ]
            },
        }
    },
}
THREAD = {"protocol": CHAT, "protocol_path": "thread"}
LINE = {"protocol": CHAT, "protocol_path": "thread/line"}
GUEST = {"protocol": CHAT, "protocol_path": "thread/guest"}


def stored_bytes(tmp_path: Path) -> Iterator[bytes]:
    """Every byte that the device or a remote node has on disk."""
    for path in tmp_path.rglob("*"):
        if path.is_file():
            yield path.read_bytes()


@pytest.mark.parametrize("place", [{"schema": NOTE}, {}], ids=["by schema", "by data format"])
async def test_data_are_encrypted_before_they_are_stored(world: World, place: dict[str, Any]) -> None:
    web5 = await connected(world)
    record = await web5.dwn.records.create(SECRET, encryption=True, tags={"kind": "lock"}, **place)
    assert record.encrypted and record.data_size == len(SECRET)
    assert record.data_cid != data_cid(SECRET.encode())
    [found] = await web5.dwn.records.query(tags={"kind": "lock"})
    for one in (record, found, await web5.dwn.records.read(record.id)):
        assert await one.data.text() == SECRET
        assert await one.data.bytes() == SECRET.encode()


async def test_no_node_has_the_plaintext(world: World, tmp_path: Path) -> None:
    web5 = await connected(world)
    await web5.dwn.protocols.configure(DEFINITION)
    small = await web5.dwn.records.create(SECRET, encryption=True, schema=NOTE)
    await web5.dwn.records.create(SECRET * 10_000, encryption=True, schema=NOTE)
    await web5.dwn.records.create(SECRET, **DAY)
    await small.update(data=f"{SECRET}!")
    open_note = await web5.dwn.records.create("for everybody", schema=NOTE)
    assert (await web5.sync.now()).ok
    await small.send()
    await web5.close()
    everything = list(stored_bytes(tmp_path))
    assert sum(b"for everybody" in one for one in everything) >= 3, open_note
    assert not any(SECRET[:16].encode() in one for one in everything)


async def test_another_device_of_the_person_reads_them(world: World) -> None:
    laptop = await connected(world)
    record = await laptop.dwn.records.create({"code": SECRET}, encryption=True, schema=NOTE)
    assert (await laptop.sync.now()).ok
    phone = await second_device(world, laptop)
    assert (await phone.sync.now()).ok
    same = await phone.dwn.records.read(record.id)
    assert await same.data.json() == {"code": SECRET}
    remote = await phone.dwn.records.read(record.id, from_=phone.connected_did)
    assert await remote.data.json() == {"code": SECRET}
    await same.update(data={"code": "none"})
    assert (await phone.sync.now()).ok and (await laptop.sync.now()).ok
    assert await (await laptop.dwn.records.read(record.id)).data.json() == {"code": "none"}


async def test_an_update_keeps_it_encrypted_for_the_same_readers(world: World) -> None:
    web5 = await connected(world)
    record = await web5.dwn.records.create(SECRET, encryption=True)
    first = record.raw_message["encryption"]
    await record.update(tags={"a": 1})
    assert record.raw_message["encryption"] == first
    assert await record.data.text() == SECRET
    await record.update(data="another text")
    second = record.raw_message["encryption"]
    assert second["keyEncryption"] == first["keyEncryption"]
    assert second["initializationVector"] != first["initializationVector"]
    await record.update(data_format="text/markdown")
    assert await record.data.text() == "another text"
    await record.update(data="{}", data_format="application/json")
    assert await (await web5.dwn.records.read(record.id)).data.json() == {}
    await record.update(data="open", encryption=False)
    assert not record.encrypted and await record.data.text() == "open"
    await record.update(data=SECRET, encryption=True)
    assert record.encrypted and await record.data.text() == SECRET
    with pytest.raises(InvalidArgument, match="give the data too"):
        await record.update(tags={}, encryption=False)


async def test_a_format_that_is_part_of_anothers_key_stays(world: World) -> None:
    web5 = await connected(world)
    own, other = await web5.agent.keyring.root_key(web5.connected_did), await root_of("did:example:bob#enc")
    key = other.derive("dataFormats", ("dataFormats", "text/plain"))
    bobs = Target(other.key_id, "dataFormats", public_jwk(await key.jwk(CRYPTO)))
    signer = await web5.agent.signer(web5.connected_did)
    place = {"dataFormat": "text/plain"}
    message, data = await sealed_write(own, place, ["dataFormats"], SECRET.encode(), bobs, signer=signer)
    await web5.agent.messages.process(web5.connected_did, message, data)
    record = await web5.dwn.records.read(message["recordId"])
    await record.update(data="more")
    assert await record.data.text() == "more"
    with pytest.raises(EncryptionError, match=r"part of did:example:bob#enc's key"):
        await record.update(data_format="text/markdown")
    assert (await web5.dwn.records.read(record.id)).data_format == "text/plain"
    assert (await content_key(CRYPTO, record.raw_message, [key])).iv != (await content_key(CRYPTO, message, [key])).iv


async def test_large_data_pass_through_in_chunks(world: World, tmp_path: Path) -> None:
    web5 = await connected(world)
    path = tmp_path / "film"
    path.write_bytes(bytes(range(256)) * (5 * MIB // 256) + b"the end")
    record = await web5.dwn.records.create(path, encryption=True, schema=NOTE)
    assert await record.data.bytes() == path.read_bytes()
    assert (await web5.sync.now()).ok
    remote = await web5.dwn.records.read(record.id, from_=web5.connected_did)
    assert await remote.data.bytes() == path.read_bytes()

    async def film() -> AsyncIterator[bytes]:
        for number in range(64):
            yield bytes([number]) * (MIB - 1)

    size = 0
    with at_most(12 * MIB):
        await record.update(data=film)
        async for chunk in await record.data.stream():
            size += len(chunk)
    assert size == 64 * (MIB - 1)


async def test_a_type_that_demands_it_is_encrypted_without_being_asked(world: World) -> None:
    web5 = await connected(world)
    protocol = await web5.dwn.protocols.configure(DEFINITION)
    assert "encryptionRequired" not in protocol.definition["types"]["day"]
    day = await web5.dwn.records.create(SECRET, **DAY)
    assert day.encrypted and await day.data.text() == SECRET
    schemes = [entry["derivationScheme"] for entry in day.raw_message["encryption"]["keyEncryption"]]
    assert schemes == ["protocolPath", "protocolContext"]
    mood = {"protocol": DIARY, "protocol_path": "day/mood", "parent_context_id": day.context_id}
    assert not (await web5.dwn.records.create("good", **mood)).encrypted
    asked = await web5.dwn.records.create("good", encryption=True, **mood)
    assert asked.encrypted and await asked.data.text() == "good"
    for refused in (web5.dwn.records.create(SECRET, encryption=False, **DAY), day.update(data="", encryption=False)):
        with pytest.raises(EncryptionError, match="are encrypted"):
            await refused
    assert len(await web5.dwn.records.query(protocol=DIARY)) == 3


async def test_what_cannot_be_encrypted_is_not_written(world: World) -> None:
    web5 = await connected(world)
    await web5.dwn.protocols.configure(DEFINITION)
    keyless = (await create(CPythonCrypto(), "Ed25519")).uri
    for recipient in (keyless, "did:dht:nobody"):
        with pytest.raises(EncryptionError, match=recipient):
            await web5.dwn.records.create(SECRET, recipient=recipient, **DAY)
        with pytest.raises(EncryptionError, match=recipient):
            await web5.dwn.records.create(SECRET, schema=NOTE, encryption=Encryption(recipients=[recipient]))
    with pytest.raises(EncryptionError, match="schema"):
        await web5.dwn.records.create(SECRET, encryption=Encryption(schemes=["schemas"]))
    for definition in (DEFINITION, {**CHAT_DEFINITION, "protocol": DIARY}, CHAT_DEFINITION):
        with pytest.raises(EncryptionError, match="no key for a record at day"):
            await web5.dwn.records.create(SECRET, encryption=Encryption(definitions=[definition]), **DAY)
    with pytest.raises(InvalidArgument, match="rot13"):
        Encryption(schemes=["rot13"])  # type: ignore[list-item]
    assert await web5.dwn.records.query(protocol=DIARY) == []
    assert await web5.dwn.records.query(data_format="text/plain") == []


async def _delivered(sender: Web5, record: Any, receiver: Web5) -> Any:
    assert (await sender.sync.now()).ok
    await record.send(receiver.connected_did)
    assert (await receiver.sync.now()).ok
    return await receiver.dwn.records.read(record.id)


async def test_the_two_of_a_thread_read_each_other_and_nobody_else_does(world: World) -> None:
    alice, bob, carol = [await connected(world, name) for name in ("alice", "bob", "carol")]
    for person in (alice, bob):
        await person.dwn.protocols.configure(CHAT_DEFINITION, encryption=True)
        assert (await person.sync.now()).ok
    thread = await bob.dwn.records.create("shall we?", recipient=alice.connected_did, **THREAD)
    at_alice = await _delivered(bob, thread, alice)
    assert await at_alice.data.text() == "shall we?"

    line = await alice.dwn.records.create("yes", parent_context_id=at_alice.context_id, **LINE)
    at_bob = await _delivered(alice, line, bob)
    assert await at_bob.data.text() == "yes"

    mine = await bob.dwn.records.create("good", parent_context_id=thread.context_id, **LINE)
    assert await (await _delivered(bob, mine, alice)).data.text() == "good"

    await thread.update(data="shall we, then?")
    assert await (await _delivered(bob, thread, alice)).data.text() == "shall we, then?"

    stolen = type(thread)(carol.agent, Actor(carol.connected_did, carol.agent.signer), line.raw_message, data=b"any")
    with pytest.raises(KeyMissing) as caught:
        await stolen.data.text()
    bobs, alices = f"{bob.connected_did}#enc", f"{alice.connected_did}#enc"
    assert caught.value.keys == [(alices, "protocolPath"), (bobs, "protocolContext")]


async def test_further_recipients_read_a_record_of_no_protocol(world: World) -> None:
    alice, bob = await connected(world, "alice"), await connected(world, "bob")
    encryption = Encryption(recipients=[bob.connected_did])
    record = await alice.dwn.records.create(SECRET, schema=NOTE, published=True, encryption=encryption)
    assert (await alice.sync.now()).ok
    found = await bob.dwn.records.read(record.id, from_=alice.connected_did)
    assert await found.data.text() == SECRET


async def test_for_an_identity_that_is_not_here_only_others_keys_will_do(world: World) -> None:
    """As a delegate has it: what the owner's protocol has keys for can be written, and not be read."""
    web5, owner = await connected(world), await connected(world, "owner")
    agent, did = web5.agent, owner.connected_did
    protocol = await owner.dwn.protocols.configure(DEFINITION)
    await agent.messages.process(did, protocol.message)
    encryption = RecordEncryption(agent, did)
    cipher = await encryption.for_new_record(None, {"protocol": DIARY, "protocol_path": "day"})
    assert cipher is not None
    day = {"recordId": "a", "contextId": "a", "descriptor": {"protocol": DIARY, "protocolPath": "day"}}
    message = {**day, "encryption": await cipher.property(day)}
    with pytest.raises(KeyMissing) as caught:
        await encryption.content_key(message)
    assert caught.value.keys == [(f"{did}#enc", "protocolPath")]
    assert await RecordEncryption(owner.agent, did).content_key(message) == cipher.content

    note = await encryption.for_new_record(True, {})
    assert note is not None
    with pytest.raises(EncryptionError, match="Nobody could read"):
        await note.property({"recordId": "a", "descriptor": {"dataFormat": "text/plain"}})


async def test_a_context_without_a_key_cannot_be_asked_for_one(world: World) -> None:
    web5 = await connected(world)
    await web5.dwn.protocols.configure({**DEFINITION, "types": {"day": {}, "mood": {}}})
    day = await web5.dwn.records.create("in the clear", **DAY)
    mood = {"protocol": DIARY, "protocol_path": "day/mood", "parent_context_id": day.context_id}
    by_context = Encryption(schemes=["protocolPath", "protocolContext"])
    with pytest.raises(EncryptionError, match="No key by protocolContext"):
        await web5.dwn.records.create("good", encryption=by_context, **mood)
    with pytest.raises(EncryptionError, match="Only who began"):
        await day.share_context(web5.connected_did)


async def test_an_identity_without_such_a_key_encrypts_for_itself(world: World) -> None:
    web5 = await connected(world)
    other = await create(CPythonCrypto(), "Ed25519")
    await web5.agent.import_identity({"portableDid": other.to_wire(), "metadata": {"name": "other"}})
    theirs = await web5.use(other.uri)
    record = await theirs.dwn.records.create(SECRET, encryption=True)
    assert await record.data.text() == SECRET
    [entry] = record.raw_message["encryption"]["keyEncryption"]
    assert entry["rootKeyId"] == f"{other.uri}#0"


async def _a_thread_with_a_guest(world: World) -> tuple[Web5, Web5, Record, Record]:
    """Alice has a thread with a line; Carol is made its guest."""
    alice, carol = await connected(world, "alice"), await connected(world, "carol")
    await alice.dwn.protocols.configure(CHAT_DEFINITION, encryption=True)
    thread = await alice.dwn.records.create("plans", **THREAD)
    line = await alice.dwn.records.create(SECRET, parent_context_id=thread.context_id, **LINE)
    guest = {"recipient": carol.connected_did, "parent_context_id": thread.context_id}
    await alice.dwn.records.create("welcome", **guest, **GUEST)
    assert (await alice.sync.now()).ok
    return alice, carol, thread, line


async def _lines(reader: Web5, host: Web5, thread: Record) -> list[Record]:
    return await reader.dwn.records.query(
        from_=host.connected_did,
        protocol=CHAT,
        protocol_path="thread/line",
        context_id=thread.context_id,
        protocol_role="thread/guest",
    )


async def test_who_is_given_a_role_is_given_the_key_of_its_context(world: World) -> None:
    alice, carol, thread, _ = await _a_thread_with_a_guest(world)
    [line] = await _lines(carol, alice, thread)
    assert await line.data.text() == SECRET
    await alice.dwn.records.create("later", parent_context_id=thread.context_id, **LINE)
    assert (await alice.sync.now()).ok
    assert [await one.data.text() for one in await _lines(carol, alice, thread)] == [SECRET, "later"]

    other = await alice.dwn.records.create("another thread", **THREAD)
    private = await alice.dwn.records.create("not for guests", parent_context_id=other.context_id, **LINE)
    seen = Record(
        carol.agent,
        Actor(carol.connected_did, carol.agent.signer),
        private.raw_message,
        data=b"ciphertext",
        remote=alice.connected_did,
    )
    with pytest.raises(KeyMissing):
        await seen.data.text()
    await private.share_context(carol.connected_did)
    assert (await alice.sync.now()).ok
    assert len(await seen.data.bytes()) == len(b"ciphertext")
    with pytest.raises(EncryptionError, match="Only who began"):
        await seen.share_context(carol.connected_did)


async def test_a_key_that_was_given_is_there_without_the_giver_and_on_other_devices(world: World) -> None:
    alice, carol, thread, _ = await _a_thread_with_a_guest(world)
    [line] = await _lines(carol, alice, thread)
    assert await line.data.text() == SECRET
    assert (await carol.sync.now()).ok
    phone = await second_device(world, carol)
    assert (await phone.sync.now()).ok
    [same] = await _lines(phone, alice, thread)
    world.down |= {"dwn0", "dwn1"}
    assert await same.data.text() == SECRET


async def test_a_key_that_cannot_be_fetched_is_missing_and_says_why(world: World) -> None:
    alice, carol, thread, _ = await _a_thread_with_a_guest(world)
    [line] = await _lines(carol, alice, thread)
    world.down |= {"dwn0", "dwn1"}
    with pytest.raises(KeyMissing) as caught:
        await line.data.text()
    assert isinstance(caught.value.__cause__, RemoteError)
    world.down.clear()
    assert await line.data.text() == SECRET


@pytest.mark.parametrize("text", ["[" * 1000 + "]" * 1000, '{"rootKeyId": NaN}', "no JSON"])
async def test_what_a_stranger_gives_instead_of_a_key_is_passed_over(
    world: World, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """JSON from a stranger is parsed strictly: one that is nested deeply would end a browser's interpreter."""
    with monkeypatch.context() as patch:
        patch.setattr(context_keys, "json", SimpleNamespace(dumps=lambda *_, **__: text))
        alice, carol, thread, _ = await _a_thread_with_a_guest(world)
    [line] = await _lines(carol, alice, thread)
    parsed, parse = [], strict_json.parse
    monkeypatch.setattr(strict_json, "parse", lambda text, *more: parsed.append(text) or parse(text, *more))
    with pytest.raises(KeyMissing):
        await line.data.text()
    assert text in parsed


async def test_a_role_is_not_given_to_somebody_who_could_not_read(world: World) -> None:
    alice, _, thread, _ = await _a_thread_with_a_guest(world)
    keyless = (await create(CPythonCrypto(), "Ed25519")).uri
    before = len(await alice.dwn.records.query(protocol=CHAT))
    with pytest.raises(EncryptionError, match=keyless):
        await alice.dwn.records.create("", recipient=keyless, parent_context_id=thread.context_id, **GUEST)
    assert len(await alice.dwn.records.query(protocol=CHAT)) == before
