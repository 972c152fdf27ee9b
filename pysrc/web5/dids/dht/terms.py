"""What the records of a did:dht packet say in numbers and short names (https://did-dht.com and its registry)."""

from __future__ import annotations

from dataclasses import dataclass

VERSION = 0
TTL = 7200
"""Seconds; the reference's `DNS_RECORD_TTL`."""

KEY_TYPES = ("Ed25519", "secp256k1", "P-256", "X25519")
"""The registry's key types, by number (https://did-dht.com/registry/#key-type-index)."""

DID_TYPES = (
    "Discoverable",
    "Organization",
    "Government",
    "Corporation",
    "LocalBusiness",
    "SoftwarePackage",
    "WebApp",
    "FinancialInstitution",
)
"""The registry's DID types, by number (https://did-dht.com/registry/#indexed-types)."""

TYPE_LIMIT = 10**9
"""Above every DID type that is read; the registry has eight."""

RELATIONSHIP_NAMES = {
    "auth": "authentication",
    "asm": "assertionMethod",
    "agm": "keyAgreement",
    "inv": "capabilityInvocation",
    "del": "capabilityDelegation",
}
"""The root record's name of each verification relationship, in the order in which the reference writes them."""

SERVICE_MEMBERS = {"id": "id", "type": "t", "serviceEndpoint": "se"}
DEACTIVATED = "deactivated"
"""The root record's whole text when a DID has ended."""


@dataclass(frozen=True)
class PreviousDid:
    """The DID that this one continues, and its proof (https://did-dht.com, "Rotation").

    Parameters:
        signature: over the new DID's identity key by the previous one's, base64url.
    """

    did: str
    signature: str
