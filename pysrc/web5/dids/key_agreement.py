"""The key with which records are encrypted for a DID.

web5-js gives a did:dht the key `#enc` of secp256k1 for `keyAgreement` (`Web5.connect` of `@web5/api`), and that is the
curve of encrypted records in dwn-sdk-js.
"""

from __future__ import annotations

from web5.dids.models import DidDocument, VerificationMethod

CURVE = "secp256k1"


def encryption_method(document: DidDocument) -> VerificationMethod | None:
    """The first verification method for key agreement whose key is of secp256k1, or None."""
    for entry in document.key_agreement or ():
        method = document.find_method(entry) if isinstance(entry, str) else entry
        if method is not None and (method.public_key_jwk or {}).get("crv") == CURVE:
            return method
    return None


def absolute_id(document: DidDocument, method: VerificationMethod) -> str:
    """The method's id as a whole DID URL."""
    return method.id if method.id.startswith("did:") else document.id + method.id
