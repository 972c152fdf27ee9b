"""Which keys of a DID make credentials and presentations (DID Core, section 5.3)."""

from __future__ import annotations

from web5.crypto.jws import MessageSigner
from web5.dids.keys import private_key
from web5.dids.models import PortableDid
from web5.errors import CredentialError
from web5.ports.crypto import Crypto
from web5.vc.codes import Code

FOR_CREDENTIALS = ("assertionMethod",)
FOR_PRESENTATIONS = ("authentication", "assertionMethod")
"""A holder proves who it is; the reference signs presentations with the key for assertions all the same."""


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
    keys = document.methods_for(*FOR_CREDENTIALS)
    wanted = next(iter(keys), "") if key_id is None else document.absolute(key_id)
    method = keys.get(wanted)
    if method is None:
        raise CredentialError(
            Code.KEY_NOT_ALLOWED,
            f"{wanted or document.id} is no key for assertions of {document.id}; its keys are: {', '.join(keys)}",
        )
    return MessageSigner(wanted, await crypto.signer(private_key(portable_did, method)))
