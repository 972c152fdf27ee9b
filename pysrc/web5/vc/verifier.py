"""Whether credentials and presentations hold.

Invariants:
1. Nothing that a JWT says is believed before the key that its `kid` names has signed it, that key's DID is the issuer,
   and the DID document lists the key for such statements (`web5.vc.keys`). @web5/credentials 1.1.3 looks neither at
   whose key it is nor at what the key is for.
2. Claims and the document within agree, or the whole is refused (`web5.vc.claims`).
3. A presentation holds only if each credential within does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from web5.crypto.jwk import DEFAULT_ALG
from web5.dids.models import DidDocument
from web5.dids.resolver import DidResolver
from web5.dids.uri import parse_did
from web5.errors import CredentialError, CryptoError
from web5.ports.clock import Clock
from web5.ports.crypto import Crypto, Jwk
from web5.ports.http import Http
from web5.vc import exchange, status_list
from web5.vc.claims import Claims, credential_of, date_claim, presentation_of
from web5.vc.codes import Code
from web5.vc.credential import VerifiableCredential
from web5.vc.dates import seconds_of
from web5.vc.fetching import fetch_text
from web5.vc.jwt import Jwt, parse
from web5.vc.keys import FOR_CREDENTIALS, FOR_PRESENTATIONS
from web5.vc.presentation import VerifiablePresentation
from web5.vc.schemas import check_schemas

LEEWAY_SECONDS = 60
"""How far the clocks of issuer and verifier may differ (RFC 7519, section 4.1.4, allows "a few minutes")."""


@dataclass(frozen=True)
class VerifiedPresentation:
    """A presentation that holds, and its credentials, which hold too."""

    presentation: VerifiablePresentation
    holder: str
    """The DID that signed the presentation; compare it with the subjects where only they may show a credential."""
    credentials: tuple[VerifiableCredential, ...]


class CredentialVerifier:
    """Verifies JWTs of issuers and holders by their DID documents.

    Parameters:
        http: the way to the schemas that credentials name.
    """

    def __init__(self, resolver: DidResolver, crypto: Crypto, clock: Clock, http: Http) -> None:
        self._resolver = resolver
        self._crypto = crypto
        self._clock = clock
        self._http = http

    async def verify(
        self, vc_jwt: str, *, leeway: int = LEEWAY_SECONDS, check_schema: bool = True
    ) -> VerifiableCredential:
        """The credential of a JWT, if it holds: its issuer signed it, it is in its time and as its schemas demand.

        Whether the issuer is to be trusted, and whether it took the credential back (`status`), are other questions.

        Parameters:
            leeway: seconds by which clocks may differ.
            check_schema: fetch the schemas that the credential names, and see whether it is as they demand.

        Raises:
            CredentialError: it does not; `code` says why.
        """
        token = parse(vc_jwt)
        await self._authenticate(token, FOR_CREDENTIALS)
        credential = credential_of(token.payload)
        expires = credential.expiration_date
        self._check_time(seconds_of(credential.issuance_date), seconds_of(expires) if expires else None, leeway)
        if check_schema:
            await check_schemas(credential, self._http)
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
        """The presentation of a JWT with its credentials, if all of them hold.

        Parameters:
            audience: who verifies. A presentation for somebody else is refused, and so is one for nobody.
            nonce: what the holder was asked to put in, so that nobody else can show the presentation again.
            definition: what the holder was asked for (`web5.vc.exchange`), as JSON.
            leeway, check_schema: as for `verify`.

        Raises:
            CredentialError: it does not; `code` says why.
        """
        token = parse(vp_jwt)
        holder = await self._authenticate(token, FOR_PRESENTATIONS)
        presentation = presentation_of(token.payload)
        self._check_time(date_claim(token.payload, "nbf"), date_claim(token.payload, "exp"), leeway)
        _check_purpose(token.payload, audience, nonce)
        if definition is not None:
            exchange.check_satisfied(presentation.vc_jwts, definition)
        credentials = [
            await self.verify(vc_jwt, leeway=leeway, check_schema=check_schema) for vc_jwt in presentation.vc_jwts
        ]
        return VerifiedPresentation(presentation, holder, tuple(credentials))

    async def status(self, credential: VerifiableCredential, *, leeway: int = LEEWAY_SECONDS) -> str | None:
        """Whether the issuer of a credential has taken it back.

        Parameters:
            credential: one that holds.

        Returns "revocation" or "suspension", or None if it is in force.

        Raises:
            CredentialError: its status cannot be told; `code` says why.
        """
        for entry in status_list.entries_of(credential):
            text = await fetch_text(self._http, entry["statusListCredential"], Code.STATUS_UNAVAILABLE)
            listed = await self.verify(text.strip(), leeway=leeway, check_schema=False)
            if listed.issuer_id != credential.issuer_id:
                raise CredentialError(Code.STATUS_UNUSABLE, f"the status list is by {listed.issuer_id}, another issuer")
            if status_list.is_disabled(entry, listed):
                return str(entry.get("statusPurpose"))
        return None

    async def _authenticate(self, token: Jwt, relationships: Sequence[str]) -> str:
        """The DID that really signed."""
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
            holds = await self._crypto.verify(jwk, token.signed, token.signature)
        except CryptoError as error:
            raise CredentialError(Code.KEY_NOT_ALLOWED, f"the key {key_id} cannot be used: {error}") from error
        if not holds:
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
    # RFC 7519, section 4.1.3: who does not find itself among the named rejects it; here [None] stands for nobody.
    if audience not in (named if isinstance(named, list) else [named]):
        raise CredentialError(Code.WRONG_AUDIENCE, "the presentation is not for this audience; ask its holder anew")
    if nonce is not None and claims.get("nonce") != nonce:
        raise CredentialError(Code.WRONG_NONCE, "the presentation does not have the nonce of this request; ask anew")
