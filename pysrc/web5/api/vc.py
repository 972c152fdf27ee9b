"""`web5.vc`: verifiable credentials and presentations as JWTs, and those that the person keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from web5.agent.agent import Agent
from web5.api.records.record import Record
from web5.api.records.records import RecordsApi
from web5.crypto.jose.jws import MessageSigner
from web5.vc import exchange
from web5.vc.models import CONTEXT, VerifiableCredential, VerifiablePresentation
from web5.vc.signing import (
    credential_signer,
    parse_credential,
    parse_presentation,
    sign_credential,
    sign_presentation,
)
from web5.vc.verifier import CredentialVerifier

DATA_FORMAT = "application/vc+jwt"
"""The data format that apps on web5-js give such records."""


@dataclass(frozen=True)
class StoredCredential:
    """A credential that the person keeps, and the record in which it lies."""

    record: Record
    jwt: str = field(repr=False)

    @property
    def credential(self) -> VerifiableCredential:
        """The credential of the JWT; not verified.

        Raises:
            CredentialError: the record holds something else.
        """
        return parse_credential(self.jwt)


class VcApi(CredentialVerifier):
    """Verifiable credentials; this identity is the issuer and the holder where nobody else is named."""

    parse_jwt = staticmethod(parse_credential)
    parse_presentation_jwt = staticmethod(parse_presentation)
    select_credentials = staticmethod(exchange.select_credentials)

    def __init__(self, agent: Agent, did: str, records: RecordsApi) -> None:
        super().__init__(agent.resolver, agent.crypto, agent.clock, agent.guarded)
        self._agent = agent
        self._did = did
        self._records = records

    def create(
        self,
        *,
        subject: str,
        data: Mapping[str, Any],
        type: str | Sequence[str] = (),
        issuer: str | None = None,
        issuance_date: datetime | str | None = None,
        expiration_date: datetime | str | None = None,
        credential_status: Mapping[str, Any] | None = None,
        credential_schema: Mapping[str, Any] | None = None,
        evidence: Sequence[Any] | None = None,
    ) -> VerifiableCredential:
        """Create a credential, not signed yet; parameters are those of `VerifiableCredential.create`.

        Raises:
            InvalidArgument: one of them cannot be used.
        """
        return VerifiableCredential.create(
            issuer=issuer or self._did,
            subject=subject,
            data=data,
            type=type,
            issuance_date=issuance_date,
            expiration_date=expiration_date,
            credential_status=credential_status,
            credential_schema=credential_schema,
            evidence=evidence,
            clock=self._agent.clock,
        )

    async def sign(self, credential: VerifiableCredential, *, key_id: str | None = None) -> str:
        """Sign a credential as its issuer, and return the JWT.

        Parameters:
            key_id: the key to sign with, such as "#sig"; by default the first one that is meant for assertions.

        Raises:
            IdentityError: the issuer is not on this agent.
            CredentialError: keyNotAllowed, the key is not one for assertions.
        """
        signer = await self._signer(credential.issuer_id, key_id)
        return await sign_credential(credential, signer, self._agent.clock)

    def create_presentation(
        self,
        vc_jwts: Sequence[str],
        *,
        holder: str | None = None,
        type: str | Sequence[str] = (),
        additional_data: Mapping[str, Any] | None = None,
    ) -> VerifiablePresentation:
        """Create a presentation, not signed yet; parameters are those of `VerifiablePresentation.create`.

        Raises:
            InvalidArgument: one of them cannot be used.
        """
        return VerifiablePresentation.create(
            holder=holder or self._did, vc_jwts=vc_jwts, type=type, additional_data=additional_data
        )

    def answer(self, vc_jwts: Sequence[str], definition: Mapping[str, Any]) -> VerifiablePresentation:
        """Create the presentation that a verifier asks for, of exactly these credentials; not signed yet.

        Parameters:
            vc_jwts: what the person agreed to show, of those that `select_credentials` gave.

        Raises:
            CredentialError: notSatisfied, they are not all that is asked for; or as `select_credentials` does.
        """
        return exchange.presentation_for(vc_jwts, definition, self._did)

    async def sign_presentation(
        self,
        presentation: VerifiablePresentation,
        *,
        audience: str | None = None,
        nonce: str | None = None,
        key_id: str | None = None,
    ) -> str:
        """Sign a presentation as its holder, and return the JWT.

        Parameters:
            audience, nonce: what the verifier asked for; they keep others from showing the presentation as theirs.
            key_id: as for `sign`.

        Raises:
            InvalidArgument: it names no holder.
            IdentityError: the holder is not on this agent.
            CredentialError: keyNotAllowed, the key is not one for assertions.
        """
        signer = await self._signer(presentation.holder or self._did, key_id)
        return await sign_presentation(presentation, signer, self._agent.clock, audience=audience, nonce=nonce)

    async def store(self, vc_jwt: str, **options: Any) -> StoredCredential:
        """Keep a credential as a record of the person's DWN; sync carries it, and it is not published.

        It gets no tags: a remote node can read those, and who was told what is the person's business.

        Parameters:
            vc_jwt: a credential. Verify it before, if it came from somebody else.
            options: passed to `records.create`; a `protocol` with its path, for example, so that access can be granted.

        Raises:
            CredentialError: it is no credential; nothing is stored.
            DwnError: the DWN refused.
        """
        parse_credential(vc_jwt)
        record = await self._records.create(vc_jwt, **{"schema": CONTEXT, "data_format": DATA_FORMAT, **options})
        return StoredCredential(record, vc_jwt)

    async def list(self, *, page_size: int = 100, **filters: Any) -> list[StoredCredential]:
        """Return the credentials that the person keeps, the oldest first; also those that apps on web5-js stored.

        Parameters:
            page_size: how many are asked for at once; all are given.
            filters: as for `records.query`.

        Raises:
            InvalidArgument: an unknown filter.
        """
        found: list[StoredCredential] = []
        cursor = None
        while True:
            page = await self._records.query(limit=page_size, cursor=cursor, **{"data_format": DATA_FORMAT, **filters})
            found += [StoredCredential(one, (await one.data.bytes()).decode(errors="replace")) for one in page]
            cursor = page.cursor
            if cursor is None:
                return found

    async def delete(self, record_id: str) -> None:
        """Delete a credential; `record_id` is that of its record.

        Raises:
            NotFound: there is none, or it is deleted already.
        """
        await self._records.delete(record_id)

    async def _signer(self, did: str, key_id: str | None) -> MessageSigner:
        return await credential_signer(await self._agent.identities.portable_did(did), self._agent.crypto, key_id)
