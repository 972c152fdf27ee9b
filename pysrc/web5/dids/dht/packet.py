"""DID documents as DNS packets, and back (https://did-dht.com, "DIDs as DNS Records"; `@web5/dids` `did-dht.ts`).

A document that a packet cannot carry, or the DHT has no room for, is refused when the packet is made, so that nobody
reads something else than was meant. Reading is lenient where the reference is, and takes records in any order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jose.jwk import DEFAULT_ALG, from_key_bytes, key_bytes, thumbprint
from web5.dids.dht.bep44 import VALUE_LIMIT, signing_input
from web5.dids.dht.dns import HEADER_BYTES, Ns, Txt, decode_message, encode_message, is_name
from web5.dids.dht.identity import PreviousDidProof, identity_key
from web5.dids.models import DidDocument, Service, VerificationMethod
from web5.dids.uri import fragment_of
from web5.errors import CryptoError, DidError

VERSION = 0
TTL = 7200
"""Seconds; the reference's `DNS_RECORD_TTL`."""

KEY_TYPES = ("Ed25519", "secp256k1", "P-256", "X25519")
"""The registry's key types, by number (https://did-dht.com/registry/#key-type-index)."""

DID_TYPES = (
    "Discoverable",
    "Organization",
    "Government",
    "Corporation",
    "LocalBusiness",
    "SoftwarePackage",
    "WebApp",
    "FinancialInstitution",
)
"""The registry's DID types, by number (https://did-dht.com/registry/#indexed-types)."""

TYPE_LIMIT = 10**9
"""Above every DID type that is read; the registry has eight."""

RELATIONSHIP_NAMES = {
    "auth": "authentication",
    "asm": "assertionMethod",
    "agm": "keyAgreement",
    "inv": "capabilityInvocation",
    "del": "capabilityDelegation",
}
"""The root record's name of each verification relationship, in the order in which the reference writes them."""

SERVICE_MEMBERS = {"id": "id", "type": "t", "serviceEndpoint": "se"}
DEACTIVATED = "deactivated"
"""The root record's whole text after a DID was deactivated."""

LONG_SEQUENCE = 9_999_999_999
"""A sequence number as long as the time in seconds is until the year 2286."""

_INDEXED = re.compile(r"_([ks])(0|[1-9][0-9]*)")
_RECORDS_NAMED = 3


def to_packet(
    document: DidDocument,
    *,
    types: Sequence[int | str] = (),
    gateway_uris: Sequence[str] = (),
    previous: PreviousDidProof | None = None,
    seq: int = LONG_SEQUENCE,
) -> bytes:
    """Return the DNS packet of a did:dht document.

    Parameters:
        document: without its `@context`, which every did:dht document is without.
        types: DID types by number or by name in `DID_TYPES`.
        gateway_uris: the gateways that are authoritative for the DID; they are left out if DNS cannot name them, or
            there is no room for them.
        previous: the DID that this one continues; its signature is not checked here.
        seq: the sequence number under which it is published; its digits take room too.

    Raises:
        DidError: invalidDidDocument, the document says what a packet cannot; invalidPublicKey, a key is malformed;
            invalidDidDocumentLength, the DHT has no room for it, with the records that take most of the bytes;
            as `identity_key` raises, it is not the document of a did:dht.
    """
    described = _describe_records(document, types, previous)
    records = [record for _, record in described]
    name_servers = [Ns(_root_name(document.id), uri, TTL) for uri in gateway_uris if is_name(uri)]
    for packet in (encode_message([*records, *name_servers]), encode_message(records)):
        size = len(signing_input(seq, packet))
        if size <= VALUE_LIMIT:
            return packet
    sizes = [(len(encode_message([record])) - HEADER_BYTES, what) for what, record in described]
    largest = sorted(sizes, key=lambda sized: -sized[0])[:_RECORDS_NAMED]
    listed = ", ".join(f"{what} ({size})" for size, what in largest)
    raise DidError(
        "invalidDidDocumentLength",
        f"the document of {document.id} takes {size} bytes, and the DHT has room for {VALUE_LIMIT}. "
        f"Most is taken by {listed}: shorter URLs and names, or fewer of them, would do",
    )


def deactivation_packet(did_uri: str) -> bytes:
    """Return the DNS packet that deactivates a did:dht (https://did-dht.com, "Deactivate")."""
    return encode_message([Txt(_root_name(did_uri), DEACTIVATED, TTL)])


