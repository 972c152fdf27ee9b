"""The document of a tenant's did:dht, as the gateway keeps it, on its way into an archive and back.

It is the item of BEP 44 that its owner has signed: whoever carries it can change nothing, and only bring an older one.
"""

from __future__ import annotations

from dataclasses import dataclass

from starlette.exceptions import HTTPException

from web5.archive.format import SIGNED_DOCUMENT, Manifest, check_digest
from web5.archive.zip_reader import ZipReader
from web5.dids.dht.bep44 import PAYLOAD_LIMIT, encode, parse_relay_payload
from web5.dids.dht.identity import identity_key
from web5.errors import DidError
from web5.node.gateway_items import GatewayItems


@dataclass(frozen=True, slots=True)
class TakenDocument:
    """The result of bringing a document to a gateway.

    Parameters:
        words: for the operator.
        is_refused: it is not what a gateway takes.
    """

    words: str
    is_refused: bool = False


async def document_of(items: GatewayItems, did: str) -> bytes | None:
    """Return the signed document of a DID; None if there is none here, or it is no did:dht."""
    try:
        key = identity_key(did)
    except DidError:
        return None
    item = await items.held(key)
    return None if item is None else encode(item)


async def read_document(archive: ZipReader, manifest: Manifest) -> bytes | None:
    """Return the signed document in an archive, if it has one.

    Raises:
        ArchiveError: it is not the file that the manifest names, or too large.
    """
    for file in manifest.files:
        if file.name == SIGNED_DOCUMENT:
            content = await archive.read(SIGNED_DOCUMENT, PAYLOAD_LIMIT)
            check_digest(file, content)
            return content
    return None


async def take_document(items: GatewayItems, did: str, payload: bytes) -> TakenDocument:
    """Give a gateway a document as if it were PUT there: its packet, signature, clock and number are checked.

    Raises:
        StorageError: the gateway's store failed.
    """
    try:
        item = parse_relay_payload(identity_key(did), payload)
        held = await items.held(item.key)
        if held is not None and held.seq > item.seq:
            return TakenDocument("a newer DID document is here")
        await items.take(item)
    except DidError as error:
        return TakenDocument(f"its DID document was not taken: {error}", is_refused=True)
    except HTTPException as error:
        return TakenDocument(f"its DID document was not taken: {error.detail}", is_refused=True)
    return TakenDocument("its DID document was taken" if held is None or held != item else "its DID document was here")
