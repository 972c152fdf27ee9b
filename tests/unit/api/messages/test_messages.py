"""The messages of the local DWN, as they were signed, and what a verification says of them."""

from __future__ import annotations

import copy

import pytest

from tests.unit.api.permissions.delegates import delegate, synced
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import ProtocolPermissions
from web5.api.messages.verification import Verification
from web5.errors import InvalidArgument, NotFound

NOTES = {"protocol": "https://example.org/notes", "published": True, "types": {"note": {}}, "structure": {"note": {}}}


def _states(found: Verification) -> dict[str, str]:
    return {check.subject: check.state for check in found.checks}


async def test_messages_come_in_pages_newest_first_or_last_and_by_method(world: World) -> None:
    web5 = await connected(world)
    await web5.dwn.protocols.configure(NOTES)
    for number in range(5):
        record = await web5.dwn.records.create(str(number), protocol=NOTES["protocol"], protocol_path="note")
    await record.update(data="other")
    await record.delete()
    log = await web5.dwn.messages.query(newest_first=False).all()
    # Of a record that is deleted, the first write and the delete are kept.
    assert [one.method for one in log] == ["Configure", *["Write"] * 5, "Delete"]
    assert {one.author for one in log} == {one.signer for one in log} == {web5.connected_did}
    page = await web5.dwn.messages.query(limit=3)
    assert [one.cid for one in page] == [one.cid for one in reversed(log)][:3] and page.cursor
    rest = await web5.dwn.messages.query(limit=4, cursor=page.cursor)
    assert [*page, *rest] == log[::-1] and rest.cursor is None
    for method in ("Write", "Delete", "Configure"):
        found = await web5.dwn.messages.query(method=method, newest_first=False, limit=2).all()
        assert found == [one for one in log if one.method == method]
    assert await web5.dwn.messages.of_record(record.id) == log[-2:]
    assert await web5.dwn.messages.of_record("other") == []
    with pytest.raises(InvalidArgument, match="did you mean 'Write'"):
        web5.dwn.messages.query(method="write")  # type: ignore[arg-type]


async def test_a_message_is_read_by_its_cid_with_its_data_and_verified(world: World) -> None:
    web5 = await connected(world)
    for text in ("short", "long" * 20_000):
        record = await web5.dwn.records.create(text)
        message = await web5.dwn.messages.read(record.message_cid)
        assert message.raw_message == record.raw_message and message.record_id == record.id
        assert b"".join([chunk async for chunk in await message.data()]) == text.encode()
        [signature] = message.signatures
        assert (signature.role, signature.signer, signature.algorithm) == ("author", web5.connected_did, "EdDSA")
        assert signature.payload["recordId"] == record.id
        found = await message.verify()
        assert found.ok and list(_states(found)) == ["messageCid", "claims", "signatures", "data"]
    before = await web5.dwn.messages.read(record.message_cid)
    await record.update(data="other")
    assert _states(await before.verify())["data"] == "unknown"
    await record.delete()
    deleted = await web5.dwn.messages.read(record.message_cid)
    assert (await deleted.verify()).ok
    with pytest.raises(NotFound):
        await deleted.data()
    with pytest.raises(NotFound):
        await web5.dwn.messages.read("bafy")


async def test_what_somebody_changed_does_not_verify(world: World) -> None:
    web5 = await connected(world)
    record = await web5.dwn.records.create("mine")
    pristine = web5.dwn.messages.parse(record.raw_message)
    assert (await pristine.verify()).ok and pristine.cid == record.message_cid
    forged = copy.deepcopy(record.raw_message)
    forged["descriptor"]["dataSize"] = 5
    assert _states(await web5.dwn.messages.parse(forged).verify()) == {"claims": "failed", "signatures": "ok"}
    forged = copy.deepcopy(record.raw_message)
    signature = forged["authorization"]["signature"]["signatures"][0]
    signature["signature"] = ("A" if signature["signature"][0] != "A" else "B") + signature["signature"][1:]
    assert _states(await web5.dwn.messages.parse(forged).verify()) == {"claims": "ok", "signatures": "failed"}
    for nonsense in ({"signature": {"signatures": 1}}, {"signature": {"payload": "", "signatures": [{}]}}, {}):
        states = _states(await web5.dwn.messages.parse({"descriptor": {}, "authorization": nonsense}).verify())
        assert states["claims"] == "failed"
    for other in ({}, {"descriptor": {}}, 3):
        with pytest.raises(InvalidArgument, match="no message of a DWN"):
            web5.dwn.messages.parse(other)  # type: ignore[arg-type]


async def test_a_stranger_who_cannot_be_found_now_is_not_known_to_have_signed(world: World) -> None:
    alice, bob = await connected(world), await connected(world, "bob")
    record = await alice.dwn.records.create("hers", published=True)
    world.down.add("dht")
    found = await bob.dwn.messages.parse(record.raw_message).verify()
    assert _states(found)["signatures"] == "unknown"


async def test_a_delegate_looks_at_what_it_holds(world: World) -> None:
    alice = await connected(world)
    await alice.dwn.protocols.configure(NOTES)
    made = await alice.dwn.records.create("hers", protocol=NOTES["protocol"], protocol_path="note")
    app = await delegate(world, alice, ProtocolPermissions(NOTES))
    await synced(alice, app)
    message = await app.dwn.messages.read(made.message_cid)
    assert message.author == alice.connected_did and (await message.verify()).ok
    written = await app.dwn.records.create("for her", protocol=NOTES["protocol"], protocol_path="note")
    message = await app.dwn.messages.read(written.message_cid)
    assert (message.author, message.signer) == (alice.connected_did, app.delegate_did)
    assert [one.role for one in message.signatures] == ["author", "author's grantor"]
    assert (await message.verify()).ok
