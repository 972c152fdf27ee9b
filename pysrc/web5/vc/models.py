"""What credentials and presentations have in common (VC Data Model 1.1).

Attributes are in snake_case, JSON has the wire's names, and properties that are not named here are kept as they came.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationError, field_validator

from web5.dids.models import WireModel
from web5.errors import CredentialError, InvalidArgument, first_error
from web5.vc.codes import Code
from web5.vc.jwt import as_json

CONTEXT = "https://www.w3.org/2018/credentials/v1"

Json = dict[str, Any]


class VcModel(WireModel):
    """`@context`, `type` and `id`.

    Attributes:
        base_type: the type that every one of this kind has.
        malformed: the code of what is none.
    """

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
            raise CredentialError(cls.malformed, first_error(error)) from error

    @classmethod
    def _begun(cls, kinds: str | Sequence[str], contexts: Sequence[str]) -> Json:
        """The first properties of a new one, in the reference's order."""
        return {
            "@context": [CONTEXT, *contexts],
            "type": [cls.base_type, *as_list(kinds)],
            "id": f"urn:uuid:{uuid.uuid4()}",
        }

    @classmethod
    def _finished(cls, wire: Json) -> Self:
        """The model of what an app gave, which is copied on the way.

        Raises:
            InvalidArgument: it cannot be used.
        """
        try:
            return cls.from_wire(json.loads(as_json(wire)))
        except CredentialError as error:
            raise InvalidArgument(str(error)) from error

    def to_wire(self) -> Json:
        """The wire's JSON shape, without what was never set. Values within are not copied."""
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
        if CONTEXT not in as_list(value):
            raise ValueError(f"{CONTEXT} is missing")
        return value

    @field_validator("type")
    @classmethod
    def _has_type(cls, value: Any) -> Any:
        if cls.base_type not in as_list(value):
            raise ValueError(f"{cls.base_type} is missing")
        return value


def party(did: str, role: str) -> str:
    """A DID that an app gave for an issuer, a subject or a holder.

    Raises:
        InvalidArgument: it gave none.
    """
    if not isinstance(did, str) or not did:
        raise InvalidArgument(f"The {role} must be given, as a DID.")
    return did


def as_list(value: Any) -> list[Any]:
    """The data model lets one stand for a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]
