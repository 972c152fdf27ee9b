"""did:dht from creation over a gateway to resolution; the gateway is the real one, joined through ASGI."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_encode
from web5.dids import dht, key
from web5.dids.dht import bep44
from web5.dids.dht.gateways import Gateways
from web5.dids.keys import signer_for
from web5.dids.models import PortableDid
from web5.dids.resolver import UniversalResolver, default_resolver
from web5.dwn.store.database import open_memory
from web5.errors import CryptoError, DidError, InvalidArgument, Unreachable
from web5.node.gateway import create_gateway
from web5.ports.clock import SystemClock

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())
GATEWAY = "http://gateway.example/dht"
ENDPOINTS = ["https://a.example/dwn0", "https://a.example/dwn1"]
crypto = CPythonCrypto()


@pytest.fixture
def http() -> HttpxHttp:
    site = Starlette()
    site.mount("/dht", create_gateway(open_memory(), crypto))
    return HttpxHttp(httpx.ASGITransport(site))


def _answering(status: int, body: bytes) -> HttpxHttp:
    """A gateway that gives everybody the same answer."""

    async def answer(request: Request) -> Response:
        return Response(body, status)

    return HttpxHttp(httpx.ASGITransport(Starlette(routes=[Route("/{path:path}", answer, methods=["GET", "PUT"])])))


def _resolver(http: HttpxHttp) -> UniversalResolver:
    return default_resolver(http, crypto, SystemClock(), GATEWAY)


async def test_an_identity_is_what_web5_js_makes() -> None:
    portable_did = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS))
    theirs = json.dumps(VECTORS["dht"][1]["portable"])
    shape = json.loads(theirs.replace(VECTORS["dht"][1]["portable"]["uri"], portable_did.uri))
    wire = portable_did.to_wire()
    wire["document"]["service"][0]["serviceEndpoint"] = shape["document"]["service"][0]["serviceEndpoint"]
    assert _without_key_values(wire) == _without_key_values(shape)


def _without_key_values(value: Any) -> Any:
    if isinstance(value, dict):
        hidden = ("x", "y", "d", "kid")
        return {name: name if name in hidden else _without_key_values(inner) for name, inner in value.items()}
    return [_without_key_values(inner) for inner in value] if isinstance(value, list) else value


async def test_what_was_published_resolves(http: HttpxHttp) -> None:
    portable_did = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS), types=["WebApp"])
    published = await dht.publish(portable_did, http, crypto, GATEWAY)
    result = await _resolver(http).resolve(portable_did.uri)
    assert result.error is None and result.did_document == portable_did.document
    assert result.did_document.dwn_endpoints == ENDPOINTS
    version = published.metadata["versionId"]
    assert result.did_document_metadata == {"published": True, "types": [6], "versionId": version}
    assert published.metadata == {"published": True, "types": ["WebApp"], "versionId": version}
    assert portable_did.metadata == {"published": False, "types": ["WebApp"]}


async def test_a_later_publication_replaces_the_earlier_one_within_the_second(http: HttpxHttp) -> None:
    portable_did = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS))
    first = await dht.publish(portable_did, http, crypto, GATEWAY)
    document = first.document.model_copy(update={"also_known_as": ["did:example:me"]})
    second = await dht.publish(first.model_copy(update={"document": document}), http, crypto, GATEWAY)
    assert int(second.metadata["versionId"]) > int(first.metadata["versionId"])
    result = await _resolver(http).resolve(portable_did.uri)
    assert result.did_document is not None and result.did_document.also_known_as == ["did:example:me"]
    with pytest.raises(DidError, match="409"):  # the gateway's own word on the older one
        await dht.publish(portable_did, http, crypto, GATEWAY)


async def test_what_nobody_published_is_not_found(http: HttpxHttp) -> None:
    portable_did = await dht.create(crypto)
    assert (await _resolver(http).resolve(portable_did.uri)).error == "notFound"


@pytest.mark.parametrize(("did", "error"), VECTORS["invalid"])
async def test_errors_for_what_is_no_did_dht_are_the_references(http: HttpxHttp, did: str, error: str) -> None:
    resolver = UniversalResolver([dht.DidDht(Gateways(http, crypto, [GATEWAY], SystemClock()), crypto)])
    assert (await resolver.resolve(did)).error == error
    with pytest.raises(DidError) as refused:
        dht.identity_key(did)
    assert refused.value.code == error


async def test_a_gateway_cannot_make_a_document_up(http: HttpxHttp) -> None:
    portable_did, other = await dht.create(crypto), await dht.create(crypto)
    await dht.publish(portable_did, http, crypto, GATEWAY)
    response = await http.request("GET", f"{GATEWAY}/{portable_did.uri[8:]}")
    body = await response.read(bep44.PAYLOAD_LIMIT)
    for forged in (body[:-1] + bytes([body[-1] ^ 1]), body[:71] + bytes([body[71] ^ 1]) + body[72:]):
        assert (await _resolver(_answering(200, forged)).resolve(portable_did.uri)).error == "invalidSignature"
    assert (await _resolver(_answering(200, body)).resolve(other.uri)).error == "invalidSignature"
    assert (await _resolver(_answering(200, body)).resolve(portable_did.uri)).error is None


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, b"", "invalidDidDocumentLength"),
        (200, bytes(71), "invalidDidDocumentLength"),
        (200, bytes(100_000), "invalidDidDocumentLength"),
        (200, bytes(100), "invalidSignature"),
        (404, b"gone", "notFound"),
        (503, b"too busy", "internalError"),
        (500, b"\xff" * 9000, "internalError"),
    ],
)
async def test_answers_that_are_no_document(status: int, body: bytes, error: str) -> None:
    result = await _resolver(_answering(status, body)).resolve((await dht.create(crypto)).uri)
    assert result.error == error and result.did_document is None
    if status == 503:
        assert "503: too busy" in result.did_resolution_metadata["errorMessage"]


async def test_a_signed_value_that_is_no_packet_is_an_invalid_document() -> None:
    portable_did = await dht.create(crypto)
    body = await _signed(portable_did, b"no packet")
    result = await _resolver(_answering(200, body)).resolve(portable_did.uri)
    assert result.error == "invalidDidDocument"


async def test_a_gateway_that_refuses_is_heard() -> None:
    with pytest.raises(DidError, match="PUT with 429: slow down") as refused:
        await dht.publish(await dht.create(crypto), _answering(429, b"slow down"), crypto, GATEWAY)
    assert refused.value.code == "internalError"


async def test_a_gateway_that_is_not_there_is_unreachable_and_an_internal_error_for_the_resolver() -> None:
    http, nowhere = HttpxHttp(), "http://127.0.0.1:9/"
    portable_did = await dht.create(crypto)
    with pytest.raises(Unreachable):
        await dht.publish(portable_did, http, crypto, nowhere)
    result = await default_resolver(http, crypto, SystemClock(), nowhere).resolve(portable_did.uri)
    assert result.error == "internalError"


def _services(*sizes: int) -> list[dict[str, Any]]:
    return [
        {"id": f"s{index}", "type": "T", "serviceEndpoint": [f"https://a.example/{'x' * size}"]}
        for index, size in enumerate(sizes)
    ]


async def test_a_document_that_is_too_long_says_what_takes_the_room() -> None:
    with pytest.raises(DidError) as refused:
        await dht.create(crypto, services=_services(700, 30), also_known_as=[f"did:example:{'y' * 60}"])
    assert refused.value.code == "invalidDidDocumentLength"
    size = int(re.search(r"takes (\d+) bytes, and the DHT has room for 1000", str(refused.value))[1])  # type: ignore[index]
    assert size > 1000
    largest = re.search(r"Most is taken by (.*):", str(refused.value))
    assert largest is not None
    assert re.sub(r" \(\d+\)", "", largest[1]) == "the service #s0, the relationships, alsoKnownAs"


async def test_a_document_that_grew_too_long_is_refused_before_the_gateway_is_asked() -> None:
    portable_did = await dht.create(crypto)
    document = portable_did.document.model_copy(update={"also_known_as": ["did:example:" + "x" * 900]})
    grown = portable_did.model_copy(update={"document": document})
    with pytest.raises(DidError, match="alsoKnownAs") as refused:
        await dht.publish(grown, HttpxHttp(), crypto, "http://127.0.0.1:9/")
    assert refused.value.code == "invalidDidDocumentLength"


async def test_what_can_be_created_can_be_published(http: HttpxHttp) -> None:
    # The names of gateways go into the packet only if they fit.
    for size in range(800, 0, -1):
        with contextlib.suppress(DidError):
            portable_did = await dht.create(crypto, services=_services(size))
            break
    assert 800 > size > 600
    await dht.publish(portable_did, http, crypto, GATEWAY)
    assert (await _resolver(http).resolve(portable_did.uri)).did_document == portable_did.document


@pytest.mark.parametrize(
    "options",
    [
        {"services": [{"id": "s", "type": "T", "serviceEndpoint": {"nodes": ["https://a.example"]}}]},
        {"types": ["Spaceship"]},
        {"types": [-1]},
        {"types": [True]},
        {"types": "WebApp"},
        {"types": 7},
        {"also_known_as": ["a,b"]},
        {"also_known_as": ["\ud800"]},
        {"controllers": [""]},
    ],
    ids=json.dumps,
)
async def test_what_the_dht_cannot_carry_is_not_created(options: Any) -> None:
    with pytest.raises(DidError) as refused:
        await dht.create(crypto, **options)
    assert refused.value.code == "invalidDidDocument"


async def test_a_did_that_continues_another_says_so_wherever_it_resolves(http: HttpxHttp) -> None:
    old = await dht.create(crypto)
    new = await dht.create(crypto, previous=old)
    proof = new.metadata["previousDidProof"]
    assert proof["previousDid"] == old.uri
    published = await dht.publish(new, http, crypto, GATEWAY)
    again = await dht.publish(published, http, crypto, GATEWAY)  # the proof is there each time
    metadata = (await _resolver(http).resolve(new.uri)).did_document_metadata
    assert metadata == {"published": True, "previousDidProof": proof, "versionId": again.metadata["versionId"]}
    await dht.PreviousDidProof(proof["previousDid"], proof["signature"]).verify(new.uri, crypto)


def _with_metadata(portable_did: PortableDid, **metadata: Any) -> PortableDid:
    return portable_did.model_copy(update={"metadata": {**portable_did.metadata, **metadata}})


async def test_a_wrong_proof_is_not_published(http: HttpxHttp) -> None:
    old, other = await dht.create(crypto), await dht.create(crypto)
    new = await dht.create(crypto, previous=old)
    right = new.metadata["previousDidProof"]
    for wrong in (
        {**right, "previousDid": other.uri},
        {**right, "signature": "AAAA"},
        {**right, "signature": "*"},
        {**right, "signature": 7},
        {"previousDid": old.uri},
        "proof",
    ):
        with pytest.raises(DidError) as refused:
            await dht.publish(_with_metadata(new, previousDidProof=wrong), http, crypto, GATEWAY)
        assert refused.value.code == "invalidPreviousDidProof"
    with pytest.raises(DidError):
        await dht.publish(_with_metadata(other, previousDidProof=right), http, crypto, GATEWAY)
    with pytest.raises(DidError) as no_dht:
        wrong = {**right, "previousDid": "did:example:a"}
        await dht.publish(_with_metadata(new, previousDidProof=wrong), http, crypto, GATEWAY)
    assert no_dht.value.code == "methodNotSupported"


@pytest.mark.parametrize("claimed", ["another", "did:example:a"])
async def test_a_wrong_proof_in_a_document_is_told_and_is_no_proof(claimed: str) -> None:
    new, old = await dht.create(crypto), await dht.create(crypto)
    did = old.uri if claimed == "another" else claimed
    packet = dht.to_packet(new.document, previous=dht.PreviousDidProof(did, b64url_encode(bytes(64))))
    result = await _resolver(_answering(200, await _signed(new, packet))).resolve(new.uri)
    assert result.did_document == new.document
    assert "previousDidProof" not in result.did_document_metadata
    assert result.did_document_metadata["previousDidProofError"].startswith(
        "invalidPreviousDidProof: " if did == old.uri else "methodNotSupported: "
    )


async def test_only_a_did_dht_with_its_key_can_be_continued() -> None:
    with pytest.raises(DidError, match="methodNotSupported"):
        await dht.create(crypto, previous=await key.create(crypto))
    old = await dht.create(crypto)
    with pytest.raises(DidError, match="private key"):
        await dht.create(crypto, previous=old.model_copy(update={"private_keys": []}))


async def test_a_deactivated_did_resolves_to_a_document_without_keys(http: HttpxHttp) -> None:
    portable_did = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS))
    published = await dht.publish(portable_did, http, crypto, GATEWAY)
    ended = await dht.publish(_with_metadata(published, deactivated=True), http, crypto, GATEWAY)
    result = await _resolver(http).resolve(portable_did.uri)
    assert result.error is None and result.did_document is not None
    assert result.did_document.to_wire() == {"id": portable_did.uri}
    version = ended.metadata["versionId"]
    assert result.did_document_metadata == {"published": True, "deactivated": True, "versionId": version}


async def _signed(portable_did: PortableDid, packet: bytes) -> bytes:
    signer = await signer_for(portable_did, crypto)
    return bep44.encode(await bep44.sign_item(dht.identity_key(portable_did.uri), 1, packet, signer.raw))


async def test_own_keys_are_taken() -> None:
    identity, other = await crypto.generate_key("Ed25519"), await crypto.generate_key("secp256k1")
    portable_did = await dht.create(
        crypto,
        verification_methods=[
            dht.KeySpec("secp256k1", "other", ("keyAgreement",), private_jwk=other),
            dht.KeySpec("Ed25519", "#0", ("authentication",), private_jwk=identity),
        ],
    )
    assert portable_did.private_keys is not None
    assert [key["d"] for key in portable_did.private_keys] == [identity["d"], other["d"]]
    assert b64url_encode(dht.identity_key(portable_did.uri)) == identity["x"]
    methods = portable_did.document.verification_methods
    assert [method.id for method in methods] == [f"{portable_did.uri}#0", f"{portable_did.uri}#other"]


async def test_impossible_keys_are_refused() -> None:
    ed25519 = await crypto.generate_key("Ed25519")
    for specs in (
        [dht.KeySpec(id="a"), dht.KeySpec(id="#a")],
        [dht.KeySpec(purposes=("cooking",))],
        [dht.KeySpec("secp256k1", "0")],
        [dht.KeySpec("secp256k1", "a", private_jwk=ed25519)],
    ):
        with pytest.raises(InvalidArgument):
            await dht.create(crypto, verification_methods=specs)
    with pytest.raises(CryptoError):
        await dht.create(crypto, verification_methods=[dht.KeySpec(id="a", private_jwk={"kty": "OKP"})])
    with pytest.raises(DidError):
        await dht.create(crypto, services=[{"id": "a"}])


async def test_an_identity_without_endpoints_has_no_service() -> None:
    assert (await dht.create(crypto, **dht.identity_defaults([]))).document.service is None
