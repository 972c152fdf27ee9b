"""Verifiable credentials (VC Data Model 1.1, section 4; `verifiable-credential.ts` of @web5/credentials)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import AfterValidator, field_validator

from web5.errors import InvalidArgument
from web5.ports.clock import Clock, SystemClock
from web5.vc.codes import Code
from web5.vc.dates import as_text, seconds_of, text_of
from web5.vc.models import Json, VcModel, as_list, party

STATUS_LIST_CONTEXT = "https://w3id.org/vc/status-list/2021/v1"


def _moment(text: str) -> str:
    seconds_of(text)
    return text


Moment = Annotated[str, AfterValidator(_moment)]


class VerifiableCredential(VcModel):
    """What an issuer says about a subject. Whether it holds, `CredentialVerifier.verify` tells."""

    base_type = "VerifiableCredential"
    malformed = Code.MALFORMED_CREDENTIAL

    issuer: str | Json
    issuance_date: Moment
    credential_subject: Json | list[Json]
    expiration_date: Moment | None = None
    credential_status: Json | list[Json] | None = None
    credential_schema: Json | list[Json] | None = None
    evidence: list[Any] | None = None

    @classmethod
    def create(
        cls,
        *,
        issuer: str,
        subject: str,
        data: Mapping[str, Any],
        type: str | Sequence[str] = (),
        issuance_date: datetime | str | None = None,
        expiration_date: datetime | str | None = None,
        credential_status: Mapping[str, Any] | None = None,
        credential_schema: Mapping[str, Any] | None = None,
        evidence: Sequence[Any] | None = None,
        clock: Clock | None = None,
    ) -> Self:
        """A new credential, not signed yet.

        Parameters:
            issuer, subject: who says it, and about whom; DIDs.
            data: what is said, as JSON.
            type: what kind of credential it is, besides `VerifiableCredential`.
            issuance_date: from when on it holds; by default now. Times are RFC 3339 texts, or datetimes with a zone.
            expiration_date: until when; by default for ever.
            credential_status: an entry of a status list, as `status_list.entry` makes it.
            credential_schema: `{"id": the URL of a JSON schema, "type": "JsonSchema"}`; verifiers fetch it.
            evidence: what the issuer saw, for whoever verifies it.

        Raises:
            InvalidArgument: one of these cannot be used.
        """
        if not isinstance(data, Mapping):
            raise InvalidArgument("The data of a credential is a mapping, such as {'level': 'gold'}.")
        wire = cls._begun(type, [STATUS_LIST_CONTEXT] if credential_status else [])
        wire |= {
            "issuer": party(issuer, "issuer"),
            "issuanceDate": as_text(issuance_date)
            if issuance_date
            else text_of((clock or SystemClock()).now() // 1_000_000),
            "credentialSubject": {"id": party(subject, "subject"), **data},
        }
        if wire["credentialSubject"]["id"] != subject:
            raise InvalidArgument("The data has an id of its own; the id of the subject is given as subject=….")
        optional = {
            "expirationDate": as_text(expiration_date) if expiration_date else None,
            "credentialStatus": dict(credential_status) if credential_status else None,
            "credentialSchema": dict(credential_schema) if credential_schema else None,
            "evidence": list(evidence) if evidence else None,
        }
        wire |= {name: value for name, value in optional.items() if value is not None}
        return cls._finished(wire)

    @property
    def issuer_id(self) -> str:
        """The issuer's DID."""
        issuer: str = self.issuer if isinstance(self.issuer, str) else self.issuer["id"]
        return issuer

    @property
    def subjects(self) -> list[Json]:
        """What is said about each subject."""
        return as_list(self.credential_subject)

    @property
    def subject_id(self) -> str | None:
        """The first subject's DID; None if it is not named, as in a ticket that is whoever's holds it."""
        found = self.subjects[0].get("id")
        return found if isinstance(found, str) else None

    @field_validator("issuer")
    @classmethod
    def _issuer_has_id(cls, value: Any) -> Any:
        if isinstance(value, dict) and not isinstance(value.get("id"), str):
            raise ValueError("an issuer that is an object has a text id")
        return value

    @field_validator("credential_subject")
    @classmethod
    def _says_something(cls, value: Any) -> Any:
        subjects = as_list(value)
        if not subjects or not all(subjects):
            raise ValueError("a subject must not be empty")
        return value
