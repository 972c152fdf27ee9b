"""did:dht: the DID is an Ed25519 key, its document a signed item of the Mainline DHT (https://did-dht.com).

The DHT is reached through gateways (`web5.dids.dht.gateways`). `@web5/dids` `did-dht.ts` is the reference.
"""

from __future__ import annotations

from dataclasses import replace

from web5.dids.dht import bep44
from web5.dids.dht.bep44 import SignedItem
from web5.dids.dht.gateways import Answers, Gateways
from web5.dids.dht.identity import METHOD, PROOF_ERROR, PreviousDidProof, identity_key
from web5.dids.dht.packet import deactivation_packet, from_packet, to_packet
from web5.dids.keys import private_key, signing_method
from web5.dids.models import PortableDid, Resolved
from web5.dids.uri import DidUrl
from web5.errors import DidError, RemoteError, Unreachable
from web5.ports.clock import Clock, SystemClock
from web5.ports.crypto import Crypto
from web5.ports.http import Http


async def publish(
    portable_did: PortableDid,
    http: Http,
    crypto: Crypto,
    *gateway_uris: str,
    clock: Clock | None = None,
) -> PortableDid:
    """Publish the document to the gateways.

    A DID with `deactivated` in its metadata is deactivated: it resolves to a document without keys from then on.
    The sequence number is the time in seconds, as in the reference, and higher than the `versionId` in the metadata.

    Returns:
        the same DID, with `published` and `versionId` in its metadata; at least one gateway took it.

    Raises:
        DidError: the document cannot be published, or the gateways refused it (internalError, with their words);
            invalidPreviousDidProof, the previous DID in the metadata did not sign for this one.
        CryptoError: the identity key is malformed.
        RemoteError: no gateway was reached.
        NoGateway: none is named.
    """
    clock = clock or SystemClock()
    return await publish_by(Gateways(http, crypto, gateway_uris, clock), portable_did, crypto, clock)


async def publish_by(gateways: Gateways, portable_did: PortableDid, crypto: Crypto, clock: Clock) -> PortableDid:
    """Publish the document to these gateways, as `publish` does."""
    seq = max(sequence_at(clock.now()), bep44.version_of(portable_did.metadata) + 1)
    item = await sign_document(portable_did, crypto, seq, gateways.preferred)
    answers = Answers([answer async for answer in gateways.put(item)])
    if len(answers.failed) == len(answers.all):
        if all(isinstance(answer.error, RemoteError) for answer in answers.failed):
            raise Unreachable(answers.reason)
        raise DidError("internalError", answers.reason)
    return with_version(portable_did, seq)


async def sign_document(portable_did: PortableDid, crypto: Crypto, seq: int, gateway_uri: str) -> SignedItem:
    """Return the document as a signed item.

    Parameters:
        gateway_uri: the gateway that the packet names as authoritative. It names no others: each would cost up to 70
            of its 1,000 bytes, and nobody resolves by them.

    Raises:
        DidError, CryptoError: as `publish`.
    """
    key = identity_key(portable_did.uri)
    metadata = portable_did.metadata
    if portable_did.document.id != portable_did.uri:
        raise DidError("invalidDidDocument", f"the document of {portable_did.uri} has another id")
    previous = PreviousDidProof.from_metadata(metadata)
    if previous is not None:
        await previous.verify(portable_did.uri, crypto)
    if metadata.get("deactivated"):
        packet = deactivation_packet(portable_did.uri)
    else:
        packet = to_packet(
            portable_did.document,
            types=metadata.get("types") or (),
            gateway_uris=[gateway_uri],
            previous=previous,
            seq=seq,
        )
    signer = await crypto.signer(private_key(portable_did, signing_method(portable_did.document)))
    return await bep44.sign_item(key, seq, packet, signer)


async def read_document(did_uri: str, item: SignedItem, crypto: Crypto) -> Resolved:
    """Read the document in a signed item, and check the proof of a previous DID in it.

    A wrong proof leaves the document valid, which its own key has signed; it just does not continue another DID.

    Raises:
        DidError: as `web5.dids.dht.packet.from_packet`.
    """
    content = from_packet(did_uri, item.value)
    metadata = dict(content.metadata)
    if content.previous is not None:
        try:
            await content.previous.verify(did_uri, crypto)
            metadata |= content.previous.to_metadata()
        except DidError as error:
            metadata[PROOF_ERROR] = str(error)
    return Resolved(content.document, {**metadata, "versionId": str(item.seq)}, content.ttl)


def sequence_at(microseconds: int) -> int:
    """Return the sequence number of a document that is published at this time: whole seconds, rounded up."""
    return -(microseconds // -1_000_000)


def with_version(portable_did: PortableDid, seq: int) -> PortableDid:
    """Return the same DID with metadata that say it was published with this sequence number."""
    metadata = {**portable_did.metadata, "published": True, "versionId": str(seq)}
    return portable_did.model_copy(update={"metadata": metadata})


class DidDht:
    """A `DidMethod` for did:dht."""

    name = METHOD

    def __init__(self, gateways: Gateways, crypto: Crypto) -> None:
        self._gateways = gateways
        self._crypto = crypto

    async def resolve(self, did: DidUrl) -> Resolved:
        """Ask the gateways; the signature is checked, so none of them can make a document up.

        Raises:
            DidError: as `DidMethod.resolve`; notFound only if every gateway said so. Its details have the
                answer of each of them. NoGateway: none is set.
        """
        answers = await self._gateways.find(identity_key(did.uri))
        newest = answers.newest
        if newest is None:
            raise answers.error()
        return replace(await read_document(did.uri, newest, self._crypto), resolution=answers.details)
