"""Our credentials and `@web5/credentials` 1.1.3: each verifies what the other made, and refuses what was changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.interop.gateway import gateway_server
from tests.interop.reference import ReferenceError, ReferenceScript, reference_fixture
from tests.served import served
from tests.unit.vc.parties import World, claims_of, crypto, sign_claims, with_part
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_decode
from web5.dids import dht, jwk, key
from web5.dids.dht.creation import KeySpec
from web5.dids.models import PortableDid
from web5.dids.resolver import default_resolver
from web5.errors import CredentialError
from web5.ports.clock import SystemClock
from web5.vc import (
    Code,
    CredentialVerifier,
    VerifiableCredential,
    VerifiablePresentation,
    credential_signer,
    jwt,
    parse_credential,
    sign_credential,
    sign_presentation,
)
from web5.vc.exchange import presentation_for, select_credentials
from web5.vc.status_list import create, entry, is_disabled

LIST = "https://issuer.example/status"
OPTIONS = {
    "type": ["Membership", "Gold"],
    "subject": "did:example:alice",
    "data": {
        "level": "gold",
        "years": 3,
        "share": 0.5,
        "name": "Žofie",
        "none": None,
        "nested": {"a": [1, {"b": True}]},
    },
    "evidence": [{"type": "Seen"}],
}
SIGNERS = [("jwk", "Ed25519"), ("jwk", "secp256k1"), ("jwk", "P-256"), ("key", "Ed25519"), ("key", "secp256k1")]
by_signer = pytest.mark.parametrize(("method", "algorithm"), SIGNERS)


pytestmark = pytest.mark.asyncio(loop_scope="module")


reference = reference_fixture("credentials.mjs", scope="module")


@pytest.fixture
def world() -> World:
    world = World()
    world.clock.us = SystemClock().now()
    return world


async def ours(method: str, algorithm: Any) -> PortableDid:
    return await {"jwk": jwk, "key": key}[method].create(crypto, algorithm)


async def theirs(reference: ReferenceScript, method: str, algorithm: str) -> PortableDid:
    name = {"P-256": "secp256r1"}.get(algorithm, algorithm)
    return PortableDid.from_wire(await reference.call("createDid", didMethod=method, options={"algorithm": name}))


async def issued_there(reference: ReferenceScript, issuer: PortableDid, **options: Any) -> Any:
    return await reference.call("issue", portableDid=issuer.to_wire(), options={**OPTIONS, **options})


async def shown(world: World, holder: PortableDid, vc_jwts: list[str]) -> str:
    presentation = VerifiablePresentation.create(
        holder=holder.uri, vc_jwts=vc_jwts, type="Entry", additional_data={"extra": [1]}
    )
    return await sign_presentation(presentation, await credential_signer(holder, crypto), world.clock)


def changed(text: str) -> list[str]:
    """The JWT with another subject, with another header, and with another signature."""
    claims = claims_of(text)
    document = next(name for name in ("vc", "vp") if name in claims)
    signature = b64url_decode(text.split(".")[2])
    return [
        with_part(text, 1, {**claims, document: {**claims[document], "type": [*claims[document]["type"], "Platinum"]}}),
        with_part(text, 0, {**jwt.parse(text).header, "typ": "JWT"}),
        with_part(text, 2, signature[:-1] + bytes([signature[-1] ^ 1])),
    ]


async def both_refuse(reference: ReferenceScript, world: World, vc_jwt: str) -> None:
    with pytest.raises(CredentialError):
        await world.verifier.verify(vc_jwt)
    with pytest.raises(ReferenceError):
        await reference.call("verify", vcJwt=vc_jwt)


@by_signer
async def test_the_reference_verifies_what_we_issue(
    reference: ReferenceScript, world: World, method: str, algorithm: str
) -> None:
    issuer = await ours(method, algorithm)
    text = await world.issue(issuer, **OPTIONS, expiration_date="2099-01-01T00:00:00.5+01:00")
    found = await reference.call("verify", vcJwt=text)
    verified = await world.verifier.verify(text)
    assert found["vc"] == verified.to_wire()
    assert (found["issuer"], found["subject"]) == (issuer.uri, "did:example:alice")
    assert await reference.call("parse", vcJwt=text) == {
        "type": verified.types[-1],
        "issuer": verified.issuer_id,
        "subject": verified.subject_id,
        "vc": claims_of(text)["vc"],
    }


@by_signer
async def test_we_verify_what_the_reference_issues(
    reference: ReferenceScript, world: World, method: str, algorithm: str
) -> None:
    issuer = await ours(method, algorithm) if method == "jwk" else await theirs(reference, method, algorithm)
    made = await issued_there(reference, issuer, expirationDate="2099-01-01T00:00:00Z")
    verified = await world.verifier.verify(made["jwt"])
    assert verified.to_wire() == made["vc"] == (await reference.call("verify", vcJwt=made["jwt"]))["vc"]


@by_signer
async def test_both_sign_the_same_claims(reference: ReferenceScript, world: World, method: str, algorithm: str) -> None:
    issuer = await ours(method, algorithm)
    made = await issued_there(reference, issuer)
    again = await sign_credential(parse_credential(made["jwt"]), await credential_signer(issuer, crypto), world.clock)
    assert jwt.parse(again).header == jwt.parse(made["jwt"]).header
    assert {**claims_of(again), "iat": 0} == {**claims_of(made["jwt"]), "iat": 0}
    assert list(claims_of(again)) == list(claims_of(made["jwt"]))


async def test_presentations_hold_on_both_sides(reference: ReferenceScript, world: World) -> None:
    issuer, holder = await ours("jwk", "P-256"), await ours("key", "secp256k1")
    vc_jwts = [await world.issue(issuer, **OPTIONS), (await issued_there(reference, issuer))["jwt"]]
    our_text = await shown(world, holder, vc_jwts)
    found = await reference.call("verifyPresentation", vpJwt=our_text)
    assert (found["issuer"], found["subject"]) == (holder.uri, holder.uri)
    assert found["vp"] == (await world.verifier.verify_presentation(our_text)).presentation.to_wire()

    options = {"vcJwts": vc_jwts, "type": "Entry", "additionalData": {"extra": [1]}}
    made = await reference.call("present", portableDid=holder.to_wire(), options=options)
    verified = await world.verifier.verify_presentation(made["jwt"])
    assert verified.presentation.to_wire() == made["vp"]
    assert [one.issuer_id for one in verified.credentials] == [issuer.uri, issuer.uri]
    assert list(claims_of(our_text)) == list(claims_of(made["jwt"]))


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "P-256"])
async def test_both_refuse_what_was_changed(reference: ReferenceScript, world: World, algorithm: str) -> None:
    issuer = await ours("jwk", algorithm)
    ours_text, theirs_text = await world.issue(issuer, **OPTIONS), (await issued_there(reference, issuer))["jwt"]
    for text in [*changed(ours_text), *changed(theirs_text), ours_text[:-10], ours_text.partition(".")[2]]:
        await both_refuse(reference, world, text)
    for text in [*changed(await shown(world, issuer, [ours_text])), await shown(world, issuer, changed(ours_text)[:1])]:
        with pytest.raises(CredentialError):
            await world.verifier.verify_presentation(text)
        with pytest.raises(ReferenceError):
            await reference.call("verifyPresentation", vpJwt=text)


async def test_both_refuse_what_contradicts_itself_or_is_out_of_time(reference: ReferenceScript, world: World) -> None:
    issuer = await ours("jwk", "Ed25519")
    claims = claims_of(await world.issue(issuer, **OPTIONS, expiration_date="2099-01-01T00:00:00Z"))
    for name, value in (("exp", claims["exp"] + 1), ("nbf", claims["nbf"] - 1), ("jti", "urn:x"), ("sub", "did:x:y")):
        await both_refuse(reference, world, await sign_claims(issuer, {**claims, name: value}))
    for change in (
        {"issuer": "did:example:other"},
        {"type": ["Membership"]},
        {"@context": []},
        {"credentialSubject": {"id": "did:example:other"}},
    ):
        await both_refuse(reference, world, await sign_claims(issuer, {**claims, "vc": {**claims["vc"], **change}}))
    for times in (
        {"issuance_date": "2090-01-01T00:00:00Z"},
        {"issuance_date": "2020-01-01T00:00:00Z", "expiration_date": "2021-01-01T00:00:00Z"},
    ):
        await both_refuse(reference, world, await world.issue(issuer, **OPTIONS, **times))


async def test_the_reference_takes_what_another_did_signed_for_the_issuer_and_we_do_not(
    reference: ReferenceScript, world: World
) -> None:
    issuer, mallory = await ours("jwk", "Ed25519"), await ours("jwk", "Ed25519")
    forged = await sign_claims(mallory, claims_of(await world.issue(issuer, **OPTIONS)))
    assert (await reference.call("verify", vcJwt=forged))["issuer"] == issuer.uri
    with pytest.raises(CredentialError, match=re.escape(Code.KEY_NOT_ALLOWED)):
        await world.verifier.verify(forged)


async def test_identities_of_web5_issue_for_both(reference: ReferenceScript) -> None:
    http = HttpxHttp()
    connect = dht.identity_defaults([])
    connect["verification_methods"] += [KeySpec("secp256k1", "k1", ("assertionMethod",))]
    async with gateway_server() as gateway:
        await reference.call("useGateway", gatewayUri=f"{gateway}/")
        issuer = await dht.publish(await dht.create(crypto, **connect), http, crypto, gateway)
        clock = SystemClock()
        verifier = CredentialVerifier(default_resolver(http, crypto, clock, gateway), crypto, clock, http)
        credential = VerifiableCredential.create(issuer=issuer.uri, clock=clock, **OPTIONS)
        for key_id in ("#0", "#sig", "#k1"):
            text = await sign_credential(credential, await credential_signer(issuer, crypto, key_id), clock)
            assert await verifier.verify(text) == credential
            assert (await reference.call("verify", vcJwt=text))["vc"] == credential.to_wire()
        made = await issued_there(reference, issuer)
        assert (await verifier.verify(made["jwt"])).to_wire() == made["vc"]
        assert jwt.parse(made["jwt"]).key_id == (await credential_signer(issuer, crypto)).key_id
        for text in changed(made["jwt"]):
            with pytest.raises(CredentialError):
                await verifier.verify(text)
            with pytest.raises(ReferenceError):
                await reference.call("verify", vcJwt=text)
    await http.close()


async def test_both_check_the_schema(reference: ReferenceScript) -> None:
    schema = {"properties": {"credentialSubject": {"required": ["level"], "properties": {"level": {"enum": ["gold"]}}}}}

    async def page(request: Request) -> JSONResponse:
        return JSONResponse(schema)

    issuer, http = await ours("jwk", "Ed25519"), HttpxHttp()
    async with served(Starlette(routes=[Route("/schema.json", page)])) as url:
        world = World(http)
        world.clock.us = SystemClock().now()
        named = {"credential_schema": {"id": f"{url}/schema.json", "type": "JsonSchema"}}
        good = await world.issue(issuer, **named)
        assert (await reference.call("verify", vcJwt=good))["vc"] == (await world.verifier.verify(good)).to_wire()
        for data in ({"level": "bronze"}, {}):
            await both_refuse(reference, world, await world.issue(issuer, data=data, **named))
    await http.close()


async def test_status_lists_are_read_on_both_sides(reference: ReferenceScript, world: World) -> None:
    issuer = await ours("jwk", "Ed25519")
    texts = [await world.issue(issuer, credential_status=entry(LIST, index)) for index in (0, 9, 131_071)]
    credentials = [parse_credential(text) for text in texts]
    made = create(list_url=LIST, issuer=issuer.uri, disabled=[credentials[0], credentials[2]], clock=world.clock)
    our_list = await sign_credential(made, await credential_signer(issuer, crypto), world.clock)
    their_list = await reference.call(
        "statusList",
        portableDid=issuer.to_wire(),
        options={"statusListCredentialId": LIST, "statusPurpose": "revocation"},
        disabled=[texts[0], texts[2]],
    )
    for listed in (our_list, their_list):
        status_list = await world.verifier.verify(listed)
        for text, credential, expected in zip(texts, credentials, (True, False, True), strict=True):
            assert isinstance(credential.credential_status, dict)
            assert is_disabled(credential.credential_status, status_list) is expected
            assert await reference.call("isDisabled", vcJwt=text, listJwt=listed) is expected


@pytest.mark.parametrize(
    "fields",
    [
        [{"path": ["$.vc.credentialSubject.level"]}],
        [{"path": ["$.vc.credentialSubject.level"], "filter": {"type": "string", "const": "gold"}}],
        [{"path": ["$.nowhere", "$..level"], "filter": {"const": "silver"}}],
        [{"path": ["$.vc.credentialSubject.years", "$..level"], "filter": {"const": "gold"}}],
        [{"path": ["$.vc.type[*]"], "filter": {"pattern": "^Gold$"}}],
        [{"path": ["$.vc.type"], "filter": {"type": "array", "contains": {"const": "Gold"}}}],
        [{"path": ["$.iss"]}, {"path": ["$['vc']['credentialSubject'].nested.a[1].b"]}],
        [{"path": ["$.vc.credentialSubject.*"]}, {"path": ["$.vc.@context[0]"]}],
        [{"path": ["$.issuer"]}],
        [],
    ],
)
async def test_both_select_the_same(reference: ReferenceScript, world: World, fields: list[Any]) -> None:
    issuer = await ours("jwk", "Ed25519")
    texts = [await world.issue(issuer, **OPTIONS), await world.issue(issuer, data={"level": "silver"})]
    definition = {"id": "d", "input_descriptors": [{"id": "i", "constraints": {"fields": fields}}]}
    arguments = {"vcJwts": texts, "presentationDefinition": definition}
    chosen = select_credentials(texts, definition)
    assert chosen == await reference.call("selectCredentials", **arguments)
    twice = [*texts, *texts]
    assert select_credentials(twice, definition) == await reference.call(
        "selectCredentials", **{**arguments, "vcJwts": twice}
    )
    if not chosen:
        with pytest.raises(CredentialError, match=Code.NOT_SATISFIED):
            presentation_for(texts, definition, issuer.uri)
        return
    presentation = presentation_for(chosen, definition, issuer.uri).to_wire()
    theirs = await reference.call("answer", **{**arguments, "vcJwts": chosen})
    assert presentation["presentation_submission"] | {"id": ""} == theirs["presentationSubmission"] | {"id": ""}
    made = theirs["presentation"]
    assert [presentation[name] for name in ("@context", "type", "verifiableCredential")] == [
        made[name] for name in ("@context", "type", "verifiableCredential")
    ]
    await reference.call("evaluate", presentationDefinition=definition, presentation=presentation)
