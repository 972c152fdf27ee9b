"""Which of an identity's keys its records are encrypted with; the numbers are the invariants of keyring.py."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.conftest import World
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode
from web5.crypto.jose.jwk import public_jwk
from web5.dids import jwk
from web5.dids.dht.creation import KeySpec, create
from web5.dids.keys import encryption_method
from web5.dids.models import DidDocument, PortableDid
from web5.dwn.encryption.derivation import DerivedKey
from web5.errors import DidError, EncryptionError, IdentityError

CRYPTO = CPythonCrypto()


def portable_identity(portable: PortableDid) -> dict[str, Any]:
    return {"portableDid": portable.to_wire(), "metadata": {"name": "Alice"}}


async def test_it_is_the_first_secp256k1_key_for_key_agreement(world: World) -> None:
    agent = await world.device("laptop")
    specs = [KeySpec("secp256k1", "sign", ("assertionMethod",)), KeySpec("X25519", "x", ("keyAgreement",))]
    specs += [KeySpec("secp256k1", name, ("keyAgreement",)) for name in ("enc", "spare")]
    portable = await create(CRYPTO, verification_methods=specs)
    await agent.import_identity(portable_identity(portable))
    root = await agent.keyring.root_key(portable.uri)
    [_, _, _, enc, _] = portable.private_keys or []
    assert root.key_id == f"{portable.uri}#enc"
    assert root.private == b64url_decode(enc["d"])
    assert await agent.keyring.encryption_key(portable.uri) == (root.key_id, public_jwk(enc))


async def test_1_every_device_with_the_identity_has_the_same_root(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    for portable in (await create(CRYPTO), await jwk.create(CRYPTO, "Ed25519"), await jwk.create(CRYPTO, "secp256k1")):
        await laptop.import_identity(portable_identity(portable))
        exported = json.loads(json.dumps(await laptop.export_identity(portable.uri)))
        await phone.import_identity(exported)
        assert await laptop.keyring.root_key(portable.uri) == await phone.keyring.root_key(portable.uri)


async def test_2_keys_that_others_gave_are_forgotten_with_the_lock(world: World) -> None:
    agent = await world.device("laptop")
    keys = agent.keyring.received_keys
    keys["did:a:b", "did:a:c#enc", "bafy"] = DerivedKey("did:a:c#enc", "protocolContext", (), bytes(32))
    await agent.lock()
    assert keys == {}


async def test_identities_that_are_not_here_have_no_root(world: World) -> None:
    agent = await world.device("laptop")
    with pytest.raises(IdentityError):
        await agent.keyring.root_key("did:dht:nobody")


async def test_without_its_private_key_there_is_no_root(world: World) -> None:
    agent = await world.device("laptop")
    portable = await create(CRYPTO, verification_methods=[KeySpec("secp256k1", "enc", ("keyAgreement",))])
    portable.private_keys = (portable.private_keys or [])[:1]
    await agent.import_identity(portable_identity(portable))
    with pytest.raises(DidError, match="#enc is not here"):
        await agent.keyring.root_key(portable.uri)


async def test_who_has_no_such_key_cannot_be_encrypted_for(world: World) -> None:
    agent = await world.device("laptop")
    keyless = (await create(CRYPTO, verification_methods=[KeySpec("X25519", "enc", ("keyAgreement",))])).document
    assert encryption_method(keyless) is None
    for did, reason in (((await jwk.create(CRYPTO, "Ed25519")).uri, "no secp256k1 key"), ("did:no:one", "not resolve")):
        with pytest.raises(EncryptionError, match=reason):
            await agent.keyring.encryption_key(did)


def test_a_method_may_stand_in_the_relationship_itself() -> None:
    method = {"id": "#k", "type": "JsonWebKey", "controller": "did:a:b", "publicKeyJwk": {"crv": "secp256k1"}}
    found = encryption_method(DidDocument.from_wire({"id": "did:a:b", "keyAgreement": ["#gone", method]}))
    assert found is not None and found.id == "#k"


@pytest.mark.parametrize("method_id", ["did:web:a#enc", "#enc", "enc"])
async def test_a_root_has_an_absolute_id_however_the_document_states_it(world: World, method_id: str) -> None:
    private = await CRYPTO.generate_key("secp256k1")
    method = {"type": "JsonWebKey", "controller": "did:web:a", "publicKeyJwk": public_jwk(private)}
    document = {
        "id": "did:web:a",
        "verificationMethod": [{"id": method_id, **method}],
        "keyAgreement": [method_id],
        "assertionMethod": [method_id],
    }
    agent = await world.device("laptop")
    portable = PortableDid.from_wire({"uri": "did:web:a", "document": document, "privateKeys": [private]})
    await agent.import_identity(portable_identity(portable))
    assert (await agent.keyring.root_key("did:web:a")).key_id == "did:web:a#enc"
    assert (await agent.keyring.encryption_key("did:web:a"))[0] == "did:web:a#enc"
