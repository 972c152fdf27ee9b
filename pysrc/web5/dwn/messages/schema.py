"""Validation of a message's shape, with the reference's codes for what is wrong (`src/schema-validator.ts`)."""

from __future__ import annotations

import sys
from functools import cached_property
from typing import Any, ClassVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import CoreSchema, ErrorDetails, SchemaValidator

from web5.dwn.codes import Code
from web5.dwn.messages.prepared import prepared
from web5.dwn.values import faults
from web5.dwn.values.faults import Fault
from web5.errors import BadRequest

_RANK = {"missing": 0, "extra_forbidden": 1}
"""At one level, the reference's validator finds a missing property before one too much, and stops there."""

_WRITES_WITHIN = frozenset({"authorDelegatedGrant", "ownerDelegatedGrant"})
"""Properties that hold a RecordsWrite, where the reference finds a property too much last, as an unevaluated one."""

_ADDED = frozenset({"recordId", "authorization", "encodedData"})
"""Properties of a RecordsWrite that the reference misses last, because one schema is made of another without them."""

_ALTERNATIVES = frozenset({"author", "recipient", "value"})
"""Properties of several types, where any fault is a plain failure: none of the types fits."""

_NUMBERS = frozenset({"dataSize", "limit", "gt", "gte", "lt", "lte"})
"""Numbers are such properties for pydantic, and for nobody else."""

_OF_TYPES = {
    "string_type": "string",
    "bool_type": "boolean",
    "dict_type": "object",
    "list_type": "array",
    **dict.fromkeys(("int_type", "float_type", "int_from_float", "finite_number"), "number"),
}
"""The types of JSON that pydantic's errors ask for."""


class Schema:
    """A shape of messages or of their parts.

    Parameters:
        name: that of the schema in the reference.
        shape: a TypedDict, annotated or not.
        is_write: True for the shape of a RecordsWrite, see `_WRITES_WITHIN`.

    Attributes:
        made: all of them; each lives as long as its module.
        key: of which module it is, and its name.
    """

    made: ClassVar[list[Schema]] = []

    def __init__(self, name: str, shape: Any, *, is_write: bool = False) -> None:
        self.made.append(self)
        self.key = f"{sys._getframe(1).f_globals['__name__']}: {name}"
        self.name = name
        self._shape = shape
        self._is_write = is_write

    @cached_property
    def validator(self) -> SchemaValidator:
        """The validator, made at the first message of the kind."""
        return prepared(self.key) or TypeAdapter(self._shape).validator  # type: ignore[return-value]

    def core(self) -> CoreSchema:
        """Return the shape as pydantic's core has it."""
        return TypeAdapter(self._shape).core_schema

    def check(self, value: Any) -> dict[str, Any]:
        """Return the value as a new dict, or raise BadRequest with one of the `SchemaValidator…` codes."""
        try:
            return self.validator.validate_python(value)  # type: ignore[no-any-return]
        except ValidationError as error:
            faults = error.errors(include_url=False)
            raise self._refusal(self._first(faults)) from None

    def _first(self, faults: list[ErrorDetails], depth: int = 0) -> ErrorDetails:
        # The fault at which the reference would stop; pydantic gives them in the order of the properties.
        here = [fault for fault in faults if len(fault["loc"]) == depth + 1 and fault["type"] in _RANK]
        last = [fault for fault in here if self._is_late(fault)]
        here = [fault for fault in here if fault not in last]
        if here:
            return min(here, key=lambda fault: _RANK[fault["type"]])
        first = next((fault for fault in faults if fault not in last), None)
        if first is None:
            return min(last, key=lambda fault: _RANK[fault["type"]])
        if len(first["loc"]) <= depth + 1:
            return first
        step = first["loc"][depth]
        below = [fault for fault in faults if len(fault["loc"]) > depth + 1 and fault["loc"][depth] == step]
        return self._first(below, depth + 1)

    def _is_late(self, fault: ErrorDetails) -> bool:
        holder = fault["loc"][:-1]
        is_write = holder[-1] in _WRITES_WITHIN if holder else self._is_write
        return is_write and (fault["type"] == "extra_forbidden" or fault["loc"][-1] in _ADDED)

    def _is_unevaluated(self, fault: ErrorDetails) -> bool:
        return fault["type"] == "extra_forbidden" and self._is_late(fault)

    def _refusal(self, error: ErrorDetails) -> BadRequest:
        fault = _fault(error)
        root = fault.pointer or self.name
        if fault.keyword != "additionalProperties":
            return BadRequest(Code.SchemaValidatorFailure, f"{root}: {fault.says}")
        if self._is_unevaluated(error):
            code, says = Code.SchemaValidatorUnevaluatedPropertyNotAllowed, faults.UNEVALUATED
        else:
            code, says = Code.SchemaValidatorAdditionalPropertyNotAllowed, faults.ADDITIONAL
        return BadRequest(code, f"{says}: {root}: {fault.found}")


def _fault(error: ErrorDetails) -> Fault:
    """Return pydantic's error as the fault that the reference's validator finds."""
    place, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind == "fault":
        fault: Fault = context["fault"].first.below(*place)
        return fault
    if kind == "missing":
        return Fault("required", faults.must_have(str(place[-1])), place[:-1])
    if kind == "extra_forbidden" and not _ALTERNATIVES.intersection(place[:-1]):
        return Fault("additionalProperties", faults.ADDITIONAL, place[:-1], str(place[-1]))
    # Of what may have several types, pydantic says which one was tried last.
    several = [at for at, name in enumerate(place) if name in _ALTERNATIVES or name in _NUMBERS]
    if several:
        place = place[: several[-1] + 1]
    return Fault(kind, _says(error, context), place)


def _says(error: ErrorDetails, context: dict[str, Any]) -> str:
    kind = error["type"]
    if kind == "literal_error":
        is_text = isinstance(error["input"], str)
        return faults.ALLOWED_VALUES if is_text else faults.must_be("string")
    if kind in _OF_TYPES:
        return faults.must_be(("string", "number") if error["loc"][-2:-1] == ("value",) else _OF_TYPES[kind])
    if kind == "string_pattern_mismatch":
        return faults.must_match(context["pattern"])
    if kind in ("too_short", "too_long"):
        of = "items" if context["field_type"] == "List" else "properties"
        short = kind == "too_short"
        return faults.too_few(context["min_length"], of) if short else faults.too_many(context["max_length"], of)
    if kind == "greater_than_equal":
        return f"must be >= {context['ge']}"
    return error["msg"]
