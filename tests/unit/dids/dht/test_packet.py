"""did:dht documents as DNS packets: the reference's bytes, what a packet cannot say, and hostile packets."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.jose.jwk import from_key_bytes
from web5.dids import dht
from web5.dids.dht.dns import Txt, decode_message, encode_message
from web5.dids.dht.identity import PreviousDidProof
from web5.dids.dht.packet import from_packet, to_packet
from web5.dids.models import DidDocument
from web5.errors import DidError

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())
vectors = pytest.mark.parametrize("vector", VECTORS["dht"], ids=lambda vector: vector["name"])
crypto = CPythonCrypto()
DID = "did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"
KEY = "t=0;k=YCcHYL2sYNPDlKaALcEmll2HHyT968M4UWbr-9CFGWE"
ROOT = Txt(f"_did.{DID[8:]}", "v=0;vm=k0;auth=k0;asm=k0;inv=k0;del=k0", 7200)


@vectors
def test_writes_the_references_bytes(vector: Any) -> None:
    document = DidDocument.from_wire(vector["portable"]["document"])
    types = vector["portable"]["metadata"].get("types", ())
    assert to_packet(document, types=types, gateway_uris=[vector["gateway"]]).hex() == vector["packet"]


@vectors
def test_reads_what_the_reference_reads(vector: Any) -> None:
    content = from_packet(vector["portable"]["uri"], bytes.fromhex(vector["packet"]))
    assert content.document.to_wire() == vector["resolved"]["didDocument"]
    assert content.metadata == vector["resolved"]["didDocumentMetadata"]
    assert content.ttl == 7200 and content.previous is None


def test_the_previous_did_is_written_as_the_reference_does_and_read() -> None:
    vector = VECTORS["previous"]
    previous = PreviousDidProof(vector["proof"]["previousDid"], vector["proof"]["signature"])
    packet = to_packet(DidDocument.from_wire(vector["portable"]["document"]), previous=previous)
    assert packet.hex() == vector["packet"]
    assert from_packet(vector["portable"]["uri"], packet).previous == previous


async def test_a_document_with_everything_survives() -> None:
    portable_did = await dht.create(
        crypto,
        verification_methods=[
            dht.KeySpec("P-256", "p256", ("authentication",)),
            dht.KeySpec("X25519", None, ("keyAgreement",)),
            dht.KeySpec("secp256k1", "k", ("keyAgreement", "capabilityInvocation"), controller="did:example:other"),
        ],
        services=[
            {"id": "s", "type": "T", "serviceEndpoint": ["https://a.example?x=y"], "sig": ["#0", "#k"], "n": "v"}
        ],
        also_known_as=["did:example:one", "did:example:two"],
        controllers="did:example:three",
        types=["WebApp", 1],
    )
    content = from_packet(portable_did.uri, to_packet(portable_did.document, types=[6, "Organization"]))
    assert content.document.to_wire() == portable_did.document.to_wire()
    assert content.metadata == {"published": True, "types": [6, 1]}


async def test_records_may_come_in_any_order() -> None:
    vector = VECTORS["dht"][1]
    records = decode_message(bytes.fromhex(vector["packet"]))
    root = records.pop()
    content = from_packet(vector["portable"]["uri"], encode_message([root, *records]))
    assert content.document.to_wire() == vector["resolved"]["didDocument"]


def _document(**members: Any) -> DidDocument:
    key = from_key_bytes("Ed25519", bytes(range(32)))
    method = {"id": f"{DID}#0", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": key}
    return DidDocument.from_wire({"id": DID, "verificationMethod": [method], **members})


def _service(**members: Any) -> list[dict[str, Any]]:
    return [{"id": f"{DID}#s", "type": "T", "serviceEndpoint": "https://a.example", **members}]


@pytest.mark.parametrize(
    "document",
    [
        _document(service=_service(serviceEndpoint="https://a.example/x;y")),
        _document(service=_service(serviceEndpoint=["https://a.example/x,y"])),
        _document(service=_service(serviceEndpoint={"nodes": ["https://a.example"]})),
        _document(service=_service(serviceEndpoint=[])),
        _document(service=_service(type="a;b")),
        _document(service=_service(sig=7)),
        _document(service=_service(**{"a=b": "c"})),
        _document(alsoKnownAs=["a,b"]),
        _document(controller=["did:example:a", ""]),
        _document(authentication=[f"{DID}#unknown"]),
        _document(authentication=[{"id": f"{DID}#x", "type": "JsonWebKey", "controller": DID}]),
    ],
    ids=lambda document: json.dumps({**document.to_wire(), "verificationMethod": None})[80:160],
)
def test_what_a_packet_cannot_say_is_refused(document: DidDocument) -> None:
    with pytest.raises(DidError) as refused:
        to_packet(document)
    assert refused.value.code == "invalidDidDocument"


def test_the_identity_key_is_the_first_method() -> None:
    key = from_key_bytes("Ed25519", bytes(range(32)))
    methods = [
        {"id": f"{DID}#{name}", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": key} for name in ("a", "0")
    ]
    with pytest.raises(DidError):
        to_packet(_document(verificationMethod=methods))
    to_packet(_document(verificationMethod=methods[::-1]))


@pytest.mark.parametrize("key", [None, {"kty": "RSA"}, {"kty": "EC", "crv": "P-384"}, {"kty": "OKP", "crv": "Ed25519"}])
def test_a_key_that_the_registry_does_not_have_is_refused(key: Any) -> None:
    method = {"id": f"{DID}#0", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": key}
    with pytest.raises(DidError) as refused:
        to_packet(_document(verificationMethod=[method]))
    assert refused.value.code in ("invalidPublicKeyType", "invalidPublicKey")


def test_an_unknown_did_type_is_refused() -> None:
    with pytest.raises(DidError):
        to_packet(_document(), types=["Spaceship"])


def test_a_gateway_that_dns_cannot_name_is_left_out() -> None:
    assert to_packet(_document(), gateway_uris=["http://h/" + "x" * 64]) == to_packet(_document())


def _packet(*records: tuple[str, str]) -> bytes:
    return encode_message([*(Txt(f"_{label}._did", text, 60) for label, text in records), ROOT])


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (encode_message([Txt("_k0._did", KEY, 60)]), "invalidDidDocument"),  # no root record
        (_packet(("k0", "t=9;k=YCcH")), "invalidPublicKeyType"),
        (_packet(("k0", "k=YCcH")), "invalidPublicKeyType"),
        (_packet(("k0", "t=0")), "invalidPublicKey"),
        (_packet(("k0", "t=0;k=YCcH")), "invalidPublicKey"),
        (_packet(("k0", "t=1;k=*")), "invalidPublicKey"),
        (_packet(("k0", KEY), ("s0", "id=a;t=b")), "invalidDidDocument"),
        (_packet(("k0", KEY), ("typ", "id=x")), "invalidDidDocument"),
        (_packet(("k0", KEY), ("typ", "")), "invalidDidDocument"),
    ],
)
def test_packets_that_are_no_document(packet: bytes, code: str) -> None:
    with pytest.raises(DidError) as refused:
        from_packet(DID, packet)
    assert refused.value.code == code


def test_a_reference_to_a_key_that_is_not_there_is_passed_over() -> None:
    content = from_packet(DID, encode_message([Txt("_k0._did", KEY, 60), Txt(ROOT.name, "v=0;auth=k0,k7", 9)]))
    assert content.document.authentication == [f"{DID}#0"]
    assert content.ttl == 9


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["k0", "k1", "s0", "typ", "aka", "cnt", "prv", "k", "s01", "x"]),
            st.sampled_from([KEY, "t=1;k=AAAA", "id=a;t=b;se=c", "", "=", ";;", "id=", "id=0;s=1"])
            | st.text("tkids=;,0123", max_size=30),
        ),
        max_size=5,
    )
)
def test_any_records_are_a_document_or_a_did_error(records: list[tuple[str, str]]) -> None:
    try:
        content = from_packet(DID, _packet(*records))
    except DidError:
        return
    assert content.document.id == DID


@given(st.binary(max_size=60), st.integers(0, 600), st.sampled_from(VECTORS["dht"]))
def test_a_damaged_packet_is_a_document_or_a_did_error(patch: bytes, at: int, vector: Any) -> None:
    packet = bytes.fromhex(vector["packet"])
    with contextlib.suppress(DidError):
        from_packet(vector["portable"]["uri"], packet[:at] + patch + packet[at + len(patch) :])
