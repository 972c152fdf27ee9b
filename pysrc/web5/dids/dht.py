"""did:dht: the DID is an Ed25519 key, its document a signed item of the Mainline DHT (https://did-dht.com).

Gateways (`web5.dids.gateways`) are the way to the DHT. `@web5/dids` `did-dht.ts` is the reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.crypto.jwk import from_key_bytes
from web5.dids import bep44
from web5.dids.bep44 import SignedItem
from web5.dids.dht_create import KeySpec, create, identity_defaults, identity_key, identity_key_to_did
from web5.dids.dht_packet import PreviousDid, from_packet, to_packet
from web5.dids.gateways import Gateways, words
from web5.dids.method import Resolved
from web5.dids.models import PortableDid
from web5.dids.signing import private_key, signing_method
from web5.dids.uri import DidUrl
from web5.errors import CryptoError, DidError, RemoteError, Unreachable
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto
from web5.ports.http import Http

__all__ = [
    "DidDht",
    "KeySpec",
    "PreviousDid",
    "create",
    "from_packet",
    "identity_defaults",
    "identity_key",
    "identity_key_to_did",
    "publish",
    "read_document",
    "sequence_at",
    "sign_document",
    "to_packet",
    "version_of",
    "with_version",
]


async def publish(
    portable_did: PortableDid,
    http: Http,
    crypto: Crypto,
    *gateway_uris: str,
    clock: Clock | None = None,
    previous: PreviousDid | None = None,
) -> PortableDid:
    """Give the document to the gateways.

    Its sequence number is the time in seconds, as in the reference, and higher than the `versionId` in the metadata.

    Returns:
        the same DID, with `published` and `versionId` in its metadata; at least one gateway took it.

    Raises:
        DidError: the document cannot be published, or the gateways refused it (internalError, with their words);
            invalidPreviousDidProof, `previous` did not sign for this DID.
        CryptoError: the identity key is malformed.
        RemoteError: no gateway was reached.
        InvalidArgument: there is no gateway.
    """
    clock = clock or SystemClock()
    gateways = Gateways(http, crypto, gateway_uris, clock)
    seq = max(sequence_at(clock.now()), version_of(portable_did.metadata) + 1)
    item = await sign_document(portable_did, crypto, seq, gateways.uris[0], previous)
    answers = [answer async for answer in gateways.put(item)]
    refused = [answer for answer in answers if answer.error]
    if len(refused) == len(answers):
        if all(isinstance(answer.error, RemoteError) for answer in refused):
            raise Unreachable(words(refused, len(answers)))
        raise DidError("internalError", words(refused, len(answers)))
    return with_version(portable_did, seq)


async def sign_document(
    portable_did: PortableDid, crypto: Crypto, seq: int, gateway_uri: str, previous: PreviousDid | None = None
) -> SignedItem:
    """The document as a signed item.

    Parameters:
        gateway_uri: the gateway that the packet names as authoritative. It names no others: each would cost up to 70
            of its 1,000 bytes, and nobody resolves by them.

    Raises:
        DidError, CryptoError: as `publish`.
    """
    key = identity_key(portable_did.uri)
    if previous is not None:
        await _check_previous(previous, key, crypto)
    packet = to_packet(
        portable_did.document,
        types=portable_did.metadata.get("types") or (),
        gateway_uris=[gateway_uri],
        previous=previous,
    )
    signer = await crypto.signer(private_key(portable_did, signing_method(portable_did.document)))
    return await bep44.sign_item(key, seq, packet, signer)


def read_document(did_uri: str, item: SignedItem) -> Resolved:
    """What a signed item says.

    Raises:
        DidError: as `web5.dids.dht_packet.from_packet`.
    """
    content = from_packet(did_uri, item.value)
    return Resolved(content.document, {**content.metadata, "versionId": str(item.seq)}, content.ttl)


def sequence_at(microseconds: int) -> int:
    """The sequence number of what is published at that time: whole seconds, rounded up."""
    return -(microseconds // -1_000_000)


def version_of(metadata: Mapping[str, Any]) -> int:
    """The sequence number in a document's metadata; 0 where there is none."""
    version = metadata.get("versionId")
    return int(version) if isinstance(version, str) and version.isdecimal() else 0


def with_version(portable_did: PortableDid, seq: int) -> PortableDid:
    """The same DID, known to be published with this sequence number."""
    metadata = {**portable_did.metadata, "published": True, "versionId": str(seq)}
    return portable_did.model_copy(update={"metadata": metadata})


class DidDht:
    """`web5.dids.method.DidMethod` for did:dht."""

    name = "dht"

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def resolve(self, did: DidUrl) -> Resolved:
        """Ask the gateways; the signature is checked, so none of them can make a document up.

        Raises:
            DidError: as `web5.dids.method.DidMethod` says; notFound only if every gateway said so. Its details say
                what each of them answered.
        """
        answers = await self._gateways.find(identity_key(did.uri))
        newest = answers.newest
        if newest is None:
            raise answers.error()
        return replace(read_document(did.uri, newest), resolution=answers.failures)


async def _check_previous(previous: PreviousDid, key: bytes, crypto: Crypto) -> None:
    try:
        previous_key = from_key_bytes("Ed25519", identity_key(previous.did))
        valid = await crypto.verify(previous_key, key, b64url_decode(previous.signature))
    except CryptoError:
        valid = False
    if not valid:
        raise DidError("invalidPreviousDidProof", "The previous DID proof is invalid.")
