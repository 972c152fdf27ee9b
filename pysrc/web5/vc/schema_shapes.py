"""Whether a JSON schema from a stranger can be read by `web5.dwn.protocols.json_schema`, which trusts its schemas."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from web5.dwn.protocols.json_schema import pattern, references, subschemas

MAX_DEPTH = 64
"""Of a schema."""

_TYPES = ("null", "boolean", "number", "integer", "string", "array", "object")
_DEFINITIONS = ("$defs", "definitions")
_ANNOTATIONS = frozenset(
    (
        *("$schema", "$id", "id", "$comment", "title", "description", "default", "examples", "format"),
        *("contentMediaType", "contentEncoding", "readOnly", "writeOnly", "deprecated"),
    )
)
"""Keywords that demand nothing. `format` is one of them, as in JSON Schema 2020-12."""


def problem_of(root: Any) -> str | None:
    """Why a schema cannot be used, or None."""
    known: set[int] = set()
    for schema, depth in subschemas(root, definitions=True):
        # Looked at before what is within it is.
        problem = "it is nested too deeply" if depth > MAX_DEPTH else _own_problem(schema)
        if problem is not None:
            return problem
        known.add(id(schema))
    for reference, target in references(root, definitions=True).items():
        # What a reference may lead to, such as a `default`, need not be a schema that was looked at.
        if id(target) not in known:
            return f"{reference[:100]!r} is no schema within it"
    return None


def _own_problem(schema: Any) -> str | None:
    if not _is_schema(schema):
        return "a schema is an object or a boolean"
    for keyword, wanted in schema.items() if isinstance(schema, dict) else ():
        if keyword in _ANNOTATIONS:
            continue
        if keyword not in SHAPES:
            return f"the keyword {keyword[:40]!r} is not known here"
        if not SHAPES[keyword](wanted):
            return f"{keyword} is not as it must be"
    return None


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _is_schema_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_schema, value))


def _is_schema_map(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and pattern(value) is not None
    except (re.error, OverflowError, RecursionError):
        return False


def _is_type(value: Any) -> bool:
    return (
        value in _TYPES if isinstance(value, str) else isinstance(value, list) and all(one in _TYPES for one in value)
    )


def _is_text_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


_OF_SCHEMA = frozenset(("not", "if", "then", "else", "items", "contains", "additionalProperties"))
_OF_SCHEMA_LIST = frozenset(("anyOf", "oneOf", "allOf"))
_OF_SCHEMA_MAP = frozenset(("properties", "patternProperties", *_DEFINITIONS))

SHAPES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _is_number),
    **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "minProperties"), _is_count),
    **dict.fromkeys(("minContains", "maxContains"), _is_count),
    **dict.fromkeys(_OF_SCHEMA, _is_schema),
    **dict.fromkeys(_OF_SCHEMA_LIST, _is_schema_list),
    "properties": _is_schema_map,
    "patternProperties": lambda value: _is_schema_map(value) and all(map(_is_pattern, value)),
    **dict.fromkeys(_DEFINITIONS, _is_schema_map),
    "type": _is_type,
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "pattern": _is_pattern,
    "$ref": lambda value: isinstance(value, str),
    "const": lambda value: True,
    "enum": lambda value: isinstance(value, list),
    "uniqueItems": lambda value: type(value) is bool,
    "required": _is_text_list,
}
"""What each keyword must be, so that `web5.dwn.protocols.json_schema` can read it."""
