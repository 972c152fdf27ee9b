"""Our DIDs and `@web5/dids` 1.2.0, over a real socket: each resolves, imports and signs for the other."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.interop.gateway import gateway_server
from tests.interop.reference import ReferenceError, ReferenceScript, reference_fixture
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto import edwards
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import public_jwk, thumbprint
from web5.dids import dht, jwk, key
from web5.dids.keys import signer_for
from web5.dids.models import DidDocument, PortableDid
from web5.dids.resolver import UniversalResolver, default_resolver
from web5.dids.uri import parse_did
from web5.dids.web import document_url
from web5.ports.clock import SystemClock
from web5.ports.crypto import KeyAlgorithm

ENDPOINTS = ["https://dwn.example.com/dwn0", "https://dwn.example.com/dwn1"]
DATA = b"signed by one, verified by the other"
CONNECT = {
    "services": [
        {
            "id": "dwn",
            "type": "DecentralizedWebNode",
            "serviceEndpoint": ENDPOINTS,
            "enc": "#enc",
            "sig": "#sig",
        }
    ],
    "verificationMethods": [
        {"algorithm": "Ed25519", "id": "sig", "purposes": ["assertionMethod", "authentication"]},
        {"algorithm": "secp256k1", "id": "enc", "purposes": ["keyAgreement"]},
    ],
}
"""The options that `Web5.connect` of `@web5/api` 0.12.0 gives."""

EVERYTHING = {
    "alsoKnownAs": ["did:example:ab", "did:example:cd"],
    "controllers": ["did:example:efgh", "did:example:ijkl"],
    "types": ["Organization", "WebApp"],
    "verificationMethods": [
        {"algorithm": "secp256k1", "purposes": ["authentication", "capabilityInvocation"]},
        {"algorithm": "Ed25519", "id": "other", "controller": "did:example:o", "purposes": ["assertionMethod"]},
    ],
    "services": [
        {"id": "long", "type": "T", "serviceEndpoint": [f"https://e{n}.example.com/{'p' * 40}" for n in range(4)]},
        {"id": "custom", "type": "U", "serviceEndpoint": ["https://u.example.com"], "one": "a", "two": ["b", "c"]},
    ],
}

crypto = CPythonCrypto()


reference = reference_fixture("dids.mjs")


@pytest.fixture
async def gateway() -> AsyncIterator[str]:
    async with gateway_server() as url:
        yield f"{url}/"


@pytest.fixture
async def http() -> AsyncIterator[HttpxHttp]:
    client = HttpxHttp()
    yield client
    await client.close()


def _resolver(http: HttpxHttp, gateway: str) -> UniversalResolver:
    return default_resolver(http, crypto, SystemClock(), gateway)


async def test_the_reference_resolves_what_we_published(
    reference: ReferenceScript, gateway: str, http: HttpxHttp
) -> None:
    for options in (dht.identity_defaults(ENDPOINTS), dht.identity_defaults([]), _ours(EVERYTHING)):
        portable_did = await dht.create(crypto, **options)
        portable_did = await dht.publish(portable_did, http, crypto, gateway)
        theirs = await reference.call("resolve", did=portable_did.uri, gatewayUri=gateway)
        assert theirs["didDocument"] == portable_did.document.to_wire()
        assert theirs == (await _resolver(http, gateway).resolve(portable_did.uri)).to_wire()
        assert theirs["didDocumentMetadata"]["versionId"] == portable_did.metadata["versionId"]


@pytest.mark.parametrize("options", [{}, CONNECT, EVERYTHING], ids=["bare", "connect", "everything"])
async def test_we_resolve_what_the_reference_published(
    reference: ReferenceScript, gateway: str, http: HttpxHttp, options: Any
) -> None:
    theirs = await reference.call("create", didMethod="dht", options={**options, "gatewayUri": gateway})
    assert theirs["metadata"]["published"] is True
    result = await _resolver(http, gateway).resolve(theirs["uri"])
    assert result.to_wire() == await reference.call("resolve", did=theirs["uri"], gatewayUri=gateway)
    assert result.did_document is not None and result.did_document.to_wire() == theirs["document"]
    assert result.did_document_metadata["versionId"] == theirs["metadata"]["versionId"]


async def test_both_say_not_found(reference: ReferenceScript, gateway: str, http: HttpxHttp) -> None:
    uri = (await dht.create(crypto)).uri
    theirs = await reference.call("resolve", did=uri, gatewayUri=gateway)
    ours = (await _resolver(http, gateway).resolve(uri)).to_wire()
    assert theirs["didResolutionMetadata"]["error"] == "notFound"
    # Ours tell besides what each gateway said.
    assert theirs["didResolutionMetadata"].items() <= ours["didResolutionMetadata"].items()
    assert theirs | {"didResolutionMetadata": {}} == ours | {"didResolutionMetadata": {}}


async def test_the_reference_publishes_a_did_of_ours_again(
    reference: ReferenceScript, gateway: str, http: HttpxHttp
) -> None:
    portable_did = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS))
    await reference.call("publish", portableDid=portable_did.to_wire(), gatewayUri=gateway)
    result = await _resolver(http, gateway).resolve(portable_did.uri)
    assert result.did_document == portable_did.document


async def test_the_reference_imports_our_portable_did_and_signs(reference: ReferenceScript) -> None:
    made = [
        await dht.create(crypto, **dht.identity_defaults(ENDPOINTS)),
        await jwk.create(crypto),
        await key.create(crypto),
        await key.create(crypto, "secp256k1"),
    ]
    for portable_did in made:
        wire = portable_did.to_wire()
        theirs = await reference.call("importAndSign", portableDid=wire, data=b64url_encode(DATA))
        assert theirs["exported"] == wire
        signer = await signer_for(portable_did, crypto)
        assert (signer.key_id, signer.algorithm) == (theirs["keyId"], theirs["algorithm"])
        method = portable_did.document.find_method(theirs["keyId"])
        assert method is not None and method.public_key_jwk is not None
        assert await crypto.verify(method.public_key_jwk, DATA, b64url_decode(theirs["signature"]))


@pytest.mark.parametrize("fragment", ["0", "sig", "enc"])
async def test_each_key_of_ours_signs_there(reference: ReferenceScript, fragment: str) -> None:
    portable_did = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS))
    theirs = await reference.call(
        "importAndSign", portableDid=portable_did.to_wire(), data=b64url_encode(DATA), methodId=fragment
    )
    method = portable_did.document.find_method(fragment)
    assert method is not None and method.public_key_jwk is not None
    assert await crypto.verify(method.public_key_jwk, DATA, b64url_decode(theirs["signature"]))


async def test_we_import_the_references_portable_dids_and_sign(reference: ReferenceScript) -> None:
    for method, options in (
        ("dht", {**CONNECT, "publish": False}),
        ("jwk", {"algorithm": "secp256k1"}),
        ("key", {"algorithm": "Ed25519"}),
    ):
        theirs = await reference.call("create", didMethod=method, options=options)
        portable_did = PortableDid.from_wire(theirs)
        assert portable_did.to_wire() == theirs
        signer = await signer_for(portable_did, crypto)
        signing = await reference.call("signingMethod", didMethod=method, didDocument=theirs["document"])
        assert signer.key_id == signing
        found = portable_did.document.find_method(signing)
        assert found is not None
        signature = b64url_encode(await signer.raw.sign(DATA))
        arguments = {"key": found.public_key_jwk, "data": b64url_encode(DATA), "signature": signature}
        assert await reference.call("verify", **arguments) is True


@pytest.mark.parametrize("method", ["jwk", "key"])
async def test_both_resolve_self_contained_dids_alike(
    reference: ReferenceScript, gateway: str, http: HttpxHttp, method: str
) -> None:
    resolver = _resolver(http, gateway)
    module: Any = {"jwk": jwk, "key": key}[method]
    # `@web5/crypto` makes no X25519 keys, and its did:key has no P-256.
    algorithms = {"jwk": ["Ed25519", "secp256k1", "X25519", "P-256"], "key": ["Ed25519", "secp256k1", "X25519"]}[method]
    names = {"jwk": ["Ed25519", "secp256k1", "secp256r1"], "key": ["Ed25519", "secp256k1"]}[method]
    ours = [await module.create(crypto, algorithm) for algorithm in algorithms]
    if method == "jwk":
        ours += [await jwk.create(crypto, "X25519", use="enc"), await jwk.create(crypto, use="sig")]
    theirs = [await reference.call("create", didMethod=method, options={"algorithm": name}) for name in names]
    for uri in [portable_did.uri for portable_did in ours] + [made["uri"] for made in theirs]:
        assert (await resolver.resolve(uri)).to_wire() == await reference.call("resolve", did=uri)


async def test_both_state_the_encryption_key_of_a_did_key_alike(reference: ReferenceScript) -> None:
    multibase = {"publicKeyFormat": "Ed25519VerificationKey2020", "enableExperimentalPublicKeyTypes": True}
    for ours, theirs in ((key.DidKey(True), {}), (key.DidKey(True, "Multibase"), multibase)):
        uri = (await key.create(crypto)).uri
        expected = await reference.call("resolve", did=uri, enableEncryptionKeyDerivation=True, **theirs)
        assert (await UniversalResolver([ours]).resolve(uri)).to_wire() == expected
        assert "keyAgreement" in expected["didDocument"]


async def test_both_derive_the_same_x25519_keys(reference: ReferenceScript) -> None:
    for _ in range(10):
        private = await crypto.generate_key("Ed25519")
        theirs = await reference.call("toX25519", privateKey=private, publicKey=public_jwk(private))
        assert b64url_encode(edwards.x25519_private(b64url_decode(private["d"]))) == theirs["privateKey"]["d"]
        assert b64url_encode(edwards.x25519_public(b64url_decode(private["x"]))) == theirs["publicKey"]["x"]
        random = os.urandom(32)
        assert edwards.is_point(random) is await reference.call("isPoint", key=b64url_encode(random))


@pytest.mark.parametrize("algorithm", ["Ed25519", "secp256k1", "X25519"])
async def test_the_reference_resolves_every_key_type_that_it_can(
    reference: ReferenceScript, gateway: str, http: HttpxHttp, algorithm: KeyAlgorithm
) -> None:
    specs = [dht.KeySpec(algorithm, None, ("keyAgreement",)), dht.KeySpec(algorithm, "named", ("authentication",))]
    portable_did = await dht.create(crypto, verification_methods=specs)
    await dht.publish(portable_did, http, crypto, gateway)
    theirs = await reference.call("resolve", did=portable_did.uri, gatewayUri=gateway)
    assert theirs == (await _resolver(http, gateway).resolve(portable_did.uri)).to_wire()
    assert theirs["didDocument"] == portable_did.document.to_wire()


async def test_the_reference_cannot_read_the_registrys_p256(
    reference: ReferenceScript, gateway: str, http: HttpxHttp
) -> None:
    portable_did = await dht.create(crypto, verification_methods=[dht.KeySpec("P-256", "p", ("authentication",))])
    await dht.publish(portable_did, http, crypto, gateway)
    theirs = await reference.call("resolve", did=portable_did.uri, gatewayUri=gateway)
    assert theirs["didResolutionMetadata"]["error"] == "invalidPublicKeyType"
    assert (await _resolver(http, gateway).resolve(portable_did.uri)).did_document == portable_did.document


async def test_the_reference_joins_every_text_that_we_cut(
    reference: ReferenceScript, gateway: str, http: HttpxHttp
) -> None:
    portable_did = await dht.create(crypto, also_known_as=["did:example:" + "a" * 280, "did:example:" + "é" * 40])
    await dht.publish(portable_did, http, crypto, gateway)
    theirs = await reference.call("resolve", did=portable_did.uri, gatewayUri=gateway)
    assert theirs["didDocument"] == portable_did.document.to_wire()


async def test_each_takes_the_others_proof_of_a_previous_did(
    reference: ReferenceScript, gateway: str, http: HttpxHttp
) -> None:
    old = await dht.create(crypto)
    new = await dht.create(crypto, **dht.identity_defaults(ENDPOINTS), previous=old)
    # The reference checks the proof when it makes a packet, and refuses a wrong one.
    proof = new.metadata["previousDidProof"]
    arguments = {"document": new.document.to_wire(), "didMetadata": {}}
    packet = b64url_decode(await reference.call("toPacket", **arguments, previousDidProof=proof))
    assert packet == dht.to_packet(new.document, previous=dht.PreviousDidProof(old.uri, proof["signature"]))
    with pytest.raises(ReferenceError, match="invalidPreviousDidProof"):
        wrong = {**proof, "signature": b64url_encode(bytes(64))}
        await reference.call("toPacket", **arguments, previousDidProof=wrong)

    signed = await reference.call(
        "importAndSign", portableDid=old.to_wire(), data=b64url_encode(dht.identity_key(new.uri)), methodId="0"
    )
    await dht.PreviousDidProof(old.uri, signed["signature"]).verify(new.uri, crypto)

    published = await dht.publish(new, http, crypto, gateway)
    theirs = await reference.call("resolve", did=new.uri, gatewayUri=gateway)
    assert theirs["didDocument"] == new.document.to_wire()
    ours = (await _resolver(http, gateway).resolve(new.uri)).did_document_metadata
    assert ours == {**theirs["didDocumentMetadata"], "previousDidProof": proof}
    assert published.metadata["previousDidProof"] == proof


async def test_both_look_for_a_did_web_at_the_same_place(reference: ReferenceScript) -> None:
    for identifier in ("example.com", "example.com%3A3000", "example.com:user:alice", "a.b-c.example%3A8443:d:%C3%A9"):
        uri = f"did:web:{identifier}"
        parsed = parse_did(uri)
        assert parsed is not None
        files = {document_url(parsed): {"id": uri}}
        theirs = await reference.call("resolveWeb", did=uri, files=files)
        assert theirs["asked"] == list(files)
        assert theirs["result"]["didDocument"] == {"id": uri}


async def test_generated_keys_signatures_and_thumbprints_agree(reference: ReferenceScript) -> None:
    algorithms: list[KeyAlgorithm] = ["Ed25519", "secp256k1", "P-256"]
    for algorithm in algorithms:
        for _ in range(10):
            private = await crypto.generate_key(algorithm)
            data = os.urandom(40)
            signature = await (await crypto.signer(private)).sign(data)
            arguments = {"data": b64url_encode(data), "signature": b64url_encode(signature)}
            assert await reference.call("verify", key=public_jwk(private), **arguments) is True
            assert await reference.call("thumbprint", jwk=private) == thumbprint(private)


async def test_identity_keys_of_dids_agree(reference: ReferenceScript) -> None:
    for _ in range(20):
        public = os.urandom(32)
        did = dht.identity_key_to_did(public)
        assert b64url_decode(await reference.call("identityKey", did=did)) == public == dht.identity_key(did)


def _ours(options: dict[str, Any]) -> Any:
    """The reference's creation options as arguments for `dht.create`."""
    methods = [
        dht.KeySpec(spec["algorithm"], spec.get("id"), spec["purposes"], spec.get("controller"))
        for spec in options["verificationMethods"]
    ]
    return {
        "verification_methods": methods,
        "services": options["services"],
        "also_known_as": options["alsoKnownAs"],
        "controllers": options["controllers"],
        "types": options["types"],
    }


def test_the_options_here_make_a_document() -> None:
    assert DidDocument.from_wire({"id": "did:example:a", "service": CONNECT["services"]}).dwn_endpoints == ENDPOINTS
