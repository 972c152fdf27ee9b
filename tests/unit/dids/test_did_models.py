"""DIDs as texts, documents and portable DIDs as models."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.dids.keys import private_key, signer_for, signing_method
from web5.dids.models import DidDocument, PortableDid
from web5.dids.uri import DidUrl, absolute_url, fragment_of, parse_did
from web5.errors import DidError

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
CONNECT = VECTORS["dht"][1]["portable"]


def test_did_urls_are_taken_apart() -> None:
    assert parse_did("did:a:b:c%20d/p/q?x=1&y=2#f#g") == DidUrl(
        "did:a:b:c%20d", "a", "b:c%20d", "/p/q", "x=1&y=2", "f#g"
    )
    assert parse_did("did:web:localhost%3A8443") == DidUrl("did:web:localhost%3A8443", "web", "localhost%3A8443")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "did",
        "did:a",
        "did:a:",
        "did:A:b",
        "DID:a:b",
        "did:a:b c",
        "did:a:%2",
        "did:a:b\n",
        " did:a:b",
        "did:a:b:",
        7,
    ],
)
def test_other_texts_are_no_dids(text: Any) -> None:
    assert parse_did(text) is None


def test_a_hostile_text_takes_no_time() -> None:
    assert parse_did("did:a:" + ":" * 8000 + "!") is None
    assert parse_did("did:a:" + "b:" * 1_000_000) is None


def test_fragments() -> None:
    assert [fragment_of(text) for text in ("did:a:b#sig", "#sig", "sig")] == ["sig"] * 3


@pytest.mark.parametrize("reference", ["did:web:a#enc", "#enc", "enc"])
def test_references_in_a_document_become_absolute(reference: str) -> None:
    assert absolute_url("did:web:a", reference) == "did:web:a#enc"


def test_paths_queries_and_other_dids_stay_in_references() -> None:
    for reference, url in (("/p#f", "did:web:a/p#f"), ("?q=1#f", "did:web:a?q=1#f"), ("did:web:b#f", "did:web:b#f")):
        assert absolute_url("did:web:a", reference) == url


@pytest.mark.parametrize("vector", VECTORS["dht"], ids=lambda vector: vector["name"])
def test_portable_dids_survive(vector: Any) -> None:
    portable = vector["portable"]
    assert PortableDid.from_wire(portable).to_wire() == portable
    assert PortableDid.model_validate_json(json.dumps(portable)).to_wire() == portable


def test_unnamed_properties_are_kept() -> None:
    wire = {"id": "did:a:b", "x": {"y": [1]}, "service": [{"id": "#s", "type": "T", "serviceEndpoint": "u", "z": None}]}
    assert DidDocument.from_wire(wire).to_wire() == wire


@pytest.mark.parametrize(
    "wire", [None, [], {}, {"id": 7}, {"id": "did:a:b", "service": [{}]}, {"id": "did:a:b", "authentication": [7]}]
)
def test_a_malformed_document_is_a_did_error(wire: Any) -> None:
    with pytest.raises(DidError) as refused:
        DidDocument.from_wire(wire)
    assert refused.value.code == "invalidDidDocument"


def test_finding_methods_and_services() -> None:
    document = DidDocument.from_wire(CONNECT["document"])
    for text in (f"{document.id}#enc", "#enc", "enc"):
        method = document.find_method(text)
        assert method is not None and method.id == f"{document.id}#enc"
    assert document.find_method("none") is None and document.find_service("none") is None
    embedded = {"id": "did:a:b#e", "type": "JsonWebKey", "controller": "did:a:b"}
    document = DidDocument.from_wire({"id": "did:a:b", "keyAgreement": ["#x", embedded], "authentication": ["e"]})
    assert document.find_method("e") is not None
    assert document.find_method("did:other:b#e") is None
    assert document.methods_for("authentication", "keyAgreement") == {
        "did:a:b#e": document.find_method("e"),
        "did:a:b#x": None,
    }


A, B, C = "https://h/a", "http://h/b", "http://[::1]:3000"


@pytest.mark.parametrize(
    ("endpoint", "urls"),
    [
        (A, [A]),
        ([B, A], [B, A]),
        ({"uri": A}, [A]),
        ({"nodes": [A, B]}, [A, B]),
        ({"nodes": [{"uri": A}, B]}, [A, B]),
        ([{"uri": A}, B, {"nodes": [C]}], [A, B, C]),
        ([A, f"{A}/", f"{A}//", A], [A]),
        (["HTTPS://H:443/a", "https://h/a/", "https://h/A", "http://h:80"], ["https://h/a", "https://h/A", "http://h"]),
        (["http://u:p@[::1]:8080/a?b", "http://[", "http://h:x", "http:///a"], ["http://u:p@[::1]:8080/a?b"]),
        ([A, "ws://h/a", "h/a", "", "did:x:y", {}, {"uri": 7}, {"nodes": B}, {"nodes": [7, None]}], [A]),
        ({"origins": [A]}, []),
    ],
)
def test_the_forms_of_dwn_endpoints(endpoint: Any, urls: list[str]) -> None:
    for id in ("did:a:b#dwn", "#dwn", "#node"):
        service = {"id": id, "type": "DecentralizedWebNode", "serviceEndpoint": endpoint}
        document = DidDocument.from_wire({"id": "did:a:b", "service": [service]})
        assert document.dwn_endpoints == urls
    other = DidDocument.from_wire({"id": "did:a:b", "service": [{**service, "type": "Other"}]})
    assert other.dwn_endpoints == []


def test_every_dwn_service_counts_and_every_url_once() -> None:
    services = [
        {"id": f"#{number}", "type": "DecentralizedWebNode", "serviceEndpoint": endpoint}
        for number, endpoint in enumerate(([A], [B, A], {"nodes": [C]}))
    ]
    assert DidDocument.from_wire({"id": "did:a:b", "service": services}).dwn_endpoints == [A, B, C]
    assert DidDocument.from_wire({"id": "did:a:b"}).dwn_endpoints == []


async def test_a_did_dht_signs_with_its_identity_key() -> None:
    portable_did = PortableDid.from_wire(CONNECT)
    signer = await signer_for(portable_did, CPythonCrypto())
    assert (signer.key_id, signer.did, signer.algorithm) == (f"{portable_did.uri}#0", portable_did.uri, "EdDSA")


def test_without_the_key_or_the_method_there_is_no_signer() -> None:
    without_keys = PortableDid.from_wire({**CONNECT, "privateKeys": CONNECT["privateKeys"][1:]})
    with pytest.raises(DidError, match="private key"):
        private_key(without_keys, signing_method(without_keys.document))
    with pytest.raises(DidError, match="meant for signing"):
        signing_method(DidDocument.from_wire({"id": CONNECT["uri"]}))
    garbled = PortableDid.from_wire({**CONNECT, "privateKeys": [{"kty": 7}]})
    with pytest.raises(DidError, match="cannot be read"):
        private_key(garbled, signing_method(garbled.document))


@pytest.mark.parametrize("method_id", ["did:web:a#sig", "#sig", "sig"])
async def test_a_key_id_is_absolute_however_the_document_states_it(method_id: str) -> None:
    private = await CPythonCrypto().generate_key("Ed25519")
    public = {name: value for name, value in private.items() if name != "d"}
    method = {"id": method_id, "type": "JsonWebKey", "controller": "did:web:a", "publicKeyJwk": public}
    for relationship in ([method_id], [method]):
        document = {"id": "did:web:a", "verificationMethod": [method], "assertionMethod": relationship}
        portable_did = PortableDid.from_wire({"uri": "did:web:a", "document": document, "privateKeys": [private]})
        assert (await signer_for(portable_did, CPythonCrypto())).key_id == "did:web:a#sig"


def test_a_reference_to_a_key_of_another_did_is_not_taken_for_a_namesake() -> None:
    public = {"kty": "OKP", "crv": "Ed25519", "x": "AA"}
    method = {"id": "#sig", "type": "JsonWebKey", "controller": "did:web:a", "publicKeyJwk": public}
    document = {"id": "did:web:a", "verificationMethod": [method], "assertionMethod": ["did:web:other#sig"]}
    with pytest.raises(DidError, match="meant for signing"):
        signing_method(DidDocument.from_wire(document))
