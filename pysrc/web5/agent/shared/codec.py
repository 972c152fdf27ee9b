"""The values of calls as JSON, by the types in the signature of what is called.

Both ends read what comes by those types, so that nothing else gets through.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from web5 import strict_json
from web5.errors import InvalidArgument, Web5Error, first_error


class Signature:
    """The types of a method's parameters and of what it returns."""

    def __init__(self, method: Callable[..., Any]) -> None:
        hints = get_type_hints(method)
        self._signature = inspect.signature(method)
        names = [name for name in self._signature.parameters if name != "self"]
        self._parameters: dict[str, TypeAdapter[Any]] = {name: TypeAdapter(hints[name]) for name in names}
        self._required = {name for name in names if self._signature.parameters[name].default is inspect.Parameter.empty}
        self._result: TypeAdapter[Any] = TypeAdapter(hints["return"])

    def pack(self, args: tuple[Any, ...], named: Mapping[str, Any]) -> str:
        """Return a call's arguments as JSON."""
        bound = self._signature.bind(None, *args, **named).arguments
        return to_json({name: value for name, value in bound.items() if name != "self"})

    def unpack(self, text: str) -> dict[str, Any]:
        """Return the arguments of a call, or raise InvalidArgument."""
        given = strict_json.parse(text)
        if not isinstance(given, dict) or not self._required <= given.keys() <= self._parameters.keys():
            raise InvalidArgument("These are not the arguments of the call.")
        try:
            return {name: self._parameters[name].validate_python(value) for name, value in given.items()}
        except ValidationError as error:
            raise InvalidArgument(first_error(error)) from error

    def result(self, text: str) -> Any:
        """Return a result, or raise Web5Error if that is none."""
        try:
            return self._result.validate_python(strict_json.parse(text))
        except ValueError as error:
            raise Web5Error(f"Another tab answered with something else than a result: {error}") from error


@cache
def signature_of(method: Callable[..., Any]) -> Signature:
    """Return the types of a method, made once."""
    return Signature(method)


def to_json(value: Any) -> str:
    """Return a value of dataclasses, models, enumerations and JSON as JSON."""
    plain = to_jsonable_python(value, by_alias=True, serialize_unknown=False)
    return json.dumps(plain, allow_nan=False, separators=(",", ":"))
