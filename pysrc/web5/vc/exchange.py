"""DIF Presentation Exchange 2: presentation definitions, and the credentials that satisfy them.

The reference is `presentation-exchange.ts` of @web5/credentials, over `@sphereon/pex`. As there, the paths of a
definition select claims of a JWT (`$.vc.credentialSubject…`, `$.iss`). A definition with unknown members is refused.
Beyond the reference, `format` counts and a field may be `optional`.
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
from web5.vc.models import Json, VerifiablePresentation
from web5.vc.schemas import schema_fault

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
    """A constraint on a credential: one of the values at the first path that leads to any must match the filter."""

    id: str | None = None
    path: Annotated[list[str], Field(min_length=1)]
    filter: dict[str, Any] | None = None
    optional: bool = False
    intent_to_retain: bool | None = None

    def matches(self, claims: Json) -> bool:
        """Return True if a credential with these claims meets the constraint.

        Raises:
            ValueError: the path or the filter cannot be used.
        """
        for path in self.path:
            found = nodes(path, claims)
            if found:
                return self.filter is None or any(schema_fault(self.filter, value) is None for value in found)
        return self.optional


class Constraints(_Part):
    fields: list[FieldConstraint] = Field(default_factory=list)
    limit_disclosure: Literal["preferred"] | None = None
    subject_is_issuer: Literal["preferred"] | None = None


class InputDescriptor(_Part):
    """A credential that a verifier asks for."""

    id: str
    format: Formats | None = None
    constraints: Constraints = Field(default_factory=Constraints)

    def matches(self, token: jwt.Jwt) -> bool:
        """Return True if a credential is what is asked for. Raises ValueError as `FieldConstraint.matches`."""
        return _in_format(self.format, token) and all(field.matches(token.payload) for field in self.constraints.fields)


class PresentationDefinition(_Part):
    """A request for at least one credential for each descriptor."""

    id: str
    format: Formats | None = None
    input_descriptors: Annotated[list[InputDescriptor], Field(min_length=1)]

    @classmethod
    def from_wire(cls, value: Any) -> Self:
        """Build the definition from a JSON value.

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
    """Return the credentials that match a definition, each once and in order; none if a descriptor has no match.

    Parameters:
        definition: a presentation definition, as JSON.

    Raises:
        CredentialError: definitionUnsupported; malformedJwt, one of them is no JWT.
    """
    found = _matches(vc_jwts, definition)
    positions = {position for matching in found.values() for position in matching}
    chosen = [vc_jwts[position] for position in sorted(positions)] if all(found.values()) else []
    return list(dict.fromkeys(chosen))  # a wallet may have one twice


def check_satisfied(vc_jwts: Sequence[str], definition: Mapping[str, Any]) -> dict[str, list[int]]:
    """Check that credentials satisfy a definition. They are not verified: that is for `CredentialVerifier`.

    Returns:
        for each descriptor's id, the positions of the credentials that match it.

    Raises:
        CredentialError: notSatisfied, with the ids of the descriptors without a match; or as `select_credentials`.
    """
    found = _matches(vc_jwts, definition)
    missing = [name for name, positions in found.items() if not positions]
    if missing:
        raise CredentialError(Code.NOT_SATISFIED, f"no credential is what these ask for: {', '.join(missing)}")
    return found


def presentation_for(vc_jwts: Sequence[str], definition: Mapping[str, Any], holder: str) -> VerifiablePresentation:
    """Return the presentation of exactly these credentials that a verifier asks for; not signed yet.

    Its `presentation_submission` assigns credentials to descriptors.

    Raises:
        CredentialError: as `check_satisfied`.
    """
    descriptors = [
        {"id": name, "format": FORMAT, "path": f"$.verifiableCredential[{position}]"}
        for name, positions in check_satisfied(vc_jwts, definition).items()
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


def _matches(vc_jwts: Sequence[str], definition: Mapping[str, Any]) -> dict[str, list[int]]:
    wanted = PresentationDefinition.from_wire(dict(definition))
    tokens = [jwt.parse(vc_jwt) for vc_jwt in vc_jwts]
    try:
        return {
            one.id: [
                position
                for position, token in enumerate(tokens)
                if _in_format(wanted.format, token) and one.matches(token)
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
