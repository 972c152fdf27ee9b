"""What room a did:dht document takes in the DHT, and what takes it (https://did-dht.com, "Size Constraints")."""

from __future__ import annotations

from collections.abc import Sequence

from web5.dids.dht.bep44 import VALUE_LIMIT, signing_input
from web5.dids.dht.dns import HEADER_BYTES, Txt, decode_message, encode_message
from web5.dids.dht.packet import to_packet
from web5.dids.dht.terms import PreviousDid
from web5.dids.models import DidDocument
from web5.dids.uri import fragment_of
from web5.errors import DidError

ANY_SEQUENCE = 9_999_999_999
"""A sequence number as long as the time in seconds is until the year 2286."""

_NAMED = 3
_LABELS = {
    "did": "the relationships",
    "aka": "alsoKnownAs",
    "cnt": "the controllers",
    "typ": "the types",
    "prv": "the proof of the previous DID",
}


def fitting_packet(
    document: DidDocument,
    *,
    types: Sequence[int | str] = (),
    gateway_uris: Sequence[str] = (),
    previous: PreviousDid | None = None,
    seq: int = ANY_SEQUENCE,
) -> bytes:
    """The DNS packet of a document, if the DHT has room for it; the gateways are named in it if they fit as well.

    Parameters: as `web5.dids.dht.method.packet.to_packet`.
        seq: the sequence number; its digits take room too.

    Raises:
        DidError: invalidDidDocumentLength, there is no room: how many bytes it takes, and what takes most of them.
            Else as `to_packet`.
    """
    for named in (gateway_uris, ()):
        packet = to_packet(document, types=types, gateway_uris=named, previous=previous)
        size = len(signing_input(seq, packet))
        if size <= VALUE_LIMIT:
            return packet
    raise DidError(
        "invalidDidDocumentLength",
        f"the document of {document.id} takes {size} bytes, and the DHT has room for {VALUE_LIMIT}. "
        f"Most is taken by {_largest(document, packet)}: shorter URLs and names, or fewer of them, would do",
    )


def _largest(document: DidDocument, packet: bytes) -> str:
    sizes = [(len(encode_message([record])) - HEADER_BYTES, record) for record in decode_message(packet)]
    largest = sorted(sizes, key=lambda sized: -sized[0])[:_NAMED]
    return ", ".join(f"{_what(document, record)} ({size})" for size, record in largest)


def _what(document: DidDocument, record: Txt) -> str:
    label = record.name.partition(".")[0].removeprefix("_")
    if label in _LABELS:
        return _LABELS[label]
    index = int(label[1:])
    if label.startswith("s"):
        return f"the service #{fragment_of((document.service or [])[index].id)}"
    return f"the key #{fragment_of((document.verification_method or [])[index].id)}"
