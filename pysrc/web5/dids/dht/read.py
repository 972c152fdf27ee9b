"""DNS packets as DID documents (https://did-dht.com, "DIDs as DNS Records"; `@web5/dids` `did-dht.ts` fromDnsPacket).

Reading is lenient where the reference is, and takes records in any order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.crypto.jwk import DEFAULT_ALG, from_key_bytes
from web5.dids.dht.dns import Txt, decode_message
from web5.dids.dht.identity import PreviousDidProof
from web5.dids.dht.packet import DEACTIVATED, KEY_TYPES, RELATIONSHIP_NAMES, SERVICE_MEMBERS
from web5.dids.models import DidDocument
from web5.errors import CryptoError, DidError

_INDEXED = re.compile(r"_([ks])(0|[1-9][0-9]*)")


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
