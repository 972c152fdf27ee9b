"""Verifiable credentials and presentations (VC Data Model 1.1; `verifiable-*.ts` of @web5/credentials).

Attributes are in snake_case, JSON has the wire's names, and members that are not named here are kept unchanged.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, field_validator

from web5 import strict_json
from web5.dids.models import WireModel
from web5.errors import CredentialError, InvalidArgument
from web5.ports.clock import Clock, SystemClock
from web5.vc.codes import Code
from web5.vc.dates import as_text, seconds_of, text_of
from web5.vc.jwt import as_json

CONTEXT = "https://www.w3.org/2018/credentials/v1"
STATUS_LIST_CONTEXT = "https://w3id.org/vc/status-list/2021/v1"

Json = dict[str, Any]

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


def _uri(value: Any) -> Any:
    if not isinstance(value, str) or not _URI.fullmatch(value):
        raise ValueError(f"{str(value)[:100]!r} is no URI")
    return value


Uri = Annotated[str, AfterValidator(_uri)]


def as_list(value: Any) -> list[Any]:
    """Return a list of the values; the data model lets a single value stand for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


class VcModel(WireModel):
    """The members that credentials and presentations share.

    Attributes:
        base_type: the type that every one of this kind has.
        malformed_code: the error code if the value has not the shape.
    """

    base_type: ClassVar[str]
    malformed_code: ClassVar[Code]

    context: Annotated[str | Json | list[str | Json], Field(alias="@context")]
    type: str | list[str]
    id: Uri | None = None

    @classmethod
    def malformed(cls, problem: str) -> CredentialError:
        return CredentialError(cls.malformed_code, problem)

    @classmethod
    def _new(
        cls,
        types: str | Sequence[str],
        contexts: Sequence[str],
        members: Mapping[str, Any],
        additional_data: Mapping[str, Any] | None = None,
    ) -> Self:
        """Build a model from an app's values, which are copied; members are in the reference's order.

        Raises:
            InvalidArgument: they cannot be used.
        """
        wire = {
            "@context": [CONTEXT, *contexts],
            "type": [cls.base_type, *as_list(types)],
            "id": f"urn:uuid:{uuid.uuid4()}",
            **members,
        }
        taken = sorted(wire.keys() & (additional_data or {}).keys())
        if taken:
            raise InvalidArgument(f"additional_data must not replace {', '.join(taken)}.")
        text = as_json({**wire, **(additional_data or {})}).decode()
        try:
            return cls.from_wire(strict_json.parse(text))
        except (CredentialError, ValueError) as error:
            raise InvalidArgument(str(error)) from error

    def to_wire(self) -> Json:
        """Return the wire's JSON shape, without what was never set. Values within are not copied."""
        named = type(self).model_fields.items()
        wire = {field.alias or name: getattr(self, name) for name, field in named if name in self.model_fields_set}
        return wire | (self.model_extra or {})

    @property
    def types(self) -> list[str]:
        """All types, the general one included."""
        return as_list(self.type)

    @field_validator("context")
    @classmethod
    def _has_context(cls, value: Any) -> Any:
        if as_list(value)[:1] != [CONTEXT]:
            raise ValueError(f"{CONTEXT} is not the first context")
        return value

    @field_validator("type")
    @classmethod
    def _has_type(cls, value: Any) -> Any:
        if cls.base_type not in as_list(value):
            raise ValueError(f"{cls.base_type} is missing")
        return value


def _rfc3339(text: str) -> str:
    seconds_of(text)
    return text


Rfc3339 = Annotated[str, AfterValidator(_rfc3339)]