def _describe_records(
    document: DidDocument, types: Sequence[int | str], previous: PreviousDidProof | None
) -> list[tuple[str, Txt]]:
    """Return the TXT records of a document, each with a description of it for people."""
    identity_key(document.id)
    if document.model_extra:
        raise _unsupported(f"it has no place for {', '.join(document.model_extra)}")
    records: list[tuple[str, Txt]] = []

    def add(what: str, label: str, text: str) -> None:
        records.append((what, Txt(f"_{label}._did", text, TTL)))

    if previous:
        add("the proof of the previous DID", "prv", _properties({"id": previous.did, "s": previous.signature}))
    if document.also_known_as:
        add("alsoKnownAs", "aka", _values(document.also_known_as))
    if document.controller:
        add("the controllers", "cnt", _values(document.controller))
    labels: dict[str, str] = {}
    for index, method in enumerate(document.verification_method or ()):
        fragment = _own_fragment(document.id, method.id)
        if (fragment == "0") != (index == 0):
            raise _unsupported("the first verification method, and no other, is the identity key '#0'")
        if fragment in labels:
            raise _unsupported(f"two verification methods have the id #{fragment}")
        labels[fragment] = f"k{index}"
        add(f"the key #{fragment}", labels[fragment], _properties(_method_properties(document.id, method)))
    services = []
    for index, service in enumerate(document.service or ()):
        services.append(f"s{index}")
        properties = _service_properties(document.id, service)
        add(f"the service #{properties['id']}", services[-1], _properties(properties))
    root = [f"v={VERSION}"]
    if labels:
        root.append(f"vm={','.join(labels.values())}")
    wire = document.to_wire()
    for short, relationship in RELATIONSHIP_NAMES.items():
        if entries := wire.get(relationship):
            referred = (_method_label(document.id, labels, relationship, entry) for entry in entries)
            root.append(f"{short}={','.join(referred)}")
    if services:
        root.append(f"svc={','.join(services)}")
    if numbers := _type_numbers(types):
        add("the types", "typ", f"id={','.join(map(str, numbers))}")
    return [*records, ("the relationships", Txt(_root_name(document.id), ";".join(root), TTL))]


def _root_name(did_uri: str) -> str:
    return f"_did.{did_uri.rpartition(':')[2]}"


def _unsupported(reason: str) -> DidError:
    return DidError("invalidDidDocument", f"this document cannot be published to the DHT: {reason}")


def _own_fragment(did_uri: str, part_id: str) -> str:
    did, _, fragment = part_id.rpartition("#")
    if did not in ("", did_uri) or not fragment:
        raise _unsupported(f"{part_id!r} is not an id of a part of {did_uri}")
    return fragment


def _method_properties(did_uri: str, method: VerificationMethod) -> dict[str, str]:
    if method.model_extra:
        raise _unsupported(f"{method.id} has no place for {', '.join(method.model_extra)}")
    jwk = method.public_key_jwk
    if jwk is None or jwk.get("crv") not in KEY_TYPES:
        raise DidError("invalidPublicKeyType", f"{method.id} has no publicKeyJwk of {', '.join(KEY_TYPES)}")
    try:
        key = key_bytes(jwk)
    except CryptoError as error:
        raise DidError("invalidPublicKey", f"{method.id}: {error}") from error
    fragment = fragment_of(method.id)
    properties = {}
    if fragment not in ("0", thumbprint(jwk)):
        properties["id"] = fragment
    properties |= {"t": str(KEY_TYPES.index(jwk["crv"])), "k": b64url_encode(key)}
    if jwk.get("alg", DEFAULT_ALG[jwk["crv"]]) != DEFAULT_ALG[jwk["crv"]]:
        properties["a"] = str(jwk["alg"])
    if method.controller != did_uri:
        properties["c"] = method.controller
    return properties


def _service_properties(did_uri: str, service: Service) -> dict[str, str]:
    wire = service.to_wire()
    wire["id"] = _own_fragment(did_uri, service.id)
    own = {SERVICE_MEMBERS[name]: _values(wire.pop(name)) for name in SERVICE_MEMBERS}
    return own | {name: _values(value) for name, value in wire.items()}


def _method_label(did_uri: str, labels: Mapping[str, str], relationship: str, entry: Any) -> str:
    label = labels.get(_own_fragment(did_uri, entry)) if isinstance(entry, str) else None
    if label is None:
        raise _unsupported(f"{relationship} has an entry that is not the id of one of its verification methods")
    return label


def _type_numbers(types: Sequence[int | str]) -> list[int]:
    if isinstance(types, str) or not isinstance(types, Sequence):
        raise _unsupported(f"{types!r} is not a list of DID types")
    return [_type_number(did_type) for did_type in types]


def _type_number(did_type: int | str) -> int:
    if isinstance(did_type, str) and did_type in DID_TYPES:
        return DID_TYPES.index(did_type)
    if isinstance(did_type, int) and not isinstance(did_type, bool) and 0 <= did_type < TYPE_LIMIT:
        return did_type
    raise _unsupported(f"{did_type!r} is not a registered DID type: {', '.join(DID_TYPES)} would do")


def _values(value: Any) -> str:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise _unsupported(f"{value!r} is neither a text nor a list of texts")
    if any("," in text for text in texts):
        raise _unsupported(f"{value!r} has a comma, which separates values there")
    return ",".join(texts)


