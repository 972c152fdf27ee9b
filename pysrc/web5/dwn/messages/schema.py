"""Validation of a message's shape, with the reference's codes for what is wrong (`src/schema-validator.ts`)."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ...errors import BadRequest
from ..codes import Code

_RANK = {"missing": 0, "extra_forbidden": 1}
"""The reference's validator stops at the first fault: at one level, what is missing comes before what is too much."""

_ALTERNATIVES = frozenset({"author", "recipient", "value"})
"""Properties of several types; there, a fault of any kind is that none of them fits."""


class Schema:
    """A shape that messages are checked against.

    Parameters:
        name: what the reference calls the schema.
        shape: a TypedDict or what wraps one.
        open_top: unknown properties at the top are what the reference calls unevaluated: it finds them last.
    """

    def __init__(self, name: str, shape: Any, *, open_top: bool = False) -> None:
        self.name = name
        self._shape = shape
        self._open_top = open_top

    @cached_property
    def _adapter(self) -> TypeAdapter[dict[str, Any]]:
        # Made at the first message of the kind: all of them together would be a good part of a browser's start.
        return TypeAdapter(self._shape)

    def check(self, value: Any) -> dict[str, Any]:
        """The value as a new dict that has the shape.

        Raises:
            BadRequest: it has not; with one of the `SchemaValidator…` codes.
        """
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            first = self._first(error.errors(include_url=False, include_context=False, include_input=False))
            if self._is_unevaluated(first):
                # Found last of all: what rules over the whole say, which pydantic did not come to, goes before it.
                self.check({name: part for name, part in value.items() if name != first["loc"][0]})
            raise self._refusal(first) from None

    def _first(self, faults: list[ErrorDetails], depth: int = 0) -> ErrorDetails:
        """The fault at which the reference would stop; pydantic gives them in the order of the properties."""
        here = [fault for fault in faults if len(fault["loc"]) == depth + 1 and fault["type"] in _RANK]
        here = [fault for fault in here if not self._is_unevaluated(fault)]
        if here:
            return min(here, key=lambda fault: _RANK[fault["type"]])
        first = min(faults, key=self._is_unevaluated)
        if len(first["loc"]) <= depth + 1:
            return first
        step = first["loc"][depth]
        below = [fault for fault in faults if len(fault["loc"]) > depth + 1 and fault["loc"][depth] == step]
        return self._first(below, depth + 1)

    def _is_unevaluated(self, fault: ErrorDetails) -> bool:
        return self._open_top and fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1

    def _refusal(self, fault: ErrorDetails) -> BadRequest:
        place = "/".join(str(part) for part in fault["loc"]) or self.name
        code = Code.SchemaValidatorFailure
        if self._is_unevaluated(fault):
            code = Code.SchemaValidatorUnevaluatedPropertyNotAllowed
        elif fault["type"] == "extra_forbidden" and not _ALTERNATIVES.intersection(fault["loc"][:-1]):
            code = Code.SchemaValidatorAdditionalPropertyNotAllowed
        return BadRequest(code, f"{self.name}: {place}: {fault['msg']}")
