"""Verification of credentials and presentations.

Invariants:
1. Nothing that a JWT says is believed before the key that its `kid` names has signed it, that key's DID is the issuer,
   and the DID document lists the key for such statements. @web5/credentials 1.1.3 checks neither whose key it is nor
   its purpose.
2. Claims and the document within agree, or the whole is refused (`web5.vc.signing`).
3. A presentation is valid only if each credential within is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.jose.jwk import DEFAULT_ALG
from web5.dids.models import DidDocument
from web5.dids.resolver import DidResolver
from web5.dids.uri import parse_did
from web5.errors import BodyTooLarge, CredentialError, CryptoError, RemoteError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto, Jwk
from web5.ports.http import Http, get_document
from web5.vc import exchange, status_list
from web5.vc.codes import Code
from web5.vc.dates import seconds_of
from web5.vc.jwt import Jwt, parse
from web5.vc.models import VerifiableCredential, VerifiablePresentation
from web5.vc.schemas import check_schemas
from web5.vc.signing import (
    CREDENTIAL_RELATIONSHIPS,
    PRESENTATION_RELATIONSHIPS,
    Claims,
    date_claim,
    from_claims,
)

LEEWAY_SECONDS = 60
"""Tolerated difference between the clocks of issuer and verifier (RFC 7519, section 4.1.4: "a few minutes")."""

MAX_BYTES = 1 << 20
"""Size limit of schemas and status lists, which come from anybody whom a credential names."""

REQUEST_SECONDS = 20.0


@dataclass(frozen=True)
class VerifiedPresentation:
    """A valid presentation, and its credentials, which are valid too."""

    presentation: VerifiablePresentation
    holder: str
    """The DID that signed the presentation; compare it with the subjects where only they may present a credential."""
    credentials: tuple[VerifiableCredential, ...]


class CredentialVerifier:
    """Verifies JWTs of issuers and holders by their DID documents.

    Parameters:
        http: for the schemas and status lists that credentials name; a guarded one.
    """

    def __init__(self, resolver: DidResolver, crypto: Crypto, clock: Clock, http: Http) -> None:
        self._resolver = resolver
        self._crypto = crypto
        self._clock = clock
        self._http = http

    async def verify(
        self, vc_jwt: str, *, leeway: int = LEEWAY_SECONDS, check_schema: bool = True
    ) -> VerifiableCredential:
        """Verify a credential's JWT: its issuer's signature, its dates and its schemas.

        Whether the issuer is to be trusted, and whether it revoked the credential (`status`), are other questions.

        Parameters:
            leeway: seconds by which clocks may differ.
            check_schema: fetch the schemas that the credential names, and check it against them.

        Raises:
            CredentialError: it is not valid; `code` says why.
        """
        token = parse(vc_jwt)
        await self._authenticate(token, CREDENTIAL_RELATIONSHIPS)
        credential = from_claims(VerifiableCredential, token.payload)
        expires = credential.expiration_date
        self._check_time(seconds_of(credential.issuance_date), seconds_of(expires) if expires else None, leeway)
        if check_schema:
            await check_schemas(credential, self._fetch)
        return credential

    async def verify_presentation(
        self,
        vp_jwt: str,
        *,
        audience: str | None = None,
        nonce: str | None = None,
        definition: Mapping[str, Any] | None = None,
        leeway: int = LEEWAY_SECONDS,
        check_schema: bool = True,
    ) -> VerifiedPresentation:
        """Verify a presentation's JWT and all of its credentials.

        Parameters:
            audience: the verifier. A presentation for another audience is refused, and so is one for none.
            nonce: the nonce that the holder was asked to put in, so that nobody else can replay the presentation.
            definition: the presentation definition that the holder was given (`web5.vc.exchange`), as JSON.
            leeway, check_schema: as for `verify`.

        Raises:
            CredentialError: it is not valid; `code` says why.
        """
        token = parse(vp_jwt)
        holder = await self._authenticate(token, PRESENTATION_RELATIONSHIPS)
        presentation = from_claims(VerifiablePresentation, token.payload)
        self._check_time(date_claim(token.payload, "nbf"), date_claim(token.payload, "exp"), leeway)
        _check_purpose(token.payload, audience, nonce)
        if definition is not None:
            exchange.check_satisfied(presentation.vc_jwts, definition)
        credentials = [
            await self.verify(vc_jwt, leeway=leeway, check_schema=check_schema) for vc_jwt in presentation.vc_jwts
        ]
        return VerifiedPresentation(presentation, holder, tuple(credentials))

    async def status(self, credential: VerifiableCredential, *, leeway: int = LEEWAY_SECONDS) -> str | None:
        """Return "revocation" or "suspension" if the issuer set that status, or None if the credential is in force.

        Parameters:
            credential: a verified one.

        Raises:
            CredentialError: its status is unknown; `code` says why.
        """
        for entry in status_list.entries_of(credential):
            text = await self._fetch(entry["statusListCredential"], Code.STATUS_UNAVAILABLE)
            listed = await self.verify(text.strip(), leeway=leeway, check_schema=False)
            if listed.issuer_id != credential.issuer_id:
                raise CredentialError(Code.STATUS_UNUSABLE, f"the status list is by {listed.issuer_id}, another issuer")
            if status_list.is_disabled(entry, listed):
                return str(entry.get("statusPurpose"))
        return None

    async def _authenticate(self, token: Jwt, relationships: Sequence[str]) -> str:
        """Verify the signature and return the DID of its key."""
        key_id = token.key_id
        did = parse_did(key_id)
        if did is None or key_id != f"{did.uri}#{did.fragment}":
            raise CredentialError(Code.MALFORMED_JWT, f"kid {key_id[:200]!r} is not the DID URL of a key")
        if token.payload.get("iss") != did.uri:
            raise CredentialError(
                Code.KEY_NOT_ALLOWED,
                f"the key is one of {did.uri[:200]}, but the claim iss is another; do not trust it",
            )
        jwk = _key(await self._document(did.uri), key_id, relationships)
        algorithm = DEFAULT_ALG.get(str(jwk.get("crv")))
        if token.algorithm != algorithm or jwk.get("alg", algorithm) != algorithm:
            raise CredentialError(
                Code.KEY_NOT_ALLOWED, f"the JWT says alg {token.algorithm[:40]!r}, and its key is for {algorithm}"
            )
        try:
            valid = await self._crypto.verify(jwk, token.signed, token.signature)
        except CryptoError as error:
            raise CredentialError(Code.KEY_NOT_ALLOWED, f"the key {key_id} cannot be used: {error}") from error
        if not valid:
            raise CredentialError(Code.INVALID_SIGNATURE, f"{key_id} did not sign this; do not trust it")
        return did.uri

    async def _document(self, did: str) -> DidDocument:
        result = await self._resolver.resolve(did)
        if result.did_document_metadata.get("deactivated"):
            raise CredentialError(Code.SIGNER_DEACTIVATED, f"{did} is no longer in use")
        if result.did_document is None:
            reason = result.did_resolution_metadata.get("errorMessage") or result.error
            raise CredentialError(Code.SIGNER_NOT_RESOLVED, f"{did[:200]} was not found, try later: {reason}")
        return result.did_document

    def _check_time(self, start: float | None, end: float | None, leeway: int) -> None:
        now = self._clock.now() / 1_000_000
        if start is not None and now < start - leeway:
            raise CredentialError(Code.NOT_YET_VALID, f"it holds only in {start - now:.0f} seconds from now")
        if end is not None and now > end + leeway:
            raise CredentialError(Code.EXPIRED, f"it expired {now - end:.0f} seconds ago; ask for a new one")

    async def _fetch(self, url: str, unavailable: Code) -> str:
        if not url.startswith(("https://", "http://")):
            raise CredentialError(unavailable, f"{url[:200]} is no URL of the web")
        try:
            status, body = await get_document(self._http, url, limit=MAX_BYTES, seconds=REQUEST_SECONDS)
        except BodyTooLarge as error:
            raise CredentialError(unavailable, f"{url[:200]} has more than {MAX_BYTES} bytes") from error
        except RemoteError as error:
            raise CredentialError(unavailable, f"{url[:200]} could not be reached: {error}") from error
        if status != 200:
            raise CredentialError(unavailable, f"{url[:200]} answered with status {status}")
        return body.decode("utf-8", "replace")


def _key(document: DidDocument, key_id: str, relationships: Sequence[str]) -> Jwk:
    method = document.methods_for(*relationships).get(key_id)
    if method is None:
        raise CredentialError(
            Code.KEY_NOT_ALLOWED,
            f"{document.id} does not list {key_id} for {' or '.join(relationships)}; do not trust it",
        )
    if method.public_key_jwk is None:
        raise CredentialError(Code.KEY_NOT_ALLOWED, f"{key_id} is not given as a JWK, so it cannot be used here")
    return method.public_key_jwk


def _check_purpose(claims: Claims, audience: str | None, nonce: str | None) -> None:
    named = claims.get("aud")
    # RFC 7519, section 4.1.3: who is not among the named audiences rejects it; here [None] stands for nobody.
    if audience not in (named if isinstance(named, list) else [named]):
        raise CredentialError(Code.WRONG_AUDIENCE, "the presentation is not for this audience; ask its holder anew")
    if nonce is not None and claims.get("nonce") != nonce:
        raise CredentialError(Code.WRONG_NONCE, "the presentation does not have the nonce of this request; ask anew")
