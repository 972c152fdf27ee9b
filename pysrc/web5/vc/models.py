"""Verifiable credentials and presentations (VC Data Model 1.1; `verifiable-credential.ts` of @web5/credentials).

Attributes are in snake_case, JSON has the wire's names, and properties that are not named here are kept as they came.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import AfterValidator, Field, ValidationError, field_validator

from web5.dids.models import WireModel
from web5.errors import CredentialError, InvalidArgument
from web5.ports.clock import Clock, SystemClock
from web5.vc.codes import Code
from web5.vc.dates import as_text, seconds_of, text_of
from web5.vc.jwt import as_json

CONTEXT = "https://www.w3.org/2018/credentials/v1"
STATUS_LIST_CONTEXT = "https://w3id.org/vc/status-list/2021/v1"

Json = dict[str, Any]


def _moment(text: str) -> str:
    seconds_of(text)
    return text


Moment = Annotated[str, AfterValidator(_moment)]


class VcModel(WireModel):
    """What credentials and presentations share: `@context`, `type` and `id`."""

    base_type: ClassVar[str]
    malformed: ClassVar[Code]

    context: Annotated[str | Json | list[str | Json], Field(alias="@context")]
    type: str | list[str]
    id: str | None = None

    @classmethod
    def from_wire(cls, value: Any) -> Self:
        """The model of a JSON value.

        Raises:
            CredentialError: malformedCredential or malformedPresentation; the message says where.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise CredentialError(cls.malformed, f"{place}: {first['msg']}") from error

    def to_wire(self) -> Json:
        """The wire's JSON shape, without what was never set. Values within are not copied."""
        named = type(self).model_fields.items()
        wire = {field.alias or name: getattr(self, name) for name, field in named if name in self.model_fields_set}
        return wire | (self.model_extra or {})

    @property
    def types(self) -> list[str]:
        """All types, the general one included."""
        return _as_list(self.type)

    @field_validator("context")
    @classmethod
    def _has_context(cls, value: Any) -> Any:
        if CONTEXT not in _as_list(value):
            raise ValueError(f"{CONTEXT} is missing")
        return value

    @field_validator("type")
    @classmethod
    def _has_type(cls, value: Any) -> Any:
        if cls.base_type not in _as_list(value):
            raise ValueError(f"{cls.base_type} is missing")
        return value


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
        wire = _new(cls.base_type, type, [CONTEXT, *([STATUS_LIST_CONTEXT] if credential_status else [])])
        wire |= {
            "issuer": _party(issuer, "issuer"),
            "issuanceDate": as_text(issuance_date) if issuance_date else _now(clock),
            "credentialSubject": {"id": _party(subject, "subject"), **data},
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
        return _own(cls, wire)

    @property
    def issuer_id(self) -> str:
        """The issuer's DID."""
        issuer: str = self.issuer if isinstance(self.issuer, str) else self.issuer["id"]
        return issuer

    @property
    def subjects(self) -> list[Json]:
        """What is said about each subject."""
        return _as_list(self.credential_subject)

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
        subjects = _as_list(value)
        if not subjects or not all(subjects):
            raise ValueError("a subject must not be empty")
        return value


class VerifiablePresentation(VcModel):
    """Credentials that a holder shows. Whether it holds, `CredentialVerifier.verify_presentation` tells."""

    base_type = "VerifiablePresentation"
    malformed = Code.MALFORMED_PRESENTATION

    holder: str | None = None
    verifiable_credential: str | list[str]

    @classmethod
    def create(
        cls,
        *,
        holder: str,
        vc_jwts: Sequence[str],
        type: str | Sequence[str] = (),
        additional_data: Mapping[str, Any] | None = None,
    ) -> Self:
        """A new presentation, not signed yet.

        Parameters:
            holder: the DID of who shows them.
            vc_jwts: credentials as JWTs.
            type: what kind of presentation it is, besides `VerifiablePresentation`.
            additional_data: further properties, such as a `presentation_submission`.

        Raises:
            InvalidArgument: one of these cannot be used.
        """
        wire = _new(cls.base_type, type, [CONTEXT])
        wire |= {"holder": _party(holder, "holder"), "verifiableCredential": list(vc_jwts)}
        taken = sorted(wire.keys() & (additional_data or {}).keys())
        if taken:
            raise InvalidArgument(f"additional_data must not replace {', '.join(taken)}.")
        return _own(cls, wire | dict(additional_data or {}))

    @property
    def vc_jwts(self) -> list[str]:
        """The credentials as JWTs."""
        return _as_list(self.verifiable_credential)


Model = TypeVar("Model", bound=VcModel)


def _new(base_type: str, kinds: str | Sequence[str], contexts: list[str]) -> Json:
    return {"@context": contexts, "type": [base_type, *_as_list(kinds)], "id": f"urn:uuid:{uuid.uuid4()}"}


def _own(model: type[Model], wire: Json) -> Model:
    """The model of what an app gave, which is copied on the way."""
    try:
        return model.from_wire(json.loads(as_json(wire)))
    except CredentialError as error:
        raise InvalidArgument(str(error)) from error


def _party(did: str, role: str) -> str:
    if not isinstance(did, str) or not did:
        raise InvalidArgument(f"The {role} must be given, as a DID.")
    return did


def _now(clock: Clock | None) -> str:
    return text_of((clock or SystemClock()).now() // 1_000_000)


def _as_list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
