"""The part of JSON Schema (2020-12) that protocols need: for definitions, and for the tags that definitions describe.

`KEYWORDS` is the table of what each keyword demands; `fault` is its one interpreter. Faults come in the order in which
the reference's validator (Ajv 8) looks for them, because the first one names the code of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isfinite
from typing import Any
from urllib.parse import unquote

Schema = Mapping[str, Any] | bool
Check = Callable[[Any, Any, Mapping[str, Any], "Names"], "Fault | None"]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first keyword that a value does not satisfy, and where: names and positions from the top."""

    keyword: str
    place: tuple[str | int, ...] = ()

    def below(self, step: str | int) -> Fault:
        return Fault(self.keyword, (step, *self.place))

    def __str__(self) -> str:
        return f"{'/'.join(map(str, self.place)) or 'value'}: {self.keyword}"


Names = Mapping[str, "Schema | Callable[[Any], Fault | None]"]
"""What a `$ref` may name: a schema, or a function that finds the fault itself."""


def fault(schema: Schema, value: Any, names: Names | None = None) -> Fault | None:
    """The first fault of a value; None if it fits the schema."""
    if isinstance(schema, bool):
        return None if schema else Fault("false schema")
    for keyword, (kind, check) in KEYWORDS.items():
        if keyword in schema and (kind is None or _is_of(kind, value)):
            found = check(schema[keyword], value, schema, names or {})
            if found is not None:
                return found
    return None


_SCHEMA_IN = ("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames")
_SCHEMAS_IN_LIST = ("allOf", "anyOf", "oneOf")
_SCHEMAS_BY_NAME = ("properties", "patternProperties", "dependentSchemas")
_DEFINITIONS = ("$defs", "definitions")


def subschemas(schema: Any, *, definitions: bool = False, depth: int = 0) -> Iterator[tuple[Any, int]]:
    """Give a schema and all schemas in it with their depth, each before those in it.

    Parameters:
        definitions: give those in `$defs` and `definitions` too.
    """
    yield schema, depth
    if not isinstance(schema, dict):
        return
    inner = [schema[keyword] for keyword in _SCHEMA_IN if keyword in schema]
    inner += [one for keyword in _SCHEMAS_IN_LIST for one in schema.get(keyword, ())]
    by_name = (*_SCHEMAS_BY_NAME, *_DEFINITIONS) if definitions else _SCHEMAS_BY_NAME
    inner += [one for keyword in by_name for one in schema.get(keyword, {}).values()]
    for one in inner:
        yield from subschemas(one, definitions=definitions, depth=depth + 1)


def references(root: Any, *, definitions: bool = False) -> dict[str, Schema | None]:
    """Return the schema that each `$ref` in a schema names by a JSON pointer (RFC 6901, section 6), None for no schema.

    Parameters:
        definitions: as in `subschemas`.
    """
    found = (schema["$ref"] for schema, _ in subschemas(root, definitions=definitions) if _has_ref(schema))
    return {reference: _target(root, reference) for reference in found}


def _has_ref(schema: Any) -> bool:
    return isinstance(schema, dict) and "$ref" in schema


def _target(root: Any, reference: str) -> Schema | None:
    document, *steps = reference.split("/")
    found = root if document == "#" else None
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, (dict, bool)) else None


