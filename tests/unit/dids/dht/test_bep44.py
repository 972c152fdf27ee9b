"""BEP 44 items against the reference's bytes, and their limits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jwk import key_bytes
from web5.dids.dht import bep44
from web5.dids.dht.identity import identity_key
from web5.errors import DidError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())["dht"]
vectors = pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
crypto = CPythonCrypto()


@vectors
async def test_signs_what_the_reference_signs(vector: Any) -> None:
    packet = bytes.fromhex(vector["packet"])
    assert bep44.signing_input(vector["seq"], packet) == bytes.fromhex(vector["signingInput"])
    signer = await crypto.signer(vector["portable"]["privateKeys"][0])
    item = await bep44.sign_item(identity_key(vector["portable"]["uri"]), vector["seq"], packet, signer)
    assert item.signature.hex() == vector["signature"]
    assert await bep44.verify_item(item, crypto)


def test_the_vector_of_bep_44() -> None:
    # https://www.bittorrent.org/beps/bep_0044.html, test 1 (mutable)
    assert bep44.signing_input(1, b"Hello World!") == b"3:seqi1e1:v12:Hello World!"


async def _item(seq: int = 5, value: bytes = b"value") -> bep44.SignedItem:
    private = await crypto.generate_key("Ed25519")
    return await bep44.sign_item(key_bytes(private), seq, value, await crypto.signer(private))


@pytest.mark.parametrize("seq", [0, 1, 2**63 - 1])
@pytest.mark.parametrize("value", [b"", b"value", bytes(900)])
async def test_a_payload_gives_its_item_back(seq: int, value: bytes) -> None:
    item = await _item(seq, value)
    payload = bep44.encode(item)
    assert payload == item.signature + seq.to_bytes(8, "big") + value
    assert bep44.parse_relay_payload(item.key, payload) == item


async def test_a_changed_item_does_not_verify() -> None:
    item = await _item()
    body = bep44.encode(item)
    for at in range(len(body)):
        changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
        assert not await bep44.verify_item(bep44.parse_relay_payload(item.key, changed), crypto)
    other = await _item()
    assert not await bep44.verify_item(bep44.parse_relay_payload(other.key, body), crypto)
    assert not await bep44.verify_item(bep44.parse_relay_payload(b"\xff" * 32, body), crypto)


@pytest.mark.parametrize(
    ("version", "number"),
    [("1732550000", 1732550000), (None, 0), (7, 0), ("", 0), ("-1", 0), ("1e3", 0), ("9" * 5000, 0)],
    ids=lambda value: repr(value)[:12],
)
def test_a_version_is_a_sequence_number_or_none(version: Any, number: int) -> None:
    assert bep44.version_of({"versionId": version}) == number
    assert bep44.version_of({}) == 0


async def test_limits() -> None:
    with pytest.raises(DidError) as too_long:
        await _item(1, bytes(1000))
    assert too_long.value.code == "invalidDidDocumentLength"
    for seq in (-1, 2**63):
        with pytest.raises(DidError):
            await _item(seq)
    for body, code in (
        (bytes(71), "invalidDidDocumentLength"),
        (bytes(1073), "invalidDidDocumentLength"),
        (bytes(64) + b"\xff" * 8, "invalidDidDocument"),
    ):
        with pytest.raises(DidError) as refused:
            bep44.parse_relay_payload(bytes(32), body)
        assert refused.value.code == code
    with pytest.raises(DidError) as wrong_key:
        bep44.parse_relay_payload(bytes(31), bytes(100))
    assert wrong_key.value.code == "invalidPublicKeyLength"
    assert bep44.parse_relay_payload(bytes(32), bytes(72)).value == b""
    assert len(bep44.parse_relay_payload(bytes(32), bytes(1072)).value) == 1000


@given(key=st.binary(max_size=40), body=st.binary(max_size=200))
def test_any_bytes_are_an_item_or_a_did_error(key: bytes, body: bytes) -> None:
    try:
        item = bep44.parse_relay_payload(key, body)
    except DidError:
        return
    assert bep44.encode(item) == body


def test_a_sequence_number_in_the_future_is_refused_with_the_time() -> None:
    bep44.check_clock(1_000_600, 1_000_000, 600)
    with pytest.raises(DidError) as refused:
        bep44.check_clock(1_000_601, 1_000_000, 600)
    assert refused.value.code == "invalidSequence"
    assert bep44.told_clock(str(refused.value)) == 1_000_000
    assert bep44.told_clock("internalError: busy") is None
    assert bep44.told_clock("is ahead of the clock here, which says 12345678901234567890") is None
