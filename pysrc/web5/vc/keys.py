"""Which keys of a DID make credentials and presentations (DID Core, section 5.3)."""

from __future__ import annotations

from collections.abc import Sequence

from web5.crypto.jws import MessageSigner
from web5.dids.models import RELATIONSHIPS, DidDocument, PortableDid, VerificationMethod
from web5.dids.signing import private_key
from web5.dids.uri import fragment_of
from web5.errors import CredentialError
from web5.ports.crypto import Crypto
from web5.vc.codes import Code

FOR_CREDENTIALS = ("assertionMethod",)
FOR_PRESENTATIONS = ("authentication", "assertionMethod")
"""A holder proves who it is; the reference signs presentations with the key for assertions all the same."""


def allowed_keys(document: DidDocument, relationships: Sequence[str]) -> dict[str, VerificationMethod | None]:
    """The verification methods in any of these relationships by their whole DID URLs, the first one first.

    None stands for one that the document refers to and does not have.
    """
    whole = {_whole_id(document, method.id): method for method in document.verification_methods}
    found: dict[str, VerificationMethod | None] = {}
    for name in relationships:
        for entry in getattr(document, RELATIONSHIPS[name]) or ():
            key_id = _whole_id(document, entry if isinstance(entry, str) else entry.id)
            found[key_id] = whole.get(key_id)
    return found


async def credential_signer(portable_did: PortableDid, crypto: Crypto, key_id: str | None = None) -> MessageSigner:
    """What signs credentials and presentations of this DID.

    Parameters:
        key_id: a whole DID URL or its fragment; by default the first `assertionMethod`, as `BearerDid.getSigner` of
            @web5/dids chooses.

    Raises:
        CredentialError: keyNotAllowed, it is not an `assertionMethod` of the DID.
        DidError: its private key is not here.
        CryptoError: the key cannot sign.
    """
    document = portable_did.document
    keys = allowed_keys(document, FOR_CREDENTIALS)
    wanted = next(iter(keys), "") if key_id is None else _whole_id(document, key_id)
    method = keys.get(wanted)
    if method is None:
        raise CredentialError(
            Code.KEY_NOT_ALLOWED,
            f"{wanted or document.id} is no key for assertions of {document.id}; its keys are: {', '.join(keys)}",
        )
    return MessageSigner(wanted, await crypto.signer(private_key(portable_did, method)))


def _whole_id(document: DidDocument, method_id: str) -> str:
    return method_id if method_id.startswith("did:") else f"{document.id}#{fragment_of(method_id)}"
