"""Encrypted records: what either side derives, wraps and encrypts, the other opens."""

from __future__ import annotations

import base64
import os
from typing import Any

import pytest

from tests.interop.reference import ReferenceScript, reference_fixture
from tests.unit.dwn.encryption.sealed import DEFINITION, collected, root_of, sealed_write
from tests.unit.dwn.persons import SteppingClock, our_engine, person
from web5.api.records.data import chunked
from web5.cpython.crypto import CPythonCrypto
from web5.crypto import ecies
from web5.crypto.jose.jwk import public_jwk
from web5.dwn import compose
from web5.dwn.encryption.content import ContentKey, Target, content_key
from web5.dwn.encryption.derivation import DerivedKey, Scheme, path_for
from web5.dwn.encryption.protocol_keys import with_keys

pytestmark = pytest.mark.asyncio(loop_scope="module")

CRYPTO = CPythonCrypto()
KEY_ID = "did:example:alice#enc"
SIZES = [0, 1, 15, 16, 17, 70_000]
FLAT = {"schema": "https://schema.example/note", "dataFormat": "text/plain"}
IN_PROTOCOL = {"protocol": "http://notes.example", "protocolPath": "note", "dataFormat": "text/plain"}
PLACES = [
    pytest.param(FLAT, ["schemas", "dataFormats"], id="with a schema"),
    pytest.param({"dataFormat": "text/plain"}, ["dataFormats"], id="without a schema"),
    pytest.param(IN_PROTOCOL, ["protocolPath", "protocolContext"], id="in a protocol"),
]


theirs = reference_fixture("encryption.mjs", scope="module")


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def test_keys_derive_to_the_same(theirs: ReferenceScript) -> None:
    root = await root_of(KEY_ID)
    path = ("schemas", "https://schema.example/note", "žluťoučký 🐎")
    jwk = await root.derive("schemas", ()).jwk(CRYPTO)
    ours = root.derive("schemas", path)
    assert encoded(ours.private) == await theirs.call("derive", privateJwk=jwk, path=path)
    ancestor = root.derive("schemas", path[:1])
    made = await theirs.call("derivedKey", ancestor=await ancestor.to_wire(CRYPTO), path=path[1:])
    assert made == await ours.to_wire(CRYPTO)
    assert DerivedKey.from_wire(made) == ours


async def test_ecies_both_ways(theirs: ReferenceScript) -> None:
    private = await CPythonCrypto().generate_key("secp256k1")
    for secret in (b"", b"s", os.urandom(32), os.urandom(1000)):
        made = await theirs.call("eciesEncrypt", publicJwk=public_jwk(private), data=encoded(secret))
        parts = [base64.b64decode(made[name]) for name in ("nonce", "tag", "ciphertext")]
        assert await ecies.decrypt(CRYPTO, private, ecies.Cryptogram(made["ephemeralPublicJwk"], *parts)) == secret
        ours = await ecies.encrypt(CRYPTO, public_jwk(private), secret)
        opened = await theirs.call(
            "eciesDecrypt",
            privateJwk=private,
            ephemeralPublicJwk=ours.ephemeral_public_jwk,
            nonce=encoded(ours.nonce),
            tag=encoded(ours.tag),
            ciphertext=encoded(ours.ciphertext),
        )
        assert base64.b64decode(opened) == secret


@pytest.mark.parametrize("size", SIZES)
async def test_the_same_ciphertext(theirs: ReferenceScript, size: int) -> None:
    # The counter is about to run over, which it does over all of its bits.
    content, data = ContentKey(os.urandom(32), b"\xff" * 15 + b"\xfd"), os.urandom(size)
    expected = await theirs.call("ctr", key=encoded(content.key), iv=encoded(content.iv), data=encoded(data))
    assert encoded(await collected(content.crypt(CRYPTO, chunked(data)))) == expected


