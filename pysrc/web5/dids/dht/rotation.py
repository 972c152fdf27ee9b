"""A did:dht that continues another: the proof that the other's owner says so (https://did-dht.com, "Rotation").

An identity key cannot be changed, so a person who needs a new one makes a new DID, and the old key signs for it. The
proof goes into the packet each time that the document is published; so it stays in the DID's metadata, in the shape
of `PreviousDidProof` in `@web5/dids` `did-dht.ts`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jwk import from_key_bytes
from web5.dids.dht.identity import identity_key
from web5.dids.dht.terms import PreviousDid
from web5.dids.keys import private_key, signing_method
from web5.dids.models import PortableDid
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto

PROOF = "previousDidProof"
"""Where the metadata of a DID has the proof."""

PROOF_ERROR = "previousDidProofError"
"""Where the metadata of a resolved document says that its proof is wrong; then it has no proof."""


async def prove(previous: PortableDid, new_did: str, crypto: Crypto) -> PreviousDid:
    """Sign for a new DID with the identity key of the one that it continues.

    Raises:
        DidError: one of them is no did:dht; internalError, the private key of `previous` is not there.
        CryptoError: that key is malformed.
    """
    identity_key(previous.uri)
    signer = await crypto.signer(private_key(previous, signing_method(previous.document)))
    return PreviousDid(previous.uri, b64url_encode(await signer.sign(identity_key(new_did))))


async def check(proof: PreviousDid, new_did: str, crypto: Crypto) -> None:
    """Make sure that the previous DID signed for the new one.

    Raises:
        DidError: invalidPreviousDidProof, it did not; as `identity_key` does, one of them is no did:dht.
    """
    data = identity_key(new_did)
    previous_key = from_key_bytes("Ed25519", identity_key(proof.did))
    try:
        valid = await crypto.verify(previous_key, data, b64url_decode(proof.signature))
    except CryptoError:
        valid = False
    if not valid:
        raise DidError("invalidPreviousDidProof", "The previous DID proof is invalid.")


def to_metadata(proof: PreviousDid) -> dict[str, Any]:
    """The proof as a DID's metadata keep it."""
    return {PROOF: {"previousDid": proof.did, "signature": proof.signature}}


def from_metadata(metadata: Mapping[str, Any]) -> PreviousDid | None:
    """The proof in a DID's metadata, or None if there is none.

    Raises:
        DidError: invalidPreviousDidProof, it has not the shape.
    """
    proof = metadata.get(PROOF)
    if proof is None:
        return None
    if isinstance(proof, dict):
        did, signature = proof.get("previousDid"), proof.get("signature")
        if isinstance(did, str) and isinstance(signature, str):
            return PreviousDid(did, signature)
    raise DidError("invalidPreviousDidProof", f"{PROOF} has the members previousDid and signature, two texts")


async def told(proof: PreviousDid | None, did_uri: str, crypto: Crypto) -> dict[str, Any]:
    """What the metadata of a resolved document say of the proof in its packet.

    A wrong proof leaves the document what it is, signed by its own key; only that it continues another is not so.
    """
    if proof is None:
        return {}
    try:
        await check(proof, did_uri, crypto)
    except DidError as error:
        return {PROOF_ERROR: str(error)}
    return to_metadata(proof)