def same(left: Any, right: Any) -> bool:
    """JSON equality: a boolean is no number, and 1.0 is 1."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[name], right[name]) for name in left)
    return bool(left == right)


@lru_cache(maxsize=256)
def pattern(text: str) -> re.Pattern[str]:
    """A pattern of a schema, as Python reads it.

    Raises:
        re.PatternError: it is none.
    """
    return re.compile(text, re.ASCII)


def _is_number(value: Any) -> bool:
    return type(value) is int or (type(value) is float and isfinite(value))


_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda value: value is None,
    "boolean": lambda value: type(value) is bool,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and value == int(value),
    "string": lambda value: type(value) is str,
    "array": lambda value: type(value) is list,
    "object": lambda value: type(value) is dict,
}


def _is_of(kind: str, value: Any) -> bool:
    return _TYPES[kind](value)


def _rule(keyword: str, holds: Callable[[Any, Any], bool]) -> Check:
    """A keyword that looks at nothing but its own value and the data."""
    return lambda wanted, value, schema, names: None if holds(wanted, value) else Fault(keyword)


def _ref(name: str, value: Any, schema: Mapping[str, Any], names: Names) -> Fault | None:
    target = names[name]
    return target(value) if callable(target) else fault(target, value, names)


def _is_multiple(of: float, value: float) -> bool:
    quotient = value / of
    return isfinite(quotient) and quotient == int(quotient)


def _no_twins(wanted: bool, items: list[Any]) -> bool:
    return not (wanted and any(same(one, other) for at, one in enumerate(items) for other in items[:at]))


def _not(inner: Schema, value: Any, schema: Mapping[str, Any], names: Names) -> Fault | None:
    return Fault("not") if fault(inner, value, names) is None else None


def _any_of(choices: Sequence[Schema], value: Any, schema: Mapping[str, Any], names: Names) -> Fault | None:
    faults = [fault(choice, value, names) for choice in choices]
    return None if None in faults else faults[0]


def _one_of(choices: Sequence[Schema], value: Any, schema: Mapping[str, Any], names: Names) -> Fault | None:
    faults = [fault(choice, value, names) for choice in choices]
    if faults.count(None) == 1:
        return None
    return next((found for found in faults if found is not None), Fault("oneOf"))


def _all_of(choices: Sequence[Schema], value: Any, schema: Mapping[str, Any], names: Names) -> Fault | None:
    return next((found for choice in choices if (found := fault(choice, value, names)) is not None), None)


def _if(condition: Schema, value: Any, schema: Mapping[str, Any], names: Names) -> Fault | None:
    branch = "then" if fault(condition, value, names) is None else "else"
    return fault(schema.get(branch, True), value, names)


def _items(inner: Schema, items: list[Any], schema: Mapping[str, Any], names: Names) -> Fault | None:
    for position, item in enumerate(items):
        found = fault(inner, item, names)
        if found is not None:
            return found.below(position)
    return None


def _contains(inner: Schema, items: list[Any], schema: Mapping[str, Any], names: Names) -> Fault | None:
    number = sum(fault(inner, item, names) is None for item in items)
    low, high = schema.get("minContains", 1), schema.get("maxContains")
    return None if number >= low and (high is None or number <= high) else Fault("contains")


def _required(wanted: Sequence[str], value: dict[str, Any], schema: Mapping[str, Any], names: Names) -> Fault | None:
    # Ajv does not miss what has an empty name.
    return None if all(name in value for name in wanted if name) else Fault("required")


def _additional(inner: Schema, value: dict[str, Any], schema: Mapping[str, Any], names: Names) -> Fault | None:
    declared, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    for name, item in value.items():
        if name in declared or any(pattern(one).search(name) for one in patterns):
            continue
        if inner is False:
            return Fault("additionalProperties")
        found = fault(inner, item, names)
        if found is not None:
            return found.below(name)
    return None


def _properties(
    wanted: Mapping[str, Schema], value: dict[str, Any], schema: Mapping[str, Any], names: Names
) -> Fault | None:
    for name, inner in wanted.items():
        if name in value:
            found = fault(inner, value[name], names)
            if found is not None:
                return found.below(name)
    return None


def _pattern_properties(
    wanted: Mapping[str, Schema], value: dict[str, Any], schema: Mapping[str, Any], names: Names
) -> Fault | None:
    for text, inner in wanted.items():
        for name, item in value.items():
            if pattern(text).search(name):
                found = fault(inner, item, names)
                if found is not None:
                    return found.below(name)
    return None


def _type(wanted: str | list[str], value: Any) -> bool:
    return any(_is_of(kind, value) for kind in ([wanted] if isinstance(wanted, str) else wanted))


KEYWORDS: Mapping[str, tuple[str | None, Check]] = {
    "type": (None, _rule("type", _type)),
    "maximum": ("number", _rule("maximum", lambda most, value: value <= most)),
    "minimum": ("number", _rule("minimum", lambda least, value: value >= least)),
    "exclusiveMaximum": ("number", _rule("exclusiveMaximum", lambda bound, value: value < bound)),
    "exclusiveMinimum": ("number", _rule("exclusiveMinimum", lambda bound, value: value > bound)),
    "multipleOf": ("number", _rule("multipleOf", _is_multiple)),
    "maxLength": ("string", _rule("maxLength", lambda most, text: len(text) <= most)),
    "minLength": ("string", _rule("minLength", lambda least, text: len(text) >= least)),
    "pattern": ("string", _rule("pattern", lambda text, value: pattern(text).search(value) is not None)),
    "$ref": (None, _ref),
    "const": (None, _rule("const", same)),
    "enum": (None, _rule("enum", lambda allowed, value: any(same(one, value) for one in allowed))),
    "not": (None, _not),
    "anyOf": (None, _any_of),
    "oneOf": (None, _one_of),
    "allOf": (None, _all_of),
    "if": (None, _if),
    "maxItems": ("array", _rule("maxItems", lambda most, items: len(items) <= most)),
    "minItems": ("array", _rule("minItems", lambda least, items: len(items) >= least)),
    "items": ("array", _items),
    "contains": ("array", _contains),
    "uniqueItems": ("array", _rule("uniqueItems", _no_twins)),
    "minProperties": ("object", _rule("minProperties", lambda least, value: len(value) >= least)),
    "required": ("object", _required),
    "additionalProperties": ("object", _additional),
    "properties": ("object", _properties),
    "patternProperties": ("object", _pattern_properties),
}
"""For each keyword, in the order of Ajv: the type of values it is about (None: any), and what it demands."""
