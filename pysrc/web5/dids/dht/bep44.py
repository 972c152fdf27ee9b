"""Signed mutable items of the Mainline DHT (BEP 44), and their form at Pkarr relays and DID DHT gateways.

A relay's payload is the signature (64 bytes), the sequence number (8 bytes, big-endian) and the value
(https://pubky.org/pkarr, "relays"; `@web5/dids` `did-dht.ts` `pkarrGet` and `pkarrPut`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.crypto.jose.jwk import from_key_bytes
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto, RawSigner

KEY_BYTES = 32
SIGNATURE_BYTES = 64
SEQUENCE_BYTES = 8
HEADER_BYTES = SIGNATURE_BYTES + SEQUENCE_BYTES
VALUE_LIMIT = 1000
"""Bytes. BEP 44 allows a value of 1,000; the reference counts the whole signing input when it makes one."""
PAYLOAD_LIMIT = HEADER_BYTES + VALUE_LIMIT
SEQUENCE_LIMIT = 2**63
_NUMBER = re.compile(r"[0-9]{1,19}")
_AHEAD = re.compile(r"is ahead of the clock here, which says ([0-9]{1,12})(?![0-9])")


@dataclass(frozen=True)
class SignedItem:
    """A signed value.

    Parameters:
        key: the Ed25519 public key that it is stored under, 32 bytes.
        signature: over `signing_input(seq, value)`.
        seq: of two items under a key, the one with the higher number replaces the other.
    """

    key: bytes
    signature: bytes
    seq: int
    value: bytes


def signing_input(seq: int, value: bytes) -> bytes:
    """Return the bytes that are signed: `seq` and `v` in bencode, without the dictionary around them (BEP 44)."""
    return b"3:seqi%de1:v%d:%s" % (seq, len(value), value)


def version_of(metadata: Mapping[str, Any]) -> int:
    """Return the sequence number in the metadata of a did:dht (`versionId`), or 0 if there is none."""
    version = metadata.get("versionId")
    return int(version) if isinstance(version, str) and _NUMBER.fullmatch(version) else 0


def check_clock(seq: int, now: int, ahead: int) -> None:
    """Check that a sequence number, which for a did:dht is the publisher's time, is not in the future.

    Parameters:
        now, ahead: the time now, and by how much the number may be ahead of it; seconds.

    Raises:
        DidError: invalidSequence, with the time now, so that a publisher with a wrong clock can go by it.
    """
    if seq > now + ahead:
        raise DidError("invalidSequence", f"{seq} is ahead of the clock here, which says {now}; check yours")


def told_clock(refusal: str) -> int | None:
    """Return the time that a refusal by `check_clock` tells, or None if it is another refusal."""
    found = _AHEAD.search(refusal)
    return int(found[1]) if found else None


async def sign_item(key: bytes, seq: int, value: bytes, signer: RawSigner) -> SignedItem:
    """Sign a value for publication.

    Raises:
        DidError: invalidDidDocumentLength, it is too long for the DHT; invalidDidDocument, `seq` is out of range.
    """
    if not 0 <= seq < SEQUENCE_LIMIT:
        raise DidError("invalidDidDocument", f"{seq} is not a sequence number")
    data = signing_input(seq, value)
    if len(data) > VALUE_LIMIT:
        raise DidError(
            "invalidDidDocumentLength",
            f"the document takes {len(data)} bytes as a DNS packet, and the DHT has room for {VALUE_LIMIT}: "
            "fewer or shorter services, keys and URLs would do",
        )
    return SignedItem(key, await signer.sign(data), seq, value)


def encode(item: SignedItem) -> bytes:
    """Return a relay's payload for an item."""
    return item.signature + item.seq.to_bytes(SEQUENCE_BYTES, "big") + item.value


def parse_relay_payload(key: bytes, body: bytes) -> SignedItem:
    """Return the item in a relay's payload; `verify_item` checks its signature.

    Raises:
        DidError: invalidDidDocumentLength, under 72 or over 1,072 bytes; invalidDidDocument, a sequence number beyond
            63 bits; invalidPublicKeyLength, a key that has not 32 bytes.
    """
    if len(key) != KEY_BYTES:
        raise DidError("invalidPublicKeyLength", f"Invalid public key length: {len(key)}")
    if len(body) < HEADER_BYTES:
        raise DidError(
            "invalidDidDocumentLength", f"Pkarr response must be at least {HEADER_BYTES} bytes but got: {len(body)}"
        )
    if len(body) > PAYLOAD_LIMIT:
        raise DidError("invalidDidDocumentLength", f"Pkarr response exceeds {VALUE_LIMIT} byte limit: {len(body)}")
    seq = int.from_bytes(body[SIGNATURE_BYTES:HEADER_BYTES], "big")
    if seq >= SEQUENCE_LIMIT:
        raise DidError("invalidDidDocument", f"{seq} is not a sequence number")
    return SignedItem(key, body[:SIGNATURE_BYTES], seq, body[HEADER_BYTES:])


async def verify_item(item: SignedItem, crypto: Crypto) -> bool:
    """Return True if the item was signed with its own key."""
    try:
        return await crypto.verify(
            from_key_bytes("Ed25519", item.key), signing_input(item.seq, item.value), item.signature
        )
    except CryptoError:
        # 32 bytes that are no key have signed nothing.
        return False
