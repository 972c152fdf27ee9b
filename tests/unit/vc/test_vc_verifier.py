"""The verifier's invariants 1 to 3 (web5.vc.verifier), with real keys and with what @web5/credentials signed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.vc.parties import VECTORS, World, claims_of, crypto, sign_claims, with_part
from web5.crypto.encoding import b64url_decode
from web5.dids import jwk, key
from web5.dids.models import DidDocument, PortableDid
from web5.errors import CredentialError, InvalidArgument
from web5.ports.crypto import KeyAlgorithm
from web5.vc import (
    Code,
    VerifiableCredential,
    VerifiablePresentation,
    credential_signer,
    jwt,
    parse_credential,
    sign_credential,
    sign_presentation,
)
from web5.vc.verifier import LEEWAY_SECONDS

YEAR = 365 * 24 * 3600


@pytest.fixture
def world() -> World:
    return World()


async def refused(world: World, text: str, code: Code, **options: Any) -> str:
    with pytest.raises(CredentialError) as raised:
        await world.verifier.verify(text, **options)
    assert raised.value.code == code, raised.value
    return str(raised.value)


async def present(world: World, holder: PortableDid, vc_jwts: list[str], **options: Any) -> str:
    presentation = VerifiablePresentation.create(holder=holder.uri, vc_jwts=vc_jwts)
    return await sign_presentation(presentation, await credential_signer(holder, crypto), world.clock, **options)


@pytest.mark.parametrize("vector", VECTORS["credentials"], ids=lambda vector: vector["algorithm"])
async def test_what_the_reference_issued_holds(world: World, vector: dict[str, Any]) -> None:
    credential = await world.verifier.verify(vector["jwt"])
    expected = dict(vector["vc"])
    if "expirationDate" in expected:
        expected["expirationDate"] = "2124-05-06T05:08:09Z"  # as the reference's own verify gives the claim
    assert credential.to_wire() == expected
    assert (credential.issuer_id, credential.subject_id) == (vector["portableDid"]["uri"], "did:example:alice")


@pytest.mark.parametrize("vector", VECTORS["credentials"], ids=lambda vector: vector["algorithm"])
async def test_signed_anew_the_claims_are_the_references(world: World, vector: dict[str, Any]) -> None:
    issuer = PortableDid.from_wire(vector["portableDid"])
    again = await sign_credential(
        VerifiableCredential.from_wire(vector["vc"]), await credential_signer(issuer, crypto), world.clock
    )
    ours, theirs = claims_of(again), claims_of(vector["jwt"])
    assert list(ours) == list(theirs)
    assert {**ours, "iat": 0} == {**theirs, "iat": 0}
    await world.verifier.verify(again)


async def test_what_the_reference_presented_holds(world: World) -> None:
    verified = await world.verifier.verify_presentation(VECTORS["presentation"]["jwt"])
    assert verified.presentation.to_wire() == VECTORS["presentation"]["vp"]
    assert verified.holder == VECTORS["presentation"]["vp"]["holder"]
    assert [one.to_wire()["id"] for one in verified.credentials] == [one["vc"]["id"] for one in VECTORS["credentials"]]


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_each_kind_of_key_issues(world: World, algorithm: KeyAlgorithm) -> None:
    for issuer in (await jwk.create(crypto, algorithm), await key.create(crypto, algorithm)):
        text = await world.issue(issuer, type="Membership", expiration_date="2027-01-01T00:00:00Z")
        credential = await world.verifier.verify(text)
        assert credential.issuer_id == issuer.uri
        assert credential == parse_credential(text)


# Invariant 1: nothing is believed before the right key has signed it.


async def test_a_changed_credential_is_refused(world: World) -> None:
    issuer = await jwk.create(crypto)
    text = await world.issue(issuer)
    claims = claims_of(text)
    claims["vc"]["credentialSubject"]["level"] = "platinum"
    await refused(world, with_part(text, 1, claims), Code.INVALID_SIGNATURE)
    signature = b64url_decode(text.split(".")[2])
    await refused(world, with_part(text, 2, bytes([signature[0] ^ 1]) + signature[1:]), Code.INVALID_SIGNATURE)
    for short in (b"", signature[:-1]):
        await refused(world, with_part(text, 2, short), Code.INVALID_SIGNATURE)


async def test_another_did_cannot_sign_for_the_issuer(world: World) -> None:
    issuer, mallory = await jwk.create(crypto), await jwk.create(crypto)
    claims = claims_of(await world.issue(issuer))
    await refused(world, await sign_claims(mallory, claims), Code.KEY_NOT_ALLOWED)
    del claims["iss"]
    await refused(world, await sign_claims(issuer, claims), Code.KEY_NOT_ALLOWED)


async def test_the_algorithm_is_the_keys(world: World) -> None:
    text = await world.issue(await jwk.create(crypto))
    header = jwt.parse(text).header
    for algorithm in ("none", "HS256", "ES256K"):
        await refused(world, with_part(text, 0, {**header, "alg": algorithm}), Code.KEY_NOT_ALLOWED)


async def test_a_kid_is_the_did_url_of_a_key(world: World) -> None:
    text = await world.issue(await jwk.create(crypto))
    header = jwt.parse(text).header
    for kid in ("#0", "0", "did:nonsense", header["kid"].replace("#", "?version=1#")):
        await refused(world, with_part(text, 0, {**header, "kid": kid}), Code.MALFORMED_JWT)
    did = header["kid"].partition("#")[0]
    await refused(world, with_part(text, 0, {**header, "kid": f"{did}#1"}), Code.KEY_NOT_ALLOWED)


async def test_only_keys_for_assertions_issue(world: World) -> None:
    issuer = await _with_two_keys(world)
    for_assertions, for_authentication = (method.id for method in issuer.document.verification_methods)
    assert (await credential_signer(issuer, crypto)).key_id == for_assertions
    with pytest.raises(CredentialError, match=Code.KEY_NOT_ALLOWED):
        await credential_signer(issuer, crypto, "#login")
    await world.verifier.verify(await world.issue(issuer))

    other = issuer.model_copy(
        update={"document": issuer.document.model_copy(update={"assertion_method": [for_authentication]})}
    )
    await refused(world, await world.issue(other), Code.KEY_NOT_ALLOWED)
    # But it proves who shows credentials.
    credential = await world.issue(issuer)
    verified = await world.verifier.verify_presentation(await present(world, other, [credential]))
    assert verified.holder == issuer.uri


async def test_relative_and_embedded_keys_are_found(world: World) -> None:
    issuer = await _with_two_keys(world)
    wire = issuer.document.to_wire()
    first = wire["verificationMethod"][0]
    for form in (
        {"assertionMethod": ["#say"]},
        {"assertionMethod": ["say"]},
        {"assertionMethod": [{**first, "id": "#say"}], "verificationMethod": []},
    ):
        document = DidDocument.from_wire({**wire, **form})
        world = World()
        world.known.documents[issuer.uri] = document
        text = await world.issue(issuer.model_copy(update={"document": document}))
        assert jwt.parse(text).key_id == f"{issuer.uri}#say"
        await world.verifier.verify(text)


async def test_a_key_that_is_not_a_jwk_or_cannot_sign_is_refused(world: World) -> None:
    issuer = await _with_two_keys(world)
    text = await world.issue(issuer)
    for change in ({"publicKeyJwk": None}, {"publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": "AA"}}):
        wire = issuer.document.to_wire()
        wire["verificationMethod"] = [{**wire["verificationMethod"][0], **change}]
        world = World()
        world.known.documents[issuer.uri] = DidDocument.from_wire(wire)
        await refused(world, text, Code.KEY_NOT_ALLOWED)


async def test_an_unknown_or_deactivated_issuer_is_refused(world: World) -> None:
    issuer = await _with_two_keys(world)
    text = await world.issue(issuer)
    world.known.metadata["deactivated"] = True
    await refused(world, text, Code.SIGNER_DEACTIVATED)
    assert "notFound" in await refused(World(), text, Code.SIGNER_NOT_RESOLVED)


async def test_nobody_signs_for_another(world: World) -> None:
    issuer, other = await jwk.create(crypto), await jwk.create(crypto)
    credential = VerifiableCredential.create(issuer=issuer.uri, subject="did:example:a", data={})
    with pytest.raises(InvalidArgument, match="issuer"):
        await sign_credential(credential, await credential_signer(other, crypto), world.clock)
    presentation = VerifiablePresentation.create(holder=issuer.uri, vc_jwts=[])
    with pytest.raises(InvalidArgument, match="holder"):
        await sign_presentation(presentation, await credential_signer(other, crypto), world.clock)


# Invariant 2: claims and credential agree.


@pytest.mark.parametrize("claim", ["iss", "sub", "jti", "nbf", "exp"])
async def test_a_claim_that_contradicts_the_credential_is_refused(world: World, claim: str) -> None:
    issuer = await jwk.create(crypto)
    claims = claims_of(await world.issue(issuer, expiration_date="2027-01-01T00:00:00Z"))
    if claim == "iss":
        claims["vc"]["issuer"] = "did:example:other"
    else:
        claims[claim] = claims[claim] + (1 if claim in ("nbf", "exp") else "x")
    await refused(world, await sign_claims(issuer, claims), Code.CLAIM_MISMATCH)


async def test_what_only_the_claims_say_is_in_the_credential(world: World) -> None:
    issuer = await jwk.create(crypto)
    whole = claims_of(await world.issue(issuer, expiration_date="2027-01-01T00:00:00Z"))
    bare = {**whole, "vc": {name: whole["vc"][name] for name in ("@context", "type")}}
    bare["vc"]["credentialSubject"] = {"level": "gold"}
    credential = await world.verifier.verify(await sign_claims(issuer, bare))
    assert credential.to_wire() == whole["vc"]


@pytest.mark.parametrize("claim", ["nbf", "exp"])
@pytest.mark.parametrize("value", ["soon", True, 1e300, 10**30, [1]])
async def test_a_time_that_is_none_is_refused(world: World, claim: str, value: Any) -> None:
    issuer = await jwk.create(crypto)
    claims = claims_of(await world.issue(issuer))
    await refused(world, await sign_claims(issuer, {**claims, claim: value}), Code.MALFORMED_CREDENTIAL)
    vp = claims_of(await present(world, issuer, []))
    with pytest.raises(CredentialError, match=Code.MALFORMED_PRESENTATION):
        await world.verifier.verify_presentation(await sign_claims(issuer, {**vp, claim: value}))


async def test_a_jwt_of_something_else_is_no_credential(world: World) -> None:
    issuer = await jwk.create(crypto)
    await refused(world, await sign_claims(issuer, {"iss": issuer.uri}), Code.MALFORMED_CREDENTIAL)
    await refused(world, await present(world, issuer, []), Code.MALFORMED_CREDENTIAL)
    with pytest.raises(CredentialError, match=Code.MALFORMED_PRESENTATION):
        await world.verifier.verify_presentation(await world.issue(issuer))


async def test_a_credential_holds_from_its_issuance_to_its_expiration(world: World) -> None:
    issuer = await jwk.create(crypto)
    text = await world.issue(issuer, expiration_date="2027-12-06T07:08:09Z")
    start, second = world.clock.us, 1_000_000
    for after, code in (
        (-LEEWAY_SECONDS - 1, Code.NOT_YET_VALID),
        (-LEEWAY_SECONDS, None),
        (YEAR + LEEWAY_SECONDS, None),
        (YEAR + LEEWAY_SECONDS + 1, Code.EXPIRED),
    ):
        world.clock.us = start + after * second
        if code is None:
            await world.verifier.verify(text)
        else:
            await refused(world, text, code)
    world.clock.us = start + (YEAR + 1) * second
    await refused(world, text, Code.EXPIRED, leeway=0)


async def test_an_expiration_that_is_no_claim_counts_too(world: World) -> None:
    issuer = await jwk.create(crypto)
    claims = claims_of(await world.issue(issuer))
    claims["vc"]["expirationDate"] = "2025-01-01T00:00:00Z"
    await refused(world, await sign_claims(issuer, claims), Code.EXPIRED)


# Invariant 3: a presentation holds only if each credential does.


async def test_a_presentation_with_one_bad_credential_is_refused(world: World) -> None:
    issuer, holder = await jwk.create(crypto), await key.create(crypto, "secp256k1")
    good = await world.issue(issuer, subject=holder.uri)
    text = await present(world, holder, [good, good])
    assert len((await world.verifier.verify_presentation(text)).credentials) == 2
    claims = claims_of(good)
    claims["vc"]["credentialSubject"]["level"] = "platinum"
    with pytest.raises(CredentialError, match=Code.INVALID_SIGNATURE):
        await world.verifier.verify_presentation(await present(world, holder, [good, with_part(good, 1, claims)]))
    with pytest.raises(CredentialError, match=Code.INVALID_SIGNATURE):
        await world.verifier.verify_presentation(with_part(text, 1, claims_of(text) | {"jti": None}))


async def test_a_presentation_is_its_holders(world: World) -> None:
    holder, thief = await jwk.create(crypto), await jwk.create(crypto)
    claims = claims_of(await present(world, holder, []))
    for forged in (claims, {**claims, "iss": thief.uri}):
        with pytest.raises(CredentialError) as raised:
            await world.verifier.verify_presentation(await sign_claims(thief, forged))
        assert raised.value.code in (Code.KEY_NOT_ALLOWED, Code.CLAIM_MISMATCH)


async def test_a_presentation_is_for_its_audience_and_answers_its_request(world: World) -> None:
    holder = await jwk.create(crypto)
    text = await present(world, holder, [], audience="did:example:shop", nonce="n1")
    await world.verifier.verify_presentation(text, audience="did:example:shop", nonce="n1")
    for options, code in (
        ({}, Code.WRONG_AUDIENCE),
        ({"audience": "did:example:other", "nonce": "n1"}, Code.WRONG_AUDIENCE),
        ({"audience": "did:example:shop", "nonce": "n2"}, Code.WRONG_NONCE),
    ):
        with pytest.raises(CredentialError) as raised:
            await world.verifier.verify_presentation(text, **options)
        assert raised.value.code == code
    for_nobody = await present(world, holder, [])
    await world.verifier.verify_presentation(for_nobody)
    with pytest.raises(CredentialError, match=Code.WRONG_AUDIENCE):
        await world.verifier.verify_presentation(for_nobody, audience="did:example:shop")


async def _with_two_keys(world: World) -> PortableDid:
    """A DID with a key "#say" for assertions and a key "#login" for authentication."""
    uri = "did:example:two"
    keys = [await crypto.generate_key("Ed25519") for _ in range(2)]
    methods = [
        {"id": f"{uri}#{name}", "type": "JsonWebKey", "controller": uri, "publicKeyJwk": {**key, "d": None}}
        for name, key in zip(("say", "login"), keys, strict=True)
    ]
    for method in methods:
        method["publicKeyJwk"] = {name: value for name, value in method["publicKeyJwk"].items() if name != "d"}
    document = DidDocument.from_wire(
        {
            "id": uri,
            "verificationMethod": methods,
            "assertionMethod": [f"{uri}#say"],
            "authentication": [f"{uri}#login"],
        }
    )
    world.known.documents[uri] = document
    return PortableDid(uri=uri, document=document, private_keys=keys)
