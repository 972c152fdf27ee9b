"""did:key: the DID is the key (https://w3c-ccg.github.io/did-key-spec; `@web5/dids` `did-key.ts`).

As in the reference a document has one verification method in all relationships but `keyAgreement` and, as an option, a
second one for `keyAgreement`, derived from an Ed25519 key. P-256, which the reference refuses, is resolved too, as in
the specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from web5.crypto import edwards
from web5.crypto.encoding import b58_decode, b58_encode, b64url_decode, b64url_encode
from web5.crypto.jose.jwk import from_key_bytes, key_bytes, with_ids
from web5.dids.keys import given_or_new_key
from web5.dids.models import RELATIONSHIPS, DidDocument, PortableDid, Resolved
from web5.dids.uri import DidUrl
from web5.errors import CryptoError, DidError, InvalidArgument
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm

KeyFormat = Literal["JsonWebKey2020", "Multibase"]
"""The form of keys in a document: JWKs, or `publicKeyMultibase` in the suites of the curve 25519."""

_PREFIXES: Mapping[KeyAlgorithm, bytes] = {
    "secp256k1": b"\xe7\x01",
    "X25519": b"\xec\x01",
    "Ed25519": b"\xed\x01",
    "P-256": b"\x80\x24",
}
"""Multicodec codes of public keys, as unsigned varints (https://github.com/multiformats/multicodec)."""

_CURVES = {prefix: curve for curve, prefix in _PREFIXES.items()}
_KEY_BYTES = {"Ed25519": 32, "X25519": 32, "secp256k1": 33, "P-256": 33}
_MAX_LENGTH = 64
"""Characters of an identifier; base58 takes time that grows with the square of the length."""

_BASE_CONTEXT = "https://www.w3.org/ns/did/v1"
_CONTEXTS = {
    "JsonWebKey2020": "https://w3id.org/security/suites/jws-2020/v1",
    "Ed25519VerificationKey2020": "https://w3id.org/security/suites/ed25519-2020/v1",
    "X25519KeyAgreementKey2020": "https://w3id.org/security/suites/x25519-2020/v1",
}
_MULTIBASE_TYPES = {"Ed25519": "Ed25519VerificationKey2020", "X25519": "X25519KeyAgreementKey2020"}


@dataclass(frozen=True)
class DidKey:
    """A `DidMethod` for did:key; it needs no network.

    Parameters:
        encryption_key: add the X25519 key of an Ed25519 key, for `keyAgreement`; off in the reference.
        key_format: "Multibase" exists for Ed25519 and X25519 only; other keys are then refused.
    """

    encryption_key: bool = False
    key_format: KeyFormat = "JsonWebKey2020"
    name: ClassVar[str] = "key"

    async def resolve(self, did: DidUrl) -> Resolved:
        if not did.id.startswith("z") or len(did.id) > _MAX_LENGTH:
            raise DidError("invalidDid", f"Invalid DID URI: {did.uri[:100]}")
        try:
            key = b58_decode(did.id[1:])
        except CryptoError as error:
            raise DidError("invalidDid", f"Invalid multibase identifier: {did.id}") from error
        curve = _CURVES.get(key[:2])
        if curve is None:
            raise DidError("invalidDid", f"Invalid multibase identifier: {did.id}")
        return Resolved(self.document(did.uri, curve, key[2:]), {})

    def document(self, uri: str, curve: KeyAlgorithm, key: bytes) -> DidDocument:
        """Return the document of a key.

        Raises:
            DidError: invalidPublicKeyLength, invalidPublicKey; invalidPublicKeyType, the format cannot express it.
        """
        methods = [self._method(uri, curve, key)]
        relationships = {name: [methods[0]["id"]] for name in RELATIONSHIPS if name != "keyAgreement"}
        if self.encryption_key and curve == "Ed25519":
            methods.append(self._method(uri, "X25519", edwards.x25519_public(key)))
            relationships["keyAgreement"] = [methods[1]["id"]]
        types = dict.fromkeys(method["type"] for method in methods)
        wire: dict[str, Any] = {
            "@context": [_BASE_CONTEXT, *(_CONTEXTS[kind] for kind in types)],
            "id": uri,
            "verificationMethod": methods,
        }
        return DidDocument.from_wire(wire | relationships)

    def _method(self, uri: str, curve: KeyAlgorithm, key: bytes) -> dict[str, Any]:
        jwk = _public_jwk(curve, key)
        multibase = _multibase(curve, key)
        method = {"id": f"{uri}#{multibase}", "type": self.key_format, "controller": uri}
        if self.key_format == "JsonWebKey2020":
            return method | {"publicKeyJwk": jwk}
        if curve not in _MULTIBASE_TYPES:
            raise DidError("invalidPublicKeyType", f"a key of {curve} is stated as a JsonWebKey2020 only")
        return method | {"type": _MULTIBASE_TYPES[curve], "publicKeyMultibase": multibase}


async def create(
    crypto: Crypto,
    algorithm: KeyAlgorithm = "Ed25519",
    *,
    encryption_key: bool = False,
    private_jwk: Jwk | None = None,
) -> PortableDid:
    """Make a key and its DID.

    Parameters:
        encryption_key: add the X25519 key of the Ed25519 key to the document and the private keys. `@web5/dids` cannot
            import such a DID, not even its own: it wants one verification method.
        private_jwk: a key that exists already; by default a new one.

    Raises:
        InvalidArgument: `private_jwk` is not a private one of `algorithm`, or `encryption_key` without Ed25519.
        CryptoError: `private_jwk` is malformed.
    """
    if encryption_key and algorithm != "Ed25519":
        raise InvalidArgument(f"An encryption key is derived from an Ed25519 key, not from one of {algorithm}")
    private = await given_or_new_key(crypto, algorithm, private_jwk)
    key = key_bytes(private)
    uri = f"did:key:{_multibase(algorithm, key)}"
    document = DidKey(encryption_key).document(uri, algorithm, key)
    keys = [private, *([_encryption_jwk(private)] if encryption_key else [])]
    return PortableDid(uri=uri, document=document, metadata={}, private_keys=keys)


def _multibase(curve: KeyAlgorithm, key: bytes) -> str:
    return "z" + b58_encode(_PREFIXES[curve] + key)


def _public_jwk(curve: str, key: bytes) -> Jwk:
    if len(key) != _KEY_BYTES[curve]:
        raise DidError("invalidPublicKeyLength", f"Expected {_KEY_BYTES[curve]} bytes. Actual: {len(key)}")
    try:
        if curve == "Ed25519" and not edwards.is_point(key):
            raise CryptoError("not a point of edwards25519")
        return from_key_bytes(curve, key)
    except CryptoError as error:
        raise DidError("invalidPublicKey", "Invalid public key detected.") from error


def _encryption_jwk(ed25519: Jwk) -> Jwk:
    public = from_key_bytes("X25519", edwards.x25519_public(key_bytes(ed25519)))
    return with_ids({**public, "d": b64url_encode(edwards.x25519_private(b64url_decode(ed25519["d"])))})