class VerifiableCredential(VcModel):
    """The claims of an issuer about a subject; `CredentialVerifier.verify` checks signed ones."""

    base_type = "VerifiableCredential"
    malformed_code = Code.MALFORMED_CREDENTIAL

    issuer: str | Json
    issuance_date: Rfc3339
    credential_subject: Json | list[Json]
    expiration_date: Rfc3339 | None = None
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
        """Make a new credential, not signed yet.

        Parameters:
            issuer, subject: DIDs.
            data: the claims about the subject, as JSON.
            type: further types besides `VerifiableCredential`.
            issuance_date: the start of its validity; by default now. RFC 3339, or a datetime with a time zone.
            expiration_date: the end of its validity, in the same forms; by default none.
            credential_status: an entry of a status list, as `status_list.entry` makes it.
            credential_schema: `{"id": the URL of a JSON schema, "type": "JsonSchema"}`; verifiers fetch it.
            evidence: evidence for verifiers, as JSON.

        Raises:
            InvalidArgument: one of these cannot be used.
        """
        if not isinstance(data, Mapping):
            raise InvalidArgument("The data of a credential is a mapping, such as {'level': 'gold'}.")
        if data.get("id", subject) != subject:
            raise InvalidArgument("The data has an id of its own; the id of the subject is given as subject=….")
        now = text_of((clock or SystemClock()).now() // 1_000_000)
        optional = {
            "expirationDate": as_text(expiration_date) if expiration_date else None,
            "credentialStatus": dict(credential_status) if credential_status else None,
            "credentialSchema": dict(credential_schema) if credential_schema else None,
            "evidence": list(evidence) if evidence else None,
        }
        members = {
            "issuer": _did(issuer, "issuer"),
            "issuanceDate": as_text(issuance_date) if issuance_date else now,
            "credentialSubject": {"id": _did(subject, "subject"), **data},
            **{name: value for name, value in optional.items() if value is not None},
        }
        return cls._new(type, [STATUS_LIST_CONTEXT] if credential_status else [], members)

    @property
    def issuer_id(self) -> str:
        """The issuer's DID."""
        issuer: str = self.issuer if isinstance(self.issuer, str) else self.issuer["id"]
        return issuer

    @property
    def subjects(self) -> list[Json]:
        """The claims about each subject."""
        return as_list(self.credential_subject)

    @property
    def subject_id(self) -> str | None:
        """The first subject's DID; None if it is not named, as in a bearer ticket."""
        found = self.subjects[0].get("id")
        return found if isinstance(found, str) else None

    @field_validator("issuer")
    @classmethod
    def _issuer_has_id(cls, value: Any) -> Any:
        _uri(value.get("id") if isinstance(value, dict) else value)
        return value

    @field_validator("credential_status")
    @classmethod
    def _has_id_and_type(cls, value: Any) -> Any:
        for one in as_list(value or []):
            _uri(one.get("id"))
            if not one.get("type") or not all(isinstance(kind, str) for kind in as_list(one["type"])):
                raise ValueError("a status has no type")
        return value

    @field_validator("credential_subject")
    @classmethod
    def _has_claims(cls, value: Any) -> Any:
        subjects = as_list(value)
        if not subjects or not all(subjects):
            raise ValueError("a subject must not be empty")
        for subject in subjects:
            if "id" in subject:
                _uri(subject["id"])
        return value


class VerifiablePresentation(VcModel):
    """The credentials that a holder presents; `CredentialVerifier.verify_presentation` checks signed ones."""

    base_type = "VerifiablePresentation"
    malformed_code = Code.MALFORMED_PRESENTATION

    holder: Uri | None = None
    verifiable_credential: str | list[str]

    @classmethod
    def create(
        cls,
        *,
        holder: str,
        vc_jwts: Sequence[str],
        type: str | Sequence[str] = (),
        additional_data: Mapping[str, Any] | None = None,
        contexts: Sequence[str] = (),
    ) -> Self:
        """Make a new presentation, not signed yet.

        Parameters:
            holder: the holder's DID.
            vc_jwts: credentials as JWTs.
            type: further types besides `VerifiablePresentation`.
            additional_data: further members, such as a `presentation_submission`.
            contexts: the JSON-LD contexts of these.

        Raises:
            InvalidArgument: one of these cannot be used.
        """
        members = {"holder": _did(holder, "holder"), "verifiableCredential": as_list(vc_jwts)}
        return cls._new(type, contexts, members, additional_data)

    @property
    def vc_jwts(self) -> list[str]:
        """The credentials as JWTs."""
        return as_list(self.verifiable_credential)


def _did(did: str, role: str) -> str:
    if not isinstance(did, str) or not did:
        raise InvalidArgument(f"The {role} must be given, as a DID.")
    return did
