"""The key with which a DID signs DWN messages."""

from __future__ import annotations

from collections.abc import Callable

from web5.crypto.jwk import thumbprint
from web5.crypto.jws import MessageSigner
from web5.dids.models import DidDocument, PortableDid, VerificationMethod
from web5.dids.uri import parse_did
from web5.errors import CryptoError, DidError
from web5.ports.crypto import Crypto, Jwk


def _identity_key(document: DidDocument) -> VerificationMethod | None:
    return document.find_method("0")


def _first_method(document: DidDocument) -> VerificationMethod | None:
    return next(iter(document.verification_methods), None)


def _first_assertion_method(document: DidDocument) -> VerificationMethod | None:
    first = next(iter(document.assertion_method or ()), None)
    return document.find_method(first) if isinstance(first, str) else first


_SIGNING_METHOD: dict[str, Callable[[DidDocument], VerificationMethod | None]] = {
    "dht": _identity_key,
    "jwk": _first_method,
    "key": _first_assertion_method,
}
"""`getSigningMethod` of each DID method in `@web5/dids`, which `@web5/agent`'s `AgentDwnApi.getSigner` asks."""


def signing_method(document: DidDocument) -> VerificationMethod:
    """The verification method that web5-js signs with: `#0` for did:dht, else the one for assertions.

    Raises:
        DidError: internalError, the document has no such method with a JWK.
    """
    did = parse_did(document.id)
    choose = _SIGNING_METHOD.get(did.method if did else "", _first_assertion_method)
    method = choose(document)
    if method is None or method.public_key_jwk is None:
        raise DidError("internalError", f"{document.id} has no verification method that is meant for signing")
    return method


def private_key(portable_did: PortableDid, method: VerificationMethod) -> Jwk:
    """The private key of a verification method; which one it is, the thumbprint tells.

    Raises:
        DidError: internalError, the portable DID does not have it.
    """
    try:
        wanted = thumbprint(method.public_key_jwk or {})
        for key in portable_did.private_keys or ():
            if thumbprint(key) == wanted:
                return key
    except CryptoError as error:
        raise DidError("internalError", f"a key of {portable_did.uri} cannot be read: {error}") from error
    raise DidError("internalError", f"the private key of {method.id} is not here")


async def signer_for(portable_did: PortableDid, crypto: Crypto) -> MessageSigner:
    """The signer that web5-js would use for this DID's messages.

    Raises:
        DidError: internalError, no such verification method, or its private key is not here.
        CryptoError: the private key is malformed or cannot sign.
    """
    method = signing_method(portable_did.document)
    key_id = method.id if method.id.startswith("did:") else portable_did.uri + method.id
    return MessageSigner(key_id, await crypto.signer(private_key(portable_did, method)))
