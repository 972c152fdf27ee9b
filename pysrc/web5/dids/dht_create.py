"""New did:dht DIDs: their keys and documents (`@web5/dids` `did-dht.ts` DidDht.create)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from web5.crypto.encoding import z32_decode, z32_encode
from web5.crypto.jwk import key_bytes, key_material, public_jwk, with_ids
from web5.dids.models import RELATIONSHIPS, DidDocument, PortableDid
from web5.dids.uri import fragment_of, parse_did
from web5.errors import CryptoError, DidError, InvalidArgument
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm

METHOD = "dht"
IDENTITY_KEY = "0"
KEY_BYTES = 32


@dataclass(frozen=True)
class KeySpec:
    """A verification method to make.

    Parameters:
        id: its fragment; by default the key's thumbprint.
        purposes: names of verification relationships, as in the document.
        controller: by default the DID itself.
        private_jwk: a key that exists already, such as one derived from a recovery phrase; by default a new one.
    """

    algorithm: KeyAlgorithm = "Ed25519"
    id: str | None = None
    purposes: Sequence[str] = ()
    controller: str | None = None
    private_jwk: Jwk | None = None


class IdentityDefaults(TypedDict):
    verification_methods: list[KeySpec]
    services: list[dict[str, Any]]


def identity_defaults(endpoints: Sequence[str]) -> IdentityDefaults:
    """What `Web5.connect` of `@web5/api` gives a new identity, as arguments for `create`.

    Parameters:
        endpoints: the URLs of its DWNs; with none the identity gets no DWN service.
    """
    services = [
        {
            "id": "dwn",
            "type": "DecentralizedWebNode",
            "serviceEndpoint": list(endpoints),
            "enc": "#enc",
            "sig": "#sig",
        }
    ]
    return {
        "verification_methods": [
            KeySpec("Ed25519", "sig", ("assertionMethod", "authentication")),
            KeySpec("secp256k1", "enc", ("keyAgreement",)),
        ],
        "services": services if endpoints else [],
    }


async def create(
    crypto: Crypto,
    *,
    verification_methods: Sequence[KeySpec] = (),
    services: Sequence[dict[str, Any]] = (),
    also_known_as: Sequence[str] = (),
    controllers: str | Sequence[str] = (),
    types: Sequence[int | str] = (),
) -> PortableDid:
    """Make keys and the document of a new DID; `publish` makes it known.

    Parameters:
        verification_methods: besides the identity key, which is added as `#0` for all purposes but `keyAgreement`
            unless one with the id "0" is given.
        services: in the wire's JSON shape; an `id` may be a mere fragment.
        types: DID types by number or name, see `web5.dids.dht_packet.DID_TYPES`.

    Raises:
        InvalidArgument: an id is there twice, a purpose is unknown, or the identity key is not Ed25519.
        CryptoError: a `private_jwk` is malformed.
        DidError: invalidDidDocument, a service is malformed.
    """
    specs = _with_identity_key(verification_methods)
    private_keys = [with_ids(spec.private_jwk or await crypto.generate_key(spec.algorithm)) for spec in specs]
    uri = identity_key_to_did(key_bytes(private_keys[0]))
    wire: dict[str, Any] = {"id": uri}
    if also_known_as:
        wire["alsoKnownAs"] = list(also_known_as)
    if controllers:
        wire["controller"] = controllers if isinstance(controllers, str) else list(controllers)
    wire["verificationMethod"] = []
    for spec, key in zip(specs, private_keys, strict=True):
        method_id = f"{uri}#{fragment_of(spec.id or key['kid'])}"
        wire["verificationMethod"].append(
            {
                "id": method_id,
                "type": "JsonWebKey",
                "controller": spec.controller or uri,
                "publicKeyJwk": public_jwk(key),
            }
        )
        for purpose in spec.purposes:
            wire.setdefault(purpose, []).append(method_id)
    if services:
        wire["service"] = [
            {**service, "id": f"{uri}#{fragment_of(str(service.get('id', '')))}"} for service in services
        ]
    metadata: dict[str, Any] = {"published": False}
    if types:
        metadata["types"] = list(types)
    document = DidDocument.from_wire(wire)
    return PortableDid(uri=uri, document=document, metadata=metadata, private_keys=private_keys)


def identity_key_to_did(key: bytes) -> str:
    """The DID of an Ed25519 public key (32 bytes)."""
    return f"did:{METHOD}:{z32_encode(key)}"


def identity_key(did_uri: str) -> bytes:
    """The Ed25519 public key in a did:dht DID.

    Raises:
        DidError: invalidDid, methodNotSupported, invalidPublicKey or invalidPublicKeyLength.
    """
    did = parse_did(did_uri)
    if did is None:
        raise DidError("invalidDid", f"Invalid DID URI: {did_uri[:100]}")
    if did.method != METHOD:
        raise DidError("methodNotSupported", f"Method not supported: {did.method}")
    try:
        key = z32_decode(did.id)
    except CryptoError as error:
        raise DidError("invalidPublicKey", "Failed to decode method-specific identifier") from error
    if len(key) != KEY_BYTES:
        raise DidError("invalidPublicKeyLength", f"Invalid public key length: {len(key)}")
    return key


def _with_identity_key(given: Sequence[KeySpec]) -> list[KeySpec]:
    """The identity key first, where the DNS packet has it."""
    ids = [fragment_of(spec.id) for spec in given if spec.id is not None]
    if len(ids) != len(set(ids)):
        raise InvalidArgument("One or more verification method IDs are not unique")
    for purpose in (purpose for spec in given for purpose in spec.purposes):
        if purpose not in RELATIONSHIPS:
            raise InvalidArgument(f"{purpose!r} is not a purpose: {', '.join(RELATIONSHIPS)} would do")
    for spec in given:
        if spec.private_jwk is not None and key_material(spec.private_jwk).curve != spec.algorithm:
            raise InvalidArgument(f"The key given for {spec.id!r} is not one of {spec.algorithm}")
    identity = [spec for spec in given if spec.id is not None and fragment_of(spec.id) == IDENTITY_KEY]
    if not identity:
        purposes = [purpose for purpose in RELATIONSHIPS if purpose != "keyAgreement"]
        return [KeySpec("Ed25519", IDENTITY_KEY, purposes), *given]
    if identity[0].algorithm != "Ed25519":
        raise InvalidArgument("The identity key '#0' of a did:dht is an Ed25519 key")
    return identity + [spec for spec in given if spec is not identity[0]]
