"""Credentials and presentations as signed JWTs, and read back (`sign` and `parseJwt` of @web5/credentials)."""

from __future__ import annotations

from typing import Any

from web5.crypto.jws import MessageSigner
from web5.dids.keys import private_key
from web5.dids.models import PortableDid
from web5.errors import CredentialError, InvalidArgument
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto
from web5.vc import jwt
from web5.vc.claims import credential_of, presentation_of
from web5.vc.codes import Code
from web5.vc.dates import seconds_of
from web5.vc.models import VerifiableCredential, VerifiablePresentation

CREDENTIAL_RELATIONSHIPS = ("assertionMethod",)
PRESENTATION_RELATIONSHIPS = ("authentication", "assertionMethod")
"""A holder authenticates itself; the reference signs presentations with the key for assertions all the same."""


async def credential_signer(portable_did: PortableDid, crypto: Crypto, key_id: str | None = None) -> MessageSigner:
    """Return the signer of this DID's credentials and presentations.

    Parameters:
        key_id: a DID URL or its fragment; by default the first `assertionMethod`, as `BearerDid.getSigner` of
            @web5/dids chooses.

    Raises:
        CredentialError: keyNotAllowed, it is not an `assertionMethod` of the DID.
        DidError: its private key is not here.
        CryptoError: the key cannot sign.
    """
    document = portable_did.document
    keys = document.methods_for(*CREDENTIAL_RELATIONSHIPS)
    wanted = next(iter(keys), "") if key_id is None else document.absolute(key_id)
    method = keys.get(wanted)
    if method is None:
        raise CredentialError(
            Code.KEY_NOT_ALLOWED,
            f"{wanted or document.id} is no key for assertions of {document.id}; its keys are: {', '.join(keys)}",
        )
    return MessageSigner(wanted, await crypto.signer(private_key(portable_did, method)))


async def sign_credential(credential: VerifiableCredential, signer: MessageSigner, clock: Clock) -> str:
    """Return the credential as a JWT, with its claims in the reference's order.

    Parameters:
        signer: the issuer's, as `credential_signer` returns it.

    Raises:
        InvalidArgument: the signer is not the issuer's, so that nobody would accept the JWT.
    """
    expires = credential.expiration_date
    claims = {
        "vc": credential.to_wire(),
        "nbf": seconds_of(credential.issuance_date),
        "jti": credential.id,
        "iss": signer.did,
        "sub": credential.subject_id,
        "iat": _seconds(clock),
        "exp": seconds_of(expires) if expires else None,
    }
    return await _sign(claims, signer, credential.issuer_id, "issuer")


async def sign_presentation(
    presentation: VerifiablePresentation,
    signer: MessageSigner,
    clock: Clock,
    *,
    audience: str | None = None,
    nonce: str | None = None,
) -> str:
    """Return the presentation as a JWT, with its claims in the reference's order.

    Parameters:
        signer: the holder's.
        audience: the verifier for whom it is, by its own name for itself; nobody else accepts it then.
        nonce: the verifier's nonce. The reference has neither.

    Raises:
        InvalidArgument: the signer is not the holder's.
    """
    claims = {
        "vp": presentation.to_wire(),
        "iss": signer.did,
        "sub": signer.did,
        "jti": presentation.id,
        "iat": _seconds(clock),
        "aud": audience,
        "nonce": nonce,
    }
    return await _sign(claims, signer, presentation.holder, "holder")


def parse_credential(vc_jwt: str) -> VerifiableCredential:
    """Return the credential of a JWT. **Nothing is verified** but that its claims agree with it.

    Raises:
        CredentialError: malformedJwt, malformedCredential or claimMismatch.
    """
    return credential_of(jwt.parse(vc_jwt).payload)


def parse_presentation(vp_jwt: str) -> VerifiablePresentation:
    """Return the presentation of a JWT. **Nothing is verified** but that its claims agree with it.

    Raises:
        CredentialError: malformedJwt, malformedPresentation or claimMismatch.
    """
    return presentation_of(jwt.parse(vp_jwt).payload)


async def _sign(claims: dict[str, Any], signer: MessageSigner, party: str | None, role: str) -> str:
    if party != signer.did:
        raise InvalidArgument(f"{signer.did} cannot sign this: its {role} is {party}.")
    return await jwt.sign({name: value for name, value in claims.items() if value is not None}, signer)


def _seconds(clock: Clock) -> int:
    return clock.now() // 1_000_000
