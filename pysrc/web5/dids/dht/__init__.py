"""did:dht: documents as signed items of the Mainline DHT, reached through gateways (https://did-dht.com).

May import `crypto` and the rest of `dids` but the resolver.
"""

from __future__ import annotations

from web5.dids.dht.creation import KeySpec, create, identity_defaults
from web5.dids.dht.identity import PreviousDidProof, identity_key, identity_key_to_did
from web5.dids.dht.method import DidDht, publish, read_document, sequence_at, sign_document, with_version
from web5.dids.dht.packet import from_packet, to_packet

__all__ = [
    "DidDht",
    "KeySpec",
    "PreviousDidProof",
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
    "with_version",
]
