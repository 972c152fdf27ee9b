"""DID documents as DNS packets (https://did-dht.com, "DIDs as DNS Records"; `@web5/dids` `did-dht.ts` DidDhtDocument).

What a packet cannot carry is refused when it is made, so that nobody reads something else than was meant. Reading is
lenient where the reference is, but takes records in any order.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jwk import DEFAULT_ALG, from_key_bytes, key_bytes, thumbprint
from web5.dids.dns import Ns, Txt, decode_message, encode_message, is_name
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

_RELATIONSHIPS = {
    "auth": "authentication",
    "asm": "assertionMethod",
    "agm": "keyAgreement",
    "inv": "capabilityInvocation",
    "del": "capabilityDelegation",
}
"""The root record's name of each verification relationship, in the order in which the reference writes them."""

_SERVICE_MEMBERS = {"id": "id", "type": "t", "serviceEndpoint": "se"}
_INDEXED = re.compile(r"_([ks])(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class PreviousDid:
    """The DID that this one continues, and its proof (https://did-dht.com, "Rotation").

    Parameters:
        signature: over the new DID's identity key by the previous one's, base64url.
    """

    did: str
    signature: str


@dataclass(frozen=True)
class PacketContent:
    """What a packet says.

    Parameters:
        metadata: `published`, and `types` if the packet has them.
        ttl: seconds for which its root record may be kept.
    """

    document: DidDocument
    metadata: dict[str, Any]
    previous: PreviousDid | None
    ttl: int


def to_packet(
    document: DidDocument,
    *,
    types: Iterable[int | str] = (),
    gateway_uris: Sequence[str] = (),
    previous: PreviousDid | None = None,
) -> bytes:
    """The DNS packet of a did:dht document.

    Parameters:
        types: DID types by number or by name in `DID_TYPES`.
        gateway_uris: the gateways that are authoritative for the DID; one that DNS cannot name is left out.
        previous: the DID that this one continues; its signature is not checked here.

    Raises:
        DidError: invalidDidDocument, the document says what a packet cannot; invalidPublicKey, a key is malformed.
    """
    root_name = f"_did.{document.id.rpartition(':')[2]}"
    root = [f"v={VERSION}"]
    records: list[Txt | Ns] = []

    def add(label: str, text: str) -> None:
        records.append(Txt(f"_{label}._did", text, TTL))

    if previous:
        add("prv", _properties({"id": previous.did, "s": previous.signature}))
    if document.also_known_as:
        add("aka", _values(document.also_known_as))
    if document.controller:
        add("cnt", _values(document.controller))
    labels = {}
    for index, method in enumerate(document.verification_method or ()):
        fragment = fragment_of(method.id)
        if (fragment == "0") != (index == 0):
            raise _unfit("the first verification method, and no other, is the identity key '#0'")
        labels[fragment] = f"k{index}"
        add(labels[fragment], _properties(_method_properties(document.id, method)))
    service_labels = []
    for index, service in enumerate(document.service or ()):
        service_labels.append(f"s{index}")
        add(service_labels[-1], _properties(_service_properties(service)))
    if labels:
        root.append(f"vm={','.join(labels.values())}")
    wire = document.to_wire()
    for short, relationship in _RELATIONSHIPS.items():
        if entries := wire.get(relationship):
            root.append(f"{short}={','.join(_method_label(labels, relationship, entry) for entry in entries)}")
    if service_labels:
        root.append(f"svc={','.join(service_labels)}")
    if numbers := [_type_number(did_type) for did_type in types]:
        add("typ", f"id={','.join(map(str, numbers))}")
    records.append(Txt(root_name, ";".join(root), TTL))
    records += [Ns(root_name, uri, TTL) for uri in gateway_uris if is_name(uri)]
    return encode_message(records)


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
    for short, relationship in _RELATIONSHIPS.items():
        if listed := references.get(short):
            document[relationship] = [ids[label] for label in listed.split(",") if label in ids]
    metadata: dict[str, Any] = {"published": True}
    if typ := named.get("_typ"):
        metadata["types"] = _read_types(typ.text)
    return PacketContent(DidDocument.from_wire(document), metadata, _read_previous(named.get("_prv")), root.ttl)


def _unfit(reason: str) -> DidError:
    return DidError("invalidDidDocument", f"this document cannot be published to the DHT: {reason}")


def _method_properties(did_uri: str, method: VerificationMethod) -> dict[str, str]:
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


def _service_properties(service: Service) -> dict[str, str]:
    wire = service.to_wire()
    wire["id"] = fragment_of(service.id)
    own = {_SERVICE_MEMBERS[name]: _values(wire.pop(name)) for name in _SERVICE_MEMBERS}
    return own | {name: _values(value) for name, value in wire.items()}


def _method_label(labels: Mapping[str, str], relationship: str, entry: Any) -> str:
    label = labels.get(fragment_of(entry)) if isinstance(entry, str) else None
    if label is None:
        raise _unfit(f"{relationship} has an entry that is not the id of one of its verification methods")
    return label


def _type_number(did_type: int | str) -> int:
    if isinstance(did_type, str):
        if did_type not in DID_TYPES:
            raise _unfit(f"{did_type!r} is not a registered DID type: {', '.join(DID_TYPES)} would do")
        return DID_TYPES.index(did_type)
    return did_type


def _values(value: Any) -> str:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise _unfit(f"{value!r} is neither a text nor a list of texts")
    if any("," in text for text in texts):
        raise _unfit(f"{value!r} has a comma, which separates values there")
    return ",".join(texts)


def _properties(properties: Mapping[str, str]) -> str:
    for name, value in properties.items():
        if ";" in name + value or "=" in name:
            raise _unfit(f"{name}={value} has a character that separates properties there")
    return ";".join(f"{name}={value}" for name, value in properties.items())


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
    missing = [short for short in _SERVICE_MEMBERS.values() if short not in properties]
    if missing:
        raise DidError("invalidDidDocument", f"a service has no {', '.join(missing)}")
    own = _SERVICE_MEMBERS.values()
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


def _read_previous(record: Txt | None) -> PreviousDid | None:
    properties = _parse(record.text) if record else {}
    if not {"id", "s"} <= properties.keys():
        return None
    return PreviousDid(properties["id"], properties["s"])