def _properties(properties: Mapping[str, str]) -> str:
    for name, value in properties.items():
        if ";" in name + value or "=" in name:
            raise _unsupported(f"{name}={value} has a character that separates properties there")
    return ";".join(f"{name}={value}" for name, value in properties.items())


@dataclass(frozen=True)
class PacketContent:
    """The content of a packet.

    Parameters:
        metadata: `published`, and `types` and `deactivated` if the packet has them.
        ttl: seconds for which its root record may be cached.
    """

    document: DidDocument
    metadata: dict[str, Any]
    previous: PreviousDidProof | None
    ttl: int


def from_packet(did_uri: str, packet: bytes) -> PacketContent:
    """Read the DNS packet of a did:dht document.

    Raises:
        DidError: invalidDidDocument, no DNS packet, or not one of a DID; invalidPublicKeyType and invalidPublicKey, a
            key of a kind that is not in the registry, or malformed.
    """
    named: dict[str, Txt] = {}
    indexed: dict[str, dict[int, Txt]] = {"k": {}, "s": {}}
    for record in decode_message(packet):
        label = record.name.partition(".")[0]
        if match := _INDEXED.fullmatch(label):
            indexed[match[1]][int(match[2][:9])] = record
        else:
            named.setdefault(label, record)
    root = named.get("_did")
    if root is None:
        raise DidError("invalidDidDocument", "the packet has no root record of a DID")
    document: dict[str, Any] = {"id": did_uri}
    metadata: dict[str, Any] = {"published": True}
    if root.text == DEACTIVATED:
        metadata["deactivated"] = True
        return PacketContent(DidDocument.from_wire(document), metadata, None, root.ttl)
    if aka := named.get("_aka"):
        document["alsoKnownAs"] = aka.text.split(",")
    if cnt := named.get("_cnt"):
        document["controller"] = _one_or_many(cnt.text)
    ids: dict[str, str] = {}
    for index, record in indexed["k"].items():
        method = _read_method(did_uri, index, _parse(record.text))
        ids[f"k{index}"] = method["id"]
        document.setdefault("verificationMethod", []).append(method)
    for record in indexed["s"].values():
        document.setdefault("service", []).append(_read_service(did_uri, _parse(record.text)))
    references = _parse(root.text)
    for short, relationship in RELATIONSHIP_NAMES.items():
        if listed := references.get(short):
            document[relationship] = [ids[label] for label in listed.split(",") if label in ids]
    if typ := named.get("_typ"):
        metadata["types"] = _read_types(typ.text)
    return PacketContent(DidDocument.from_wire(document), metadata, _read_previous(named.get("_prv")), root.ttl)


def _parse(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split(";"))
    return {name: value for name, equals, value in pairs if equals}


def _one_or_many(text: str) -> str | list[str]:
    return text.split(",") if "," in text else text


def _read_method(did_uri: str, index: int, properties: Mapping[str, str]) -> dict[str, Any]:
    number = properties.get("t", "")
    if number not in map(str, range(len(KEY_TYPES))):
        raise DidError("invalidPublicKeyType", f"key {index} has the unknown type {number!r}")
    curve = KEY_TYPES[int(number)]
    try:
        jwk = from_key_bytes(curve, b64url_decode(properties.get("k", "")))
    except CryptoError as error:
        raise DidError("invalidPublicKey", f"key {index}: {error}") from error
    jwk["alg"] = properties.get("a") or DEFAULT_ALG[curve]
    fragment = "0" if index == 0 else properties.get("id", jwk["kid"])
    controller = properties.get("c", did_uri)
    return {"id": f"{did_uri}#{fragment}", "type": "JsonWebKey", "controller": controller, "publicKeyJwk": jwk}


def _read_service(did_uri: str, properties: Mapping[str, str]) -> dict[str, Any]:
    own = SERVICE_MEMBERS.values()
    missing = [short for short in own if short not in properties]
    if missing:
        raise DidError("invalidDidDocument", f"a service has no {', '.join(missing)}")
    custom = {name: _one_or_many(value) for name, value in properties.items() if name not in own}
    return custom | {
        "id": f"{did_uri}#{properties['id']}",
        "type": properties["t"],
        "serviceEndpoint": properties["se"].split(","),
    }


def _read_types(text: str) -> list[int]:
    numbers = _parse(text).get("id", "").split(",")
    if not all(re.fullmatch(r"[0-9]{1,9}", number) for number in numbers):
        raise DidError("invalidDidDocument", f"{text[:100]!r} is not a list of DID types")
    return [int(number) for number in numbers]


def _read_previous(record: Txt | None) -> PreviousDidProof | None:
    properties = _parse(record.text) if record else {}
    return PreviousDidProof(properties["id"], properties["s"]) if {"id", "s"} <= properties.keys() else None
