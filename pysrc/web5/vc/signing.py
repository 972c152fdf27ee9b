"""Credentials and presentations as signed JWTs, and read back (`sign` and `parseJwt` of @web5/credentials)."""

from __future__ import annotations

from web5.crypto.jws import MessageSigner
from web5.errors import InvalidArgument
from web5.ports.clock import Clock
from web5.vc import jwt
from web5.vc.claims import credential_claims, credential_of, presentation_claims, presentation_of
from web5.vc.credential import VerifiableCredential
from web5.vc.presentation import VerifiablePresentation


async def sign_credential(credential: VerifiableCredential, signer: MessageSigner, clock: Clock) -> str:
    """The credential as a JWT.

    Parameters:
        signer: the issuer's, as `web5.vc.keys.credential_signer` gives it.

    Raises:
        InvalidArgument: the signer is not the issuer's, so that nobody would take the JWT.
    """
    _must_be(credential.issuer_id, signer, "issuer")
    return await jwt.sign(credential_claims(credential, signer.did, _seconds(clock)), signer)


async def sign_presentation(
    presentation: VerifiablePresentation,
    signer: MessageSigner,
    clock: Clock,
    *,
    audience: str | None = None,
    nonce: str | None = None,
) -> str:
    """The presentation as a JWT.

    Parameters:
        signer: the holder's.
        audience: the verifier for whom it is, as that one calls itself; nobody else takes it then.
        nonce: what the verifier asked to put in.

    Raises:
        InvalidArgument: the signer is not the holder's.
    """
    _must_be(presentation.holder, signer, "holder")
    claims = presentation_claims(presentation, signer.did, _seconds(clock), audience=audience, nonce=nonce)
    return await jwt.sign(claims, signer)


def parse_credential(vc_jwt: str) -> VerifiableCredential:
    """The credential of a JWT. **Nothing is verified**, but that it agrees with itself.

    Raises:
        CredentialError: malformedJwt, malformedCredential or claimMismatch.
    """
    return credential_of(jwt.parse(vc_jwt).payload)


def parse_presentation(vp_jwt: str) -> VerifiablePresentation:
    """The presentation of a JWT. **Nothing is verified**, but that it agrees with itself.

    Raises:
        CredentialError: malformedJwt, malformedPresentation or claimMismatch.
    """
    return presentation_of(jwt.parse(vp_jwt).payload)


def _must_be(named: str | None, signer: MessageSigner, role: str) -> None:
    if named != signer.did:
        raise InvalidArgument(f"{signer.did} cannot sign this: its {role} is {named}.")


def _seconds(clock: Clock) -> int:
    return clock.now() // 1_000_000