@pytest.mark.parametrize(("place", "schemes"), PLACES)
async def test_we_open_what_the_reference_encrypts(
    theirs: ReferenceScript, place: dict[str, Any], schemes: list[Scheme]
) -> None:
    root, content, data = await root_of(KEY_ID), ContentKey.new(), os.urandom(50_000)
    made = await theirs.call(
        "write",
        data=encoded(data),
        key=encoded(content.key),
        iv=encoded(content.iv),
        privateJwk=await root.derive("schemas", ()).jwk(CRYPTO),
        rootKeyId=KEY_ID,
        schemes=schemes,
        properties=place,
    )
    message, ciphertext = made["message"], base64.b64decode(made["data"])
    for scheme in schemes:
        path = path_for(scheme, message)
        assert list(path) == await theirs.call("path", scheme=scheme, message=message)
        for depth in range(len(path) + 1):
            found = await content_key(CRYPTO, message, [root.derive(scheme, path[:depth])])
            assert found == content
            assert await collected(found.crypt(CRYPTO, chunked(ciphertext))) == data


@pytest.mark.parametrize(("place", "schemes"), PLACES)
async def test_the_reference_opens_what_we_encrypt(
    theirs: ReferenceScript, place: dict[str, Any], schemes: list[Scheme]
) -> None:
    root, data = await root_of(KEY_ID), os.urandom(50_000)
    message, ciphertext = await sealed_write(root, place, schemes, data)
    for scheme in schemes:
        path = path_for(scheme, message)
        for depth in range(len(path) + 1):
            key = await root.derive(scheme, path[:depth]).to_wire(CRYPTO)
            opened = await theirs.call("decrypt", message=message, key=key, data=encoded(ciphertext))
            assert base64.b64decode(opened) == data


async def test_the_reference_opens_what_is_encrypted_for_a_recipients_own_key(theirs: ReferenceScript) -> None:
    """A root is used as it is; to the reference that is a key that stands at the record's whole path already."""
    alice, bob = await root_of(KEY_ID), await root_of("did:example:bob#enc")
    public = public_jwk(await bob.derive("schemas", ()).jwk(CRYPTO))
    message, ciphertext = await sealed_write(
        alice, FLAT, ["schemas"], b"for bob", Target(bob.key_id, "schemas", public, named=True)
    )
    key = DerivedKey(bob.key_id, "schemas", path_for("schemas", message), bob.private)
    opened = await theirs.call("decrypt", message=message, key=await key.to_wire(CRYPTO), data=encoded(ciphertext))
    assert base64.b64decode(opened) == b"for bob"


async def test_protocols_get_the_same_keys(theirs: ReferenceScript) -> None:
    root = await root_of(KEY_ID)
    jwk = await root.derive("schemas", ()).jwk(CRYPTO)
    expected = await theirs.call("inject", definition=DEFINITION, rootKeyId=KEY_ID, privateJwk=jwk)
    assert await with_keys(DEFINITION, root, CRYPTO) == expected


async def test_both_engines_take_what_we_make(reference_engine: ReferenceScript) -> None:
    """A definition with keys, and a record below it that is encrypted by every way there is in a protocol."""
    clock, alice = SteppingClock(), await person()
    ours, root, bob = await our_engine(clock), await root_of(f"{alice.did}#enc"), await root_of("did:example:bob#enc")
    definition = await with_keys(DEFINITION, root, CRYPTO)
    configure = await compose.protocols_configure(alice.signer, clock, definition=definition)
    direct = Target(bob.key_id, "protocolPath", public_jwk(await bob.derive("schemas", ()).jwk(CRYPTO)), named=True)
    message, data = await sealed_write(root, IN_PROTOCOL, ["protocolPath", "protocolContext"], b"secret", direct)
    for request, body in ((configure, None), (message, data)):
        extra = {} if body is None else {"data": encoded(body)}
        theirs = await reference_engine.call("process", tenant=alice.did, message=request, **extra)
        mine = await ours.process_message(alice.did, request, body)
        assert theirs["status"]["code"] == mine["status"]["code"] == 202
    assert ours.protocol_definition(alice.did, "notes.example/") == definition
