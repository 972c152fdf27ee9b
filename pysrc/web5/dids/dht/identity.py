"""The identity key in a did:dht, and the proof that one did:dht continues another (https://did-dht.com, "Rotation").

An identity key cannot be changed: a person who needs a new one makes a new DID, and the old key signs for it. The proof
is published with each version of the document, so it stays in the DID's metadata, as `PreviousDidProof` in
`@web5/dids` `did-dht.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from web5.crypto.encoding import b64url_decode, b64url_encode, z32_decode, z32_encode
from web5.crypto.jose.jwk import from_key_bytes
from web5.dids.dht.bep44 import KEY_BYTES
from web5.dids.keys import private_key, signing_method
from web5.dids.models import PortableDid
from web5.dids.uri import parse_did
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto

METHOD = "dht"

PROOF = "previousDidProof"
"""The member of a DID's metadata that has the proof."""

PROOF_ERROR = "previousDidProofError"
"""The member of a resolved document's metadata that says why its proof is wrong; there is no `PROOF` then."""


def identity_key_to_did(key: bytes) -> str:
    """Return the DID of an Ed25519 public key (32 bytes)."""
    return f"did:{METHOD}:{z32_encode(key)}"


def identity_key(did_uri: str) -> bytes:
    """Return the Ed25519 public key in a did:dht DID.

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


@dataclass(frozen=True)
class PreviousDidProof:
    """The DID that a new one continues, and its signature.

    Parameters:
        signature: over the new DID's identity key by the previous one's, base64url.
    """

    did: str
    signature: str

    @classmethod
    async def sign(cls, previous: PortableDid, new_did: str, crypto: Crypto) -> Self:
        """Sign for a new DID with the identity key of the previous one.

        Raises:
            DidError: one of them is no did:dht; internalError, the private key of `previous` is not there.
            CryptoError: that key is malformed.
        """
        identity_key(previous.uri)
        signer = await crypto.signer(private_key(previous, signing_method(previous.document)))
        return cls(previous.uri, b64url_encode(await signer.sign(identity_key(new_did))))

    async def verify(self, new_did: str, crypto: Crypto) -> None:
        """Check that the previous DID signed for the new one.

        Raises:
            DidError: invalidPreviousDidProof, it did not; as `identity_key` raises, one of them is no did:dht.
        """
        data = identity_key(new_did)
        previous_key = from_key_bytes("Ed25519", identity_key(self.did))
        try:
            valid = await crypto.verify(previous_key, data, b64url_decode(self.signature))
        except CryptoError:
            valid = False
        if not valid:
            raise DidError("invalidPreviousDidProof", "The previous DID proof is invalid.")

    def to_metadata(self) -> dict[str, Any]:
        """Return the proof as a member of a DID's metadata."""
        return {PROOF: {"previousDid": self.did, "signature": self.signature}}

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> Self | None:
        """Return the proof in a DID's metadata, or None if there is none.

        Raises:
            DidError: invalidPreviousDidProof, it has not the shape.
        """
        match metadata.get(PROOF):
            case None:
                return None
            case {"previousDid": str(did), "signature": str(signature)}:
                return cls(did, signature)
        raise DidError("invalidPreviousDidProof", f"{PROOF} has the members previousDid and signature, two texts")
