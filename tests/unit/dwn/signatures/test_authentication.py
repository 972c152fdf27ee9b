"""Signatures: who made a message is verified with the key in the signer's DID document."""

from __future__ import annotations

import base64
import gc
import json
from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import person
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jws import MessageSigner, sign
from web5.crypto.signature_cache import SignatureCache
from web5.dids.models import DidDocument, DidResolutionResult
from web5.dwn import compose
from web5.dwn.signatures.authentication import Verifier
from web5.errors import Unauthorized
from web5.ports.crypto import Jwk


def b64(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_every_algorithm(world: World, algorithm: str) -> None:
    alice = await person(algorithm)
    write = await world.compose(by=alice)
    assert await world.status(write, b"hello", tenant=alice) == (202, "Accepted")
    entry = (await world.compose(by=alice))["authorization"]["signature"]["signatures"][0]
    forged = await world.compose(by=alice)
    forged["authorization"]["signature"]["signatures"][0]["signature"] = entry["signature"]
    assert await world.status(forged, b"hello", tenant=alice) == (401, "GeneralJwsVerifierInvalidSignature")


async def test_nobody_signs_in_the_name_of_another(world: World) -> None:
    impostor = MessageSigner(world.alice.signer.key_id, world.bob.signer.raw)
    write = await compose.records_write(impostor, world.clock, data=b"hello", data_format="text/plain")
    assert await world.status(write, b"hello") == (401, "GeneralJwsVerifierInvalidSignature")


@pytest.mark.parametrize("signature", ["", "AAAA", "A"])
async def test_what_is_no_signature(world: World, signature: str) -> None:
    query = await compose.messages_query(world.alice.signer, world.clock)
    query["authorization"]["signature"]["signatures"][0]["signature"] = signature
    assert (await world.status(query))[0] in (400, 401)


@pytest.mark.parametrize("key_id", ["did:jwk:!#0", "did:unknown:x#0", "nonsense", "", "did:key:z6Mk#x"])
async def test_a_key_that_cannot_be_found(world: World, key_id: str) -> None:
    stranger = MessageSigner(key_id, world.alice.signer.raw)
    query = await compose.messages_query(stranger, world.clock)
    assert await world.status(query) == (401, "GeneralJwsVerifierGetPublicKeyNotFound")


@pytest.mark.parametrize(
    "jwk",
    [{}, {"kty": "none"}, {"kty": {}, "crv": "Ed25519", "x": "AAAA"}, {"kty": "OKP", "crv": [], "x": "AAAA"}],
)
async def test_a_did_that_names_no_key(world: World, jwk: Any) -> None:
    stranger = MessageSigner(f"did:jwk:{b64(jwk)}#0", world.alice.signer.raw)
    query = await compose.messages_query(stranger, world.clock)
    assert await world.status(query) == (401, "SchemaValidatorFailure")


@pytest.mark.parametrize("header", [None, [], 1, {}, {"kid": 1}])
async def test_a_header_without_a_key_id(world: World, header: Any) -> None:
    query = await compose.messages_query(world.alice.signer, world.clock)
    query["authorization"]["signature"]["signatures"][0]["protected"] = b64(header)
    assert (await world.status(query))[0] == 400


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ([], "JwsDecodePlainObjectPayloadInvalid"),
        (None, "JwsDecodePlainObjectPayloadInvalid"),
        (float("nan"), "JwsDecodePlainObjectPayloadInvalid"),
        ({}, "SchemaValidatorFailure"),
        ({"descriptorCid": "x", "unknown": 1}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"descriptorCid": "x"}, "AuthenticateDescriptorCidMismatch"),
    ],
)
async def test_a_payload_that_is_not_about_the_message(world: World, payload: Any, code: str) -> None:
    query = await compose.messages_query(world.alice.signer, world.clock)
    query["authorization"]["signature"] = await sign(json.dumps(payload).encode(), [world.alice.signer])
    assert await world.status(query) == (400, code)


async def test_one_signature_only(world: World) -> None:
    query = await compose.messages_query(world.alice.signer, world.clock)
    signatures = query["authorization"]["signature"]["signatures"]
    signatures.append(signatures[0])
    assert await world.status(query) == (400, "AuthenticationMoreThanOneSignatureNotSupported")


class CountingCrypto(CPythonCrypto):
    verified = 0

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        self.verified += 1
        return await super().verify(public_jwk, data, signature)


class OneDocument:
    """Resolves every DID to the same document, as it stands."""

    def __init__(self, methods: list[dict[str, Any]]) -> None:
        self.asked: list[str] = []
        self.document: DidDocument | None = DidDocument.from_wire(
            {"id": "did:example:a", "verificationMethod": methods, "authentication": ["#key"]}
        )

    async def resolve(self, did_uri: str) -> DidResolutionResult:
        self.asked.append(did_uri)
        return DidResolutionResult(did_document=self.document)


async def key_and_signer() -> tuple[Jwk, MessageSigner]:
    crypto = CPythonCrypto()
    jwk = await crypto.generate_key("Ed25519")
    public = {name: value for name, value in jwk.items() if name != "d"}
    return public, MessageSigner("did:example:a#key", await crypto.signer(jwk))


