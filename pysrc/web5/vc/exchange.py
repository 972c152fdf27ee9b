"""Presentation Exchange 2: what a verifier asks for, and the credentials that are that.

The reference is `presentation-exchange.ts` of @web5/credentials, over `@sphereon/pex`. As there, the paths of a
definition lead through the claims of a credential's JWT (`$.vc.credentialSubject…`, `$.iss`). What is not known here is
refused: a definition is a closed shape. Beyond the reference, `format` counts and a field may be `optional`.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from web5.errors import CredentialError, first_error
from web5.vc import jwt
from web5.vc.codes import Code
from web5.vc.json_path import nodes
from web5.vc.models import Json
from web5.vc.presentation import VerifiablePresentation
from web5.vc.schema_check import fault_by

SUBMISSION_CONTEXT = "https://identity.foundation/presentation-exchange/submission/v1"
SUBMISSION_TYPE = "PresentationSubmission"
FORMAT = "jwt_vc"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    name: str | None = None
    purpose: str | None = None


class Algorithms(BaseModel):
    model_config = ConfigDict(strict=True, defer_build=True)

    alg: list[str] | None = None


Formats = dict[str, Algorithms]


class FieldConstraint(_Part):
    """One thing that a credential must say: at the first of the paths that leads to anything, something fits."""

    id: str | None = None
    path: Annotated[list[str], Field(min_length=1)]
    filter: dict[str, Any] | None = None
    optional: bool = False
    intent_to_retain: bool | None = None

    def fits(self, claims: Json) -> bool:
        """True if a credential with these claims says it.

        Raises:
            ValueError: the path or the filter cannot be used.
        """
        for path in self.path:
            found = nodes(path, claims)
            if found:
                return self.filter is None or any(fault_by(self.filter, value) is None for value in found)
        return self.optional


class Constraints(_Part):
    fields: list[FieldConstraint] = Field(default_factory=list)
    limit_disclosure: Literal["preferred"] | None = None
    subject_is_issuer: Literal["preferred"] | None = None


class InputDescriptor(_Part):
    """One credential that is asked for."""

    id: str
    format: Formats | None = None
    constraints: Constraints = Field(default_factory=Constraints)

    def fits(self, token: jwt.Jwt) -> bool:
        """True if a credential is what is asked for. Raises ValueError as `FieldConstraint.fits` does."""
        return _in_format(self.format, token) and all(field.fits(token.payload) for field in self.constraints.fields)


class PresentationDefinition(_Part):
    """What a verifier asks for: one credential at least for each descriptor."""

    id: str
    format: Formats | None = None
    input_descriptors: Annotated[list[InputDescriptor], Field(min_length=1)]

    @classmethod
    def from_wire(cls, value: Any) -> Self:
        """The definition of a JSON value.

        Raises:
            CredentialError: definitionUnsupported; the message says where.
        """
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise CredentialError(Code.DEFINITION_UNSUPPORTED, first_error(error)) from error

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        if len({one.id for one in self.input_descriptors}) != len(self.input_descriptors):
            raise ValueError("the ids of input_descriptors must differ")
        return self


def select_credentials(vc_jwts: Sequence[str], definition: Mapping[str, Any]) -> list[str]:
    """The credentials that are asked for, each once and in their order; none if one that is asked for is missing.

    Parameters:
        definition: a presentation definition, as JSON.

    Raises:
        CredentialError: definitionUnsupported; malformedJwt, one of them is no JWT.
    """
    found = _fitting(vc_jwts, definition)
    wanted = {position for positions in found.values() for position in positions}
    return [vc_jwts[position] for position in sorted(wanted)] if all(found.values()) else []


def check_satisfied(vc_jwts: Sequence[str], definition: Mapping[str, Any]) -> None:
    """See whether credentials are all that is asked for. Whether they hold is for `CredentialVerifier`.

    Raises:
        CredentialError: notSatisfied, with the ids of the descriptors for which there is none; or as
            `select_credentials` does.
    """
    missing = [name for name, positions in _fitting(vc_jwts, definition).items() if not positions]
    if missing:
        raise CredentialError(Code.NOT_SATISFIED, f"no credential is what these ask for: {', '.join(missing)}")


def presentation_for(vc_jwts: Sequence[str], definition: Mapping[str, Any], holder: str) -> VerifiablePresentation:
    """The presentation that a verifier asks for, of exactly these credentials; not signed yet.

    Its `presentation_submission` says which credential is meant for which descriptor.

    Raises:
        CredentialError: as `check_satisfied` does.
    """
    check_satisfied(vc_jwts, definition)
    descriptors = [
        {"id": name, "format": FORMAT, "path": f"$.verifiableCredential[{position}]"}
        for name, positions in _fitting(vc_jwts, definition).items()
        for position in positions
    ]
    submission = {"id": str(uuid.uuid4()), "definition_id": definition["id"], "descriptor_map": descriptors}
    return VerifiablePresentation.create(
        holder=holder,
        vc_jwts=vc_jwts,
        type=SUBMISSION_TYPE,
        contexts=[SUBMISSION_CONTEXT],
        additional_data={"presentation_submission": submission},
    )


def _fitting(vc_jwts: Sequence[str], definition: Mapping[str, Any]) -> dict[str, list[int]]:
    """For each descriptor, the positions of the credentials that are what it asks for."""
    wanted = PresentationDefinition.from_wire(dict(definition))
    tokens = [jwt.parse(vc_jwt) for vc_jwt in vc_jwts]
    try:
        return {
            one.id: [
                position
                for position, token in enumerate(tokens)
                if _in_format(wanted.format, token) and one.fits(token)
            ]
            for one in wanted.input_descriptors
        }
    except ValueError as error:
        raise CredentialError(Code.DEFINITION_UNSUPPORTED, str(error)) from error


def _in_format(formats: Formats | None, token: jwt.Jwt) -> bool:
    if formats is None:
        return True
    allowed = formats.get(FORMAT)
    return allowed is not None and (allowed.alg is None or token.algorithm in allowed.alg)
