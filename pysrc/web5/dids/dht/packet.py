"""DID documents as DNS packets (https://did-dht.com, "DIDs as DNS Records"; `@web5/dids` `did-dht.ts` toDnsPacket).

What a packet cannot carry is refused when it is made, so that nobody reads something else than was meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from web5.crypto.encoding import b64url_encode
from web5.crypto.jwk import DEFAULT_ALG, key_bytes, thumbprint
from web5.dids.dht.dns import Ns, Txt, encode_message, is_name
from web5.dids.dht.identity import identity_key
from web5.dids.dht.terms import (
    DEACTIVATED,
    DID_TYPES,
    KEY_TYPES,
    RELATIONSHIP_NAMES,
    SERVICE_MEMBERS,
    TTL,
    TYPE_LIMIT,
    VERSION,
    PreviousDid,
)
from web5.dids.models import DidDocument, Service, VerificationMethod
from web5.dids.uri import fragment_of
from web5.errors import CryptoError, DidError


def to_packet(
    document: DidDocument,
    *,
    types: Sequence[int | str] = (),
    gateway_uris: Sequence[str] = (),
    previous: PreviousDid | None = None,
) -> bytes:
    """The DNS packet of a did:dht document.

    Parameters:
        document: without its `@context`, which every did:dht document is without.
        types: DID types by number or by name in `DID_TYPES`.
        gateway_uris: the gateways that are authoritative for the DID; one that DNS cannot name is left out.
        previous: the DID that this one continues; its signature is not checked here.

    Raises:
        DidError: invalidDidDocument, the document says what a packet cannot; invalidPublicKey, a key is malformed;
            as `identity_key` does, it is not the document of a did:dht.
    """
    identity_key(document.id)
    if document.model_extra:
        raise _unfit(f"it has no place for {', '.join(document.model_extra)}")
    root_name = _root_name(document.id)
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
    labels: dict[str, str] = {}
    for index, method in enumerate(document.verification_method or ()):
        fragment = _own_fragment(document.id, method.id)
        if (fragment == "0") != (index == 0):
            raise _unfit("the first verification method, and no other, is the identity key '#0'")
        if fragment in labels:
            raise _unfit(f"two verification methods have the id #{fragment}")
        labels[fragment] = f"k{index}"
        add(labels[fragment], _properties(_method_properties(document.id, method)))
    service_labels = []
    for index, service in enumerate(document.service or ()):
        service_labels.append(f"s{index}")
        add(service_labels[-1], _properties(_service_properties(document.id, service)))
    if labels:
        root.append(f"vm={','.join(labels.values())}")
    wire = document.to_wire()
    for short, relationship in RELATIONSHIP_NAMES.items():
        if entries := wire.get(relationship):
            root.append(
                f"{short}={','.join(_method_label(document.id, labels, relationship, entry) for entry in entries)}"
            )
    if service_labels:
        root.append(f"svc={','.join(service_labels)}")
    if numbers := _type_numbers(types):
        add("typ", f"id={','.join(map(str, numbers))}")
    records.append(Txt(root_name, ";".join(root), TTL))
    records += [Ns(root_name, uri, TTL) for uri in gateway_uris if is_name(uri)]
    return encode_message(records)


def deactivation_packet(did_uri: str) -> bytes:
    """The DNS packet that ends a did:dht (https://did-dht.com, "Deactivate")."""
    return encode_message([Txt(_root_name(did_uri), DEACTIVATED, TTL)])


def _root_name(did_uri: str) -> str:
    return f"_did.{did_uri.rpartition(':')[2]}"


def _unfit(reason: str) -> DidError:
    return DidError("invalidDidDocument", f"this document cannot be published to the DHT: {reason}")


def _own_fragment(did_uri: str, part_id: str) -> str:
    """The fragment of an id in the document, which is a URL of its DID or the fragment alone."""
    did, _, fragment = part_id.rpartition("#")
    if did not in ("", did_uri) or not fragment:
        raise _unfit(f"{part_id!r} is not an id of a part of {did_uri}")
    return fragment


def _method_properties(did_uri: str, method: VerificationMethod) -> dict[str, str]:
    if method.model_extra:
        raise _unfit(f"{method.id} has no place for {', '.join(method.model_extra)}")
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
        raise _unfit(f"{relationship} has an entry that is not the id of one of its verification methods")
    return label


def _type_numbers(types: Sequence[int | str]) -> list[int]:
    if isinstance(types, str) or not isinstance(types, Sequence):
        raise _unfit(f"{types!r} is not a list of DID types")
    return [_type_number(did_type) for did_type in types]


def _type_number(did_type: int | str) -> int:
    if isinstance(did_type, str) and did_type in DID_TYPES:
        return DID_TYPES.index(did_type)
    if isinstance(did_type, int) and not isinstance(did_type, bool) and 0 <= did_type < TYPE_LIMIT:
        return did_type
    raise _unfit(f"{did_type!r} is not a registered DID type: {', '.join(DID_TYPES)} would do")


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
