"""The keys of a DID: new ones, and those in its document for signing messages and for encrypting records.

web5-js gives a did:dht the secp256k1 key `#enc` for `keyAgreement` (`Web5.connect` of `@web5/api`); secp256k1 is also
the curve of encrypted records in dwn-sdk-js.
"""

from __future__ import annotations

from web5.crypto.jose.jwk import key_material, thumbprint, with_ids
from web5.crypto.jose.jws import MessageSigner
from web5.dids.models import DidDocument, PortableDid, VerificationMethod
from web5.dids.uri import absolute_url, parse_did
from web5.errors import CryptoError, DidError, InvalidArgument
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm, Signatures

ENCRYPTION_CURVE = "secp256k1"


async def given_or_new_key(crypto: Crypto, algorithm: KeyAlgorithm, given: Jwk | None) -> Jwk:
    """Return the private key of a new DID with `kid` and `alg`: the given one, or a generated one.

    Raises:
        InvalidArgument: the given key is not a private key of `algorithm`.
        CryptoError: the given key is malformed.
    """
    private = with_ids(await crypto.generate_key(algorithm) if given is None else given)
    material = key_material(private)
    if material.curve != algorithm or not material.d:
        raise InvalidArgument(f"The key given is not a private one of {algorithm}")
    return private


def encryption_method(document: DidDocument) -> VerificationMethod | None:
    """Return the first secp256k1 verification method for key agreement, or None."""
    for method in document.methods_for("keyAgreement").values():
        if method is not None and (method.public_key_jwk or {}).get("crv") == ENCRYPTION_CURVE:
            return method
    return None


def signing_method(document: DidDocument) -> VerificationMethod:
    """Return the verification method that web5-js signs DWN messages with.

    Source: `getSigningMethod` of each DID method in `@web5/dids`, which `AgentDwnApi.getSigner` of `@web5/agent` calls.

    Raises:
        DidError: internalError, the document has no such method with a JWK.
    """
    did = parse_did(document.id)
    match did.method if did else "":
        case "dht":
            method = document.find_method("#0")
        case "jwk":
            method = next(iter(document.verification_methods), None)
        case _:
            method = next(iter(document.methods_for("assertionMethod").values()), None)
    if method is None or method.public_key_jwk is None:
        raise DidError("internalError", f"{document.id} has no verification method that is meant for signing")
    return method


def private_key(portable_did: PortableDid, method: VerificationMethod) -> Jwk:
    """Return the private key of a verification method, found by its thumbprint.

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


async def signer_for(portable_did: PortableDid, crypto: Signatures) -> MessageSigner:
    """Return the signer that web5-js would use for this DID's messages.

    Raises:
        DidError: internalError, there is no such verification method, or its private key is not here.
        CryptoError: the private key is malformed or cannot sign.
    """
    method = signing_method(portable_did.document)
    key_id = absolute_url(portable_did.uri, method.id)
    return MessageSigner(key_id, await crypto.signer(private_key(portable_did, method)))
