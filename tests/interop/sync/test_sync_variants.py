"""Strangers make variants of messages, which the reference dwn-server takes; the devices of the owner do not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.devices import Device
from tests.interop.sync.setting import Setting
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_encode
from web5.dwn.data import MAX_INLINE_BYTES
from web5.dwn.values.cid import dag_cbor_cid, message_cid
from web5.dwn.values.types import Message
from web5.remote.dwn import RemoteDwn
from web5.sync import State

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENCRYPTION = {
    "algorithm": "A256CTR",
    "initializationVector": "AAAA",
    "keyEncryption": [
        {
            "rootKeyId": "x",
            "derivationScheme": "schemas",
            "algorithm": "ECIES-ES256K",
            "encryptedKey": "CCCC",
            "initializationVector": "DDDD",
            "ephemeralPublicKey": {"kty": "EC", "crv": "secp256k1", "x": "EEEE", "y": "FFFF"},
            "messageAuthenticationCode": "GGGG",
        }
    ],
}
SIZES = [20, 50_000]
"""Of data: with the message, and beside it."""


@pytest_asyncio.fixture(loop_scope="session")
async def setting(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> Setting:
    return await Setting.make(tmp_path, gateway, *servers)


def attested(message: Message, number: int) -> Message:
    """Add an attestation of nobody."""
    payload = b64url_encode(json.dumps({"descriptorCid": dag_cbor_cid(message["descriptor"])}).encode())
    header = b64url_encode(json.dumps({"alg": "EdDSA", "kid": f"did:example:nobody#{number}"}).encode())
    return {**message, "attestation": {"payload": payload, "signatures": [{"protected": header, "signature": "AAAA"}]}}


def encrypted(message: Message, number: int) -> Message:
    """Add an encryption of nothing."""
    [key] = ENCRYPTION["keyEncryption"]
    return {**message, "encryption": {**ENCRYPTION, "keyEncryption": [{**key, "rootKeyId": f"x{number}"}]}}


def padded(message: Message, number: int) -> Message:
    """Add a member to the signature."""
    changed = json.loads(json.dumps(message))
    changed["authorization"]["signature"]["signatures"][0]["pad"] = str(number)
    return changed


def higher(make: Any, message: Message, above: Message | None = None) -> Message:
    """A variant that the reference takes for newer than the message, and than another variant."""
    floor = max(message_cid(message), message_cid(above or message))
    return next(made for number in range(10_000) if message_cid(made := make(message, number)) > floor)


async def attack(setting: Setting, url: str, message: Message, data: bytes | None, code: int) -> None:
    """A stranger sends it."""
    http = HttpxHttp()
    reply = await RemoteDwn(http).process_message(url, setting.portable.uri, message, data)
    await http.close()
    assert reply["status"]["code"] == code, reply


async def settle(*devices: Device) -> None:
    for _ in range(2):
        for device in devices:
            assert (await device.sync.now()).ok


@pytest.mark.parametrize("make", [attested, padded, encrypted])
@pytest.mark.parametrize("size", SIZES)
async def test_a_record_that_a_variant_erased_is_put_back(setting: Setting, size: int, make: Any) -> None:
    one, two = setting.one.url, setting.two.url
    data = bytes(number & 255 for number in range(size))
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        events: list[tuple[str, str]] = []
        phone.sync.listeners.append(lambda event: events.append((event.kind, event.endpoint)))
        message = await phone.write(data, published=True, schema="https://example.org/s", tags={"a": 1})
        assert (await phone.sync.now()).ok
        await attack(setting, one, higher(make, message), None, 204)
        assert await phone.queried_at(one) == set()

        assert (await phone.sync.now()).ok
        assert ("displaced", one) in events and ("restored", one) in events
        assert await phone.contents() == {message["recordId"]: data}
        assert await phone.contents_at(one) == await phone.contents_at(two) == {message["recordId"]: data}
        assert phone.sync.unsettled() == []
        status = {status.endpoint: status for status in phone.sync.status()}
        assert (status[one].variants, status[one].displaced, status[two].variants) == (1, 0, 0)
        assert await phone.listed_by(two) == phone.held()
        checked = {found.endpoint: found for found in await phone.sync.check()}
        assert checked[one].same and len(checked[one].variants) == 1 and checked[one].displaced == ()

        # Later devices get it, and carry no variant either.
        await settle(laptop)
        assert await laptop.contents() == {message["recordId"]: data}
        assert laptop.held() == phone.held()
        assert laptop.sync.unsettled() == []
        assert await laptop.listed_by(two) == phone.held()
        for device in (phone, laptop):
            device.http.counts.clear()
            await settle(device)
            assert device.http.by_method() == {"MessagesQuery": 4}


@pytest.mark.parametrize("size", SIZES)
async def test_a_record_that_a_variant_made_unreadable_is_put_back(setting: Setting, size: int) -> None:
    await setting.create_identity(setting.one)
    data = bytes(number & 255 for number in range(size))
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        message = await phone.write(data, published=True)
        assert (await phone.sync.now()).ok
        if size > MAX_INLINE_BYTES:  # the first time it fails, and loses the record's data
            await attack(setting, setting.one.url, higher(encrypted, message), data, 500)
            [found] = await phone.sync.check()
            assert found.displaced == (message["recordId"],)
        await attack(setting, setting.one.url, higher(encrypted, message), data, 202)
        # A device that has nothing yet tells what the variant was made of.
        assert (await laptop.sync.now()).ok
        assert await laptop.contents() == {message["recordId"]: data}
        assert laptop.sync.unsettled() == []
        await settle(phone, laptop)
        for device in (phone, laptop):
            rows = device.dwn.store.record(device.dwn.store.tenant(device.did), message["recordId"])
            assert all("encryption" not in row.message for row in rows)
            assert await device.contents() == {message["recordId"]: data}
            assert device.sync.unsettled() == []
        assert await phone.contents_at(setting.one.url) == {message["recordId"]: data}
        assert all(found.same for found in await phone.sync.check())


async def test_data_that_a_stranger_had_the_node_lose_are_put_back(setting: Setting) -> None:
    """Nothing that the node lists tells of it; a check does."""
    await setting.create_identity(setting.one)
    data = bytes(number & 255 for number in range(50_000))
    async with setting.device("phone") as phone:
        message = await phone.write(data, published=True)
        assert (await phone.sync.now()).ok
        await attack(setting, setting.one.url, higher(encrypted, message), data, 500)
        [found] = await phone.sync.check()
        assert (found.displaced, found.same) == ((message["recordId"],), False)
        await settle(phone)
        assert await phone.contents_at(setting.one.url) == {message["recordId"]: data}
        [found] = await phone.sync.check()
        assert found.same and phone.sync.unsettled() == []


async def test_an_update_that_a_variant_displaced_is_put_back(setting: Setting) -> None:
    await setting.create_identity(setting.one)
    async with setting.device("phone") as phone, setting.device("laptop") as laptop:
        first = await phone.write(b"1", published=True)
        second = await phone.write(b"2", existing=first)
        assert (await phone.sync.now()).ok
        await attack(setting, setting.one.url, higher(encrypted, second), None, 202)
        await settle(phone, laptop, phone)
        for device in (phone, laptop):
            assert await device.contents() == {first["recordId"]: b"2"}
            assert device.sync.unsettled() == []
        assert await phone.contents_at(setting.one.url) == {first["recordId"]: b"2"}


async def test_what_comes_first_to_a_node_as_a_variant_or_without_its_data_is_put_right(setting: Setting) -> None:
    """The node says 409 to the message itself, as if it had it."""
    async with setting.device("phone") as phone:
        one, two = [await phone.write(data, published=True) for data in (b"one", b"two")]
        await attack(setting, setting.one.url, higher(attested, one), None, 204)
        await attack(setting, setting.two.url, two, None, 204)
        await settle(phone)
        expected = {one["recordId"]: b"one", two["recordId"]: b"two"}
        for url in (setting.one.url, setting.two.url):
            assert await phone.contents_at(url) == expected
        assert phone.sync.unsettled() == []


async def test_somebody_elses_record_is_reported_and_not_signed_in_his_place(setting: Setting) -> None:
    await setting.create_identity(setting.one)
    other = Setting(setting.folder / "other", setting.gateway, setting.one, setting.two)
    await other.create_identity(setting.one)
    uri = "https://example.org/guests"
    guests = {
        "protocol": uri,
        "published": True,
        "types": {"entry": {}},
        "structure": {"entry": {"$actions": [{"who": "anyone", "can": ["create", "read"]}]}},
    }
    (other.folder / "guest").mkdir(parents=True)
    async with setting.device("phone") as phone, other.device("guest") as guest:
        await phone.configure(guests)
        assert (await phone.sync.now()).ok
        await guest.configure(guests)
        entry = await guest.write(b"I was here", protocol=uri, protocol_path="entry", published=True)
        [sent] = await guest.sync.send(guest.did, message_cid(entry), phone.did)
        assert sent.accepted
        assert (await phone.sync.now()).ok
        await attack(setting, setting.one.url, higher(attested, entry), None, 204)

        [again] = await guest.sync.send(guest.did, message_cid(entry), phone.did)
        assert not again.accepted and "RecordDisplaced" in again.detail
        await settle(phone)
        [row] = phone.sync.unsettled()
        assert (row.state, row.direction, row.code) == (State.DISPLACED, "push", 409)
        assert row.message_cid == message_cid(entry) and row.detail.startswith("RecordDisplaced: ")
        [status] = phone.sync.status()
        assert (status.displaced, status.pending_out) == (1, 1)
        [found] = await phone.sync.check()
        assert found.displaced == (entry["recordId"],) and not found.same
        assert await phone.contents() == {entry["recordId"]: b"I was here"}


async def test_many_variants_cost_one_question_each(setting: Setting) -> None:
    await setting.create_identity(setting.one)
    async with setting.device("phone") as phone:
        message = await phone.write(b"published", published=True)
        assert (await phone.sync.now()).ok
        made = sorted((attested(message, number) for number in range(1000)), key=message_cid)
        made = [one for one in made if message_cid(one) > message_cid(message)][:12]
        for variant in made:
            await attack(setting, setting.one.url, variant, None, 204)
        phone.http.counts.clear()
        await settle(phone)
        assert phone.http.by_method()["MessagesRead"] == len(made)
        assert await phone.contents_at(setting.one.url) == {message["recordId"]: b"published"}
        assert phone.sync.unsettled() == []
        [status] = phone.sync.status()
        assert status.variants == len(made)
