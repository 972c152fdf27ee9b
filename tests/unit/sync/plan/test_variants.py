"""What a stranger can make of a signed message is told from it, and what a node shows is held against what is here."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.dwn.persons import ENCRYPTION, SteppingClock, person
from web5.crypto.encoding import b64url_encode
from web5.dwn import compose
from web5.dwn.signatures.signing import sign_as_owner
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.sync.plan.variants import is_held, original, says_the_same

CLOCK = SteppingClock()
JWS = {"payload": b64url_encode(b"{}"), "signatures": [{"protected": "e30", "signature": "AAAA"}]}


async def write(**more: Any) -> Message:
    alice = await person("Ed25519")
    return await compose.records_write(alice.signer, CLOCK, data=b"1", data_format="text/plain", **more)


def with_member(message: Message, name: str = "signature") -> Message:
    changed = copy.deepcopy(message)
    changed["authorization"][name]["signatures"][0]["pad"] = "x"
    return changed


async def test_what_is_added_is_taken_away() -> None:
    alice, bob = await person("Ed25519"), await person("Ed25519")
    plain = await write()
    owned = await sign_as_owner(plain, alice.signer)
    encrypted = await write(encryption=ENCRYPTION)
    attested = await write(attestation_signers=[bob.signer])
    delete = await compose.records_delete(alice.signer, CLOCK, record_id=plain["recordId"])
    for message in (plain, owned, encrypted, attested, delete):
        assert original(message) is message
        assert original(with_member(message)) == message
    for made in ({**plain, "attestation": JWS}, {**plain, "encryption": ENCRYPTION}, with_member(plain)):
        assert message_cid(made) != message_cid(plain)
        assert original(made) == plain
        assert says_the_same(made, plain)
    assert original(with_member(owned, "ownerSignature")) == owned
    assert original({**encrypted, "attestation": JWS}) == encrypted
    assert original({**attested, "encryption": ENCRYPTION}) == attested


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        5,
        {},
        {"signature": None},
        {"signature": {"signatures": 5}},
        {"signature": {"payload": "!", "signatures": [1]}},
    ],
)
async def test_what_is_no_message_stays_as_it_is(authorization: Any) -> None:
    for message in ({}, {**await write(), "authorization": authorization, "encryption": {}}):
        assert original(message) is message


async def test_what_a_node_shows_in_the_place_of_a_write() -> None:
    alice = await person("Ed25519")
    first = await compose.records_write(alice.signer, CLOCK, data=b"1", data_format="text/plain")
    second = await compose.records_write(alice.signer, CLOCK, data=b"2", existing=first)
    delete = await compose.records_delete(alice.signer, CLOCK, record_id=first["recordId"])
    cid = message_cid(second)
    assert is_held(second, cid, second)
    assert is_held(second, cid, delete)
    assert is_held(first, message_cid(first), second)
    for found in (
        None,
        first,
        {**second, "encryption": ENCRYPTION},
        {},
        {"descriptor": 5},
        {"descriptor": {}},
        {"descriptor": {"messageTimestamp": 9}},
        {"descriptor": {"method": {1}}},
    ):
        assert not is_held(second, cid, found)