def method(jwk: Jwk, **other: Any) -> dict[str, Any]:
    return {"id": "#key", "type": "JsonWebKey", "controller": "did:example:a", "publicKeyJwk": jwk, **other}


async def test_a_good_signature_is_verified_once(world: World) -> None:
    jwk, signer = await key_and_signer()
    resolver, crypto = OneDocument([method(jwk)]), CountingCrypto()
    verifier = Verifier(resolver, SignatureCache(crypto))
    authorization = {"signature": await sign(b"{}", [signer])}
    for _ in range(3):
        await verifier.authenticate({"authorization": authorization})
    assert crypto.verified == 1
    # The owner of the DID changed the key: what the old one signed is not believed any more.
    other, _ = await key_and_signer()
    resolver.document = OneDocument([method(other)]).document
    with pytest.raises(Unauthorized, match="GeneralJwsVerifierInvalidSignature"):
        await verifier.authenticate({"authorization": authorization})


async def test_a_bad_signature_is_not_remembered_as_good() -> None:
    jwk, signer = await key_and_signer()
    verifier = Verifier(OneDocument([method(jwk)]), CPythonCrypto())
    jws = await sign(b"{}", [signer])
    forged = {**jws, "payload": b64({"a": 1})}
    for _ in range(2):
        with pytest.raises(Unauthorized, match="GeneralJwsVerifierInvalidSignature"):
            await verifier.authenticate({"authorization": {"signature": forged}})
        await verifier.authenticate({"authorization": {"signature": jws}})


async def test_both_signatures_must_hold() -> None:
    jwk, signer = await key_and_signer()
    verifier = Verifier(OneDocument([method(jwk)]), CPythonCrypto())
    jws = await sign(b"{}", [signer])
    await verifier.authenticate({"authorization": {"signature": jws, "ownerSignature": jws}})
    with pytest.raises(Unauthorized):
        await verifier.authenticate(
            {"authorization": {"signature": jws, "ownerSignature": {**jws, "payload": b64({"a": 1})}}}
        )
    with pytest.raises(Unauthorized, match="AuthenticateJwsMissing"):
        await verifier.authenticate({})


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "Ed25519VerificationKey2018"}, "SchemaValidatorFailure"),
        ({"controller": "nobody"}, "SchemaValidatorFailure"),
        ({"unknown": 1}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA", "d": "AA"}}, "SchemaValidatorFailure"),
        ({"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519"}}, "SchemaValidatorFailure"),
        ({"publicKeyJwk": {"kty": "XYZ"}}, "SchemaValidatorFailure"),
        ({"publicKeyJwk": {"kty": "OKP", "crv": "X25519", "x": "AA"}}, "JwsVerifySignatureUnsupportedCrv"),
        ({"publicKeyJwk": {"kty": "RSA", "n": "AA", "e": "AQAB"}}, "JwsVerifySignatureUnsupportedCrv"),
        ({"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}, "GeneralJwsVerifierInvalidSignature"),
        ({"id": "#other"}, "GeneralJwsVerifierGetPublicKeyNotFound"),
    ],
)
async def test_a_verification_method_that_cannot_verify(change: dict[str, Any], code: str) -> None:
    jwk, signer = await key_and_signer()
    verifier = Verifier(OneDocument([method(jwk, **change)]), CPythonCrypto())
    with pytest.raises(Unauthorized) as refused:
        await verifier.authenticate({"authorization": {"signature": await sign(b"{}", [signer])}})
    assert (refused.value.status, refused.value.code) == (401, code)


async def test_nobody_is_asked_for_the_signers_of_a_message_that_is_refused_already() -> None:
    """So that a false signature does not have a stranger's website asked."""
    jwk, signer = await key_and_signer()

    resolver = OneDocument([method(jwk)])
    verifier = Verifier(resolver, CPythonCrypto())
    good = await sign(b"{}", [signer])
    bad = {**good, "payload": b64({"a": 1})}
    other = await sign(b"{}", [MessageSigner("did:web:stranger.example#0", signer.raw)])
    messages = [{"authorization": {"signature": one, "ownerSignature": other}} for one in (bad, good)]
    both = ["did:example:a", "did:web:stranger.example"]
    for message, asked in zip(messages, (both[:1], both), strict=True):
        resolver.asked.clear()
        with pytest.raises(Unauthorized):
            await verifier.authenticate(message)
        assert resolver.asked == asked
    resolver.asked.clear()
    codes = [refusal and refusal.code for refusal in await verifier.authenticate_each(messages)]
    assert codes == ["GeneralJwsVerifierInvalidSignature", "GeneralJwsVerifierGetPublicKeyNotFound"]
    assert sorted(resolver.asked) == both


async def test_a_key_of_a_document_that_is_gone_signs_nothing() -> None:
    jwk, signer = await key_and_signer()
    resolver = OneDocument([method(jwk)])
    verifier = Verifier(resolver, CPythonCrypto())
    message = {"authorization": {"signature": await sign(b"{}", [signer])}}
    await verifier.authenticate(message)
    resolver.document = None
    gc.collect()
    with pytest.raises(Unauthorized, match="GeneralJwsVerifierGetPublicKeyNotFound"):
        await verifier.authenticate(message)
