"""New did:dht DIDs: their keys and documents (`@web5/dids` `did-dht.ts` DidDht.create)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

from web5.crypto.jose.jwk import key_bytes, public_jwk
from web5.dids.dht.identity import PreviousDidProof, identity_key_to_did
from web5.dids.dht.packet import to_packet
from web5.dids.keys import given_or_new_key
from web5.dids.models import RELATIONSHIPS, DidDocument, PortableDid
from web5.dids.uri import fragment_of
from web5.errors import InvalidArgument
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm

IDENTITY_KEY = "0"


@dataclass(frozen=True)
class KeySpec:
    """A verification method to make.

    Parameters:
        algorithm: "P-256" is in the registry, but `@web5/dids` 1.2.0 cannot read a document that has such a key.
        id: its fragment; by default the key's thumbprint.
        purposes: names of verification relationships, as in the document.
        controller: by default the DID itself.
        private_jwk: a key that exists already, such as one derived from a recovery phrase; by default a new one.
    """

    algorithm: KeyAlgorithm = "Ed25519"
    id: str | None = None
    purposes: Sequence[str] = ()
    controller: str | None = None
    private_jwk: Jwk | None = field(default=None, repr=False)


class IdentityDefaults(TypedDict):
    verification_methods: list[KeySpec]
    services: list[dict[str, Any]]


def identity_defaults(endpoints: Sequence[str]) -> IdentityDefaults:
    """Return the arguments for `create` that `Web5.connect` of `@web5/api` gives a new identity.

    Parameters:
        endpoints: the URLs of its DWNs; with none the identity gets no DWN service.
    """
    dwn = {"id": "dwn", "type": "DecentralizedWebNode", "serviceEndpoint": list(endpoints)}
    return {
        "verification_methods": [
            KeySpec("Ed25519", "sig", ("assertionMethod", "authentication")),
            KeySpec("secp256k1", "enc", ("keyAgreement",)),
        ],
        "services": [{**dwn, "enc": "#enc", "sig": "#sig"}] if endpoints else [],
    }


async def create(
    crypto: Crypto,
    *,
    verification_methods: Sequence[KeySpec] = (),
    services: Sequence[dict[str, Any]] = (),
    also_known_as: Sequence[str] = (),
    controllers: str | Sequence[str] = (),
    types: Sequence[int | str] = (),
    previous: PortableDid | None = None,
) -> PortableDid:
    """Make keys and the document of a new DID; `publish` makes it known.

    Parameters:
        verification_methods: besides the identity key, which is added as `#0` for all purposes but `keyAgreement`
            unless one with the id "0" is given.
        services: in the wire's JSON shape; an `id` may be a mere fragment.
        types: DID types by number or name, see `web5.dids.dht.packet.DID_TYPES`.
        previous: the did:dht that the new one continues, with its identity key, which signs for the new one.

    Raises:
        InvalidArgument: an id is there twice, a purpose is unknown, the identity key is not Ed25519, or a
            `private_jwk` is not a private key of its algorithm.
        CryptoError: a `private_jwk` is malformed.
        DidError: invalidDidDocument, the DHT cannot carry what was asked for; invalidDidDocumentLength, it is too much;
            internalError, the private key of `previous` is not there.
    """
    specs = _with_identity_key(verification_methods)
    private_keys = [await given_or_new_key(crypto, spec.algorithm, spec.private_jwk) for spec in specs]
    uri = identity_key_to_did(key_bytes(private_keys[0]))
    wire: dict[str, Any] = {"id": uri}
    if also_known_as:
        wire["alsoKnownAs"] = list(also_known_as)
    if controllers:
        wire["controller"] = controllers if isinstance(controllers, str) else list(controllers)
    wire["verificationMethod"] = []
    for spec, key in zip(specs, private_keys, strict=True):
        method_id = f"{uri}#{fragment_of(spec.id or key['kid'])}"
        method = {"id": method_id, "type": "JsonWebKey", "controller": spec.controller or uri}
        wire["verificationMethod"].append({**method, "publicKeyJwk": public_jwk(key)})
        for purpose in spec.purposes:
            wire.setdefault(purpose, []).append(method_id)
    if services:
        wire["service"] = [
            {**service, "id": f"{uri}#{fragment_of(str(service.get('id', '')))}"} for service in services
        ]
    document = DidDocument.from_wire(wire)
    proof = None if previous is None else await PreviousDidProof.sign(previous, uri, crypto)
    to_packet(document, types=types, previous=proof)
    metadata: dict[str, Any] = {"published": False}
    if types:
        metadata["types"] = list(types)
    if proof is not None:
        metadata |= proof.to_metadata()
    return PortableDid(uri=uri, document=document, metadata=metadata, private_keys=private_keys)


def _with_identity_key(given: Sequence[KeySpec]) -> list[KeySpec]:
    """Put the identity key first, where the DNS packet has it."""
    ids = [fragment_of(spec.id) for spec in given if spec.id is not None]
    if len(ids) != len(set(ids)):
        raise InvalidArgument("One or more verification method IDs are not unique")
    for purpose in (purpose for spec in given for purpose in spec.purposes):
        if purpose not in RELATIONSHIPS:
            raise InvalidArgument(f"{purpose!r} is not a purpose: {', '.join(RELATIONSHIPS)} would do")
    identity = next((spec for spec in given if fragment_of(spec.id or "") == IDENTITY_KEY), None)
    if identity is None:
        purposes = [purpose for purpose in RELATIONSHIPS if purpose != "keyAgreement"]
        return [KeySpec("Ed25519", IDENTITY_KEY, purposes), *given]
    if identity.algorithm != "Ed25519":
        raise InvalidArgument("The identity key '#0' of a did:dht is an Ed25519 key")
    return [identity, *(spec for spec in given if spec is not identity)]
