"""The identity key in a did:dht (https://did-dht.com, "Identity key"; `@web5/dids` `did-dht.ts` DidDhtUtils)."""

from __future__ import annotations

from web5.crypto.encoding import z32_decode, z32_encode
from web5.dids.uri import parse_did
from web5.errors import CryptoError, DidError

METHOD = "dht"
KEY_BYTES = 32


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
