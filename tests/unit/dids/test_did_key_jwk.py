"""did:key and did:jwk against the reference's documents."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_encode
from web5.crypto.jose.jwk import public_jwk
from web5.dids import jwk, key
from web5.dids.keys import private_key, signer_for
from web5.dids.resolver import UniversalResolver
from web5.errors import CryptoError, InvalidArgument
from web5.ports.crypto import KeyAlgorithm

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
crypto = CPythonCrypto()
resolver = UniversalResolver([jwk.DidJwk(), key.DidKey()])


@pytest.mark.parametrize("vector", [vector for vector in VECTORS["key"] + VECTORS["jwk"] if vector["didDocument"]])
async def test_documents_are_the_references(vector: Any) -> None:
    expected = {name: value for name, value in vector.items() if name != "_did"}
    assert (await resolver.resolve(vector["didDocument"]["id"])).to_wire() == expected


@pytest.mark.parametrize(
    "vector", [vector for vector in VECTORS["key"] if not vector["didDocument"]], ids=lambda vector: vector["_did"]
)
async def test_errors_are_the_references(vector: Any) -> None:
    expected = {name: value for name, value in vector.items() if name != "_did"}
    assert (await resolver.resolve(vector["_did"])).to_wire() == expected


KEY_OPTIONS: dict[str, Any] = {
    "encryption": {"encryption_key": True},
    "encryption in multibase": {"encryption_key": True, "key_format": "Multibase"},
    "multibase": {"key_format": "Multibase"},
}
"""The vectors' names, and our options for what the reference was asked."""


@pytest.mark.parametrize("vector", VECTORS["keyOptions"], ids=lambda vector: vector["name"])
async def test_documents_with_options_are_the_references(vector: Any) -> None:
    options = UniversalResolver([key.DidKey(**KEY_OPTIONS[vector["name"]])])
    assert (await options.resolve(vector["did"])).to_wire() == vector["result"]


async def test_a_key_that_a_format_has_not_is_told() -> None:
    portable_did = await key.create(crypto, "secp256k1")
    multibase = UniversalResolver([key.DidKey(encryption_key=True, key_format="Multibase")])
    assert (await multibase.resolve(portable_did.uri)).error == "invalidPublicKeyType"


async def test_a_did_key_with_an_encryption_key_has_both_keys() -> None:
    portable_did = await key.create(crypto, encryption_key=True)
    resolver = UniversalResolver([key.DidKey(encryption_key=True)])
    assert (await resolver.resolve(portable_did.uri)).did_document == portable_did.document
    [method_id] = portable_did.document.key_agreement or []
    assert isinstance(method_id, str)
    method = portable_did.document.find_method(method_id)
    assert method is not None and method.public_key_jwk is not None
    assert private_key(portable_did, method)["crv"] == "X25519"
    assert (await signer_for(portable_did, crypto)).algorithm == "EdDSA"


@pytest.mark.parametrize("method", [jwk, key])
async def test_own_keys_make_the_did(method: Any) -> None:
    own = await crypto.generate_key("Ed25519")
    first, second = [await method.create(crypto, private_jwk=own) for _ in range(2)]
    assert first == second and first.private_keys[0]["d"] == own["d"]


@pytest.mark.parametrize("method", [jwk, key])
async def test_impossible_keys_are_refused(method: Any) -> None:
    own = await crypto.generate_key("Ed25519")
    for algorithm, other in (("secp256k1", own), ("Ed25519", public_jwk(own))):
        with pytest.raises(InvalidArgument):
            await method.create(crypto, algorithm, private_jwk=other)
    for malformed in ({}, {"kty": "OKP"}, {**own, "x": "*"}):
        with pytest.raises(CryptoError):
            await method.create(crypto, private_jwk=malformed)
    with pytest.raises(InvalidArgument, match="Ed25519"):
        await key.create(crypto, "P-256", encryption_key=True)


@pytest.mark.parametrize(("use", "agrees", "signs"), [(None, True, True), ("sig", False, True), ("enc", True, False)])
async def test_the_use_of_a_did_jwk_decides_its_relationships(use: Any, agrees: bool, signs: bool) -> None:
    document = (await jwk.create(crypto, "P-256", use=use)).document
    assert (document.key_agreement is not None, document.assertion_method is not None) == (agrees, signs)
    assert (document.capability_delegation is not None, document.authentication is not None) == (signs, signs)


async def test_a_p256_did_key_of_the_specification() -> None:
    # https://w3c-ccg.github.io/did-key-spec/#p-256; the reference refuses this curve
    result = await resolver.resolve("did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169")
    assert result.did_document is not None
    [method] = result.did_document.verification_methods
    assert method.public_key_jwk is not None
    assert {name: method.public_key_jwk[name] for name in ("kty", "crv", "x", "y")} == {
        "kty": "EC",
        "crv": "P-256",
        "x": "fyNYMN0976ci7xqiSdag3buk-ZCwgXU4kz9XNkBlNUI",
        "y": "hW2ojTNfH7Jbi8--CJUo3OCbH3y5n91g-IMA9MLMbTU",
    }


@pytest.mark.parametrize(
    "did",
    [
        "did:jwk:abc",
        "did:jwk:" + b64url_encode(b"[]"),
        "did:jwk:" + b64url_encode(b'{"kty":'),
        "did:jwk:" + b64url_encode(b'{"kty":"OKP","crv":"Ed25519","x":"","d":""}'),
        "did:jwk:" + b64url_encode(b"\xff"),
        "did:jwk:" + b64url_encode(b"[" * 5000),
        "did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F" * 2,
        "did:key:zQ3sh" + "1" * 5000,
    ],
    ids=lambda did: did[:30],
)
async def test_malformed_dids_are_invalid(did: str) -> None:
    assert (await resolver.resolve(did)).error == "invalidDid"


@pytest.mark.parametrize("method", [jwk, key])
@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_a_created_did_resolves_and_signs(method: Any, algorithm: KeyAlgorithm) -> None:
    portable_did = await method.create(crypto, algorithm)
    assert (await resolver.resolve(portable_did.uri)).did_document == portable_did.document
    signer = await signer_for(portable_did, crypto)
    found = portable_did.document.find_method(signer.key_id)
    assert found is not None and found.public_key_jwk is not None and "d" not in found.public_key_jwk
    assert await crypto.verify(found.public_key_jwk, b"data", await signer.raw.sign(b"data"))


@given(st.sampled_from(["key", "jwk"]), st.text(max_size=80) | st.binary(max_size=60).map(b64url_encode))
async def test_any_identifier_gives_a_result(method: str, identifier: str) -> None:
    result = await resolver.resolve(f"did:{method}:{identifier}")
    assert (result.error is None) == (result.did_document is not None)
    assert result.error != "internalError", result


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    )
)
async def test_any_json_in_a_did_jwk_gives_a_result(value: Any) -> None:
    result = await resolver.resolve("did:jwk:" + b64url_encode(json.dumps(value).encode()))
    assert result.error in (None, "invalidDid", "invalidDidDocument"), result
