"""did:key: the DID is the key (https://w3c-ccg.github.io/did-key-spec; `@web5/dids` `did-key.ts`).

As in the reference a document has one verification method, a `JsonWebKey2020`, in all relationships but `keyAgreement`.
P-256, which the reference refuses, is resolved too: the specification has it.
"""

from __future__ import annotations

from web5.crypto.encoding import b58_decode, b58_encode
from web5.crypto.jwk import from_key_bytes, key_bytes, public_jwk, with_ids
from web5.dids.method import Resolved
from web5.dids.models import RELATIONSHIPS, DidDocument, PortableDid
from web5.dids.uri import DidUrl
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto, KeyAlgorithm

_PREFIXES = {
    "secp256k1": b"\xe7\x01",
    "X25519": b"\xec\x01",
    "Ed25519": b"\xed\x01",
    "P-256": b"\x80\x24",
}
"""Multicodec codes of public keys, as unsigned varints (https://github.com/multiformats/multicodec)."""

_CURVES = {prefix: curve for curve, prefix in _PREFIXES.items()}
_LONGEST = 64
"""Characters of an identifier; base58 takes time that grows with the square of the length."""


class DidKey:
    """`web5.dids.method.DidMethod` for did:key; it needs no network."""

    name = "key"

    async def resolve(self, did: DidUrl) -> Resolved:
        if not did.id.startswith("z") or len(did.id) > _LONGEST:
            raise DidError("invalidDid", f"Invalid DID URI: {did.uri[:100]}")
        try:
            key = b58_decode(did.id[1:])
        except CryptoError as error:
            raise DidError("invalidDid", f"Invalid multibase identifier: {did.id}") from error
        curve = _CURVES.get(key[:2])
        if curve is None:
            raise DidError("invalidDid", f"Invalid multibase identifier: {did.id}")
        return Resolved(_document(did.uri, did.id, curve, key[2:]), {})


async def create(crypto: Crypto, algorithm: KeyAlgorithm = "Ed25519") -> PortableDid:
    """Make a key and its DID."""
    private = with_ids(await crypto.generate_key(algorithm))
    key = key_bytes(public_jwk(private))
    identifier = "z" + b58_encode(_PREFIXES[algorithm] + key)
    uri = f"did:key:{identifier}"
    return PortableDid(
        uri=uri, document=_document(uri, identifier, algorithm, key), metadata={}, private_keys=[private]
    )


def _document(uri: str, identifier: str, curve: str, key: bytes) -> DidDocument:
    expected = 32 if curve in ("Ed25519", "X25519") else 33
    if len(key) != expected:
        raise DidError("invalidPublicKeyLength", f"Expected {expected} bytes. Actual: {len(key)}")
    try:
        jwk = from_key_bytes(curve, key)
    except CryptoError as error:
        raise DidError("invalidPublicKey", "Invalid public key detected.") from error
    method_id = f"{uri}#{identifier}"
    return DidDocument.from_wire(
        {
            "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"],
            "id": uri,
            "verificationMethod": [{"id": method_id, "type": "JsonWebKey2020", "controller": uri, "publicKeyJwk": jwk}],
            **{name: [method_id] for name in RELATIONSHIPS if name != "keyAgreement"},
        }
    )
