"""JSON schemas from strangers: those that credentials name, and the filters of presentation definitions.

Source: VC Data Model 1.1, section 5.4; `SsiValidator.validateCredentialSchema` of @web5/credentials.
`format` is an annotation, as in JSON Schema 2020-12; the reference checks some formats.

Invariants:
1. A schema is checked before it is used, because `web5.dwn.protocols.json_schema` trusts its schemas. One that is
   unavailable or not understood is never passed over.
2. Validation ends: nesting, values, the `$ref` that are followed and the steps of all patterns are bounded.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from functools import partial
from typing import Any

from web5 import ecma_regexp, strict_json
from web5.dwn.protocols.json_schema import MAX_PATTERNS, Scope, fault, fault_within, references, subschemas
from web5.dwn.values.faults import Fault
from web5.ecma_regexp import RegExpSyntaxError
from web5.errors import CredentialError
from web5.vc.codes import Code
from web5.vc.json_path import children
from web5.vc.models import Json, VerifiableCredential, as_list

MAX_DEPTH = 64
"""Limit of nesting in a schema, in a validated value, and of `$ref` within one another."""

MAX_VALUES = 10_000
"""Limit of the values in a validated value."""

MAX_REFERENCES = 10_000
"""Limit of the `$ref` that are followed for one value."""

_TYPES = ("null", "boolean", "number", "integer", "string", "array", "object")
_ANNOTATIONS = frozenset(
    (
        *("$schema", "$id", "id", "$comment", "title", "description", "default", "examples", "format"),
        *("contentMediaType", "contentEncoding", "readOnly", "writeOnly", "deprecated"),
    )
)
"""Keywords that demand nothing."""


class UnusableSchema(ValueError):
    """A schema, or a value, that is beyond what can be validated here; the message says why."""


Fetch = Callable[[str, Code], Awaitable[str]]
"""Returns the text at a URL, or raises CredentialError with the given code."""


async def check_schemas(credential: VerifiableCredential, fetch: Fetch) -> None:
    """Check a credential against the schemas that it names.

    Raises:
        CredentialError: schemaViolation; schemaUnavailable or schemaUnsupported, if it cannot be checked.
    """
    for entry in as_list(credential.credential_schema or []):
        url = entry.get("id")
        if not isinstance(url, str):
            raise CredentialError(Code.MALFORMED_CREDENTIAL, "credentialSchema has no text id")
        if entry.get("type") == "JsonSchemaCredential":
            raise _unsupported(url, "schemas within credentials are not known here")
        text = await fetch(url, Code.SCHEMA_UNAVAILABLE)
        try:
            schema = strict_json.parse(text)
        except ValueError as error:
            raise CredentialError(Code.SCHEMA_UNAVAILABLE, f"{url[:200]} is not JSON") from error
        check_schema(credential.to_wire(), schema, url)


def check_schema(credential: Json, schema: Any, url: str) -> None:
    """Check a credential against a JSON schema.

    Parameters:
        url: names the schema in errors.

    Raises:
        CredentialError: schemaViolation, or schemaUnsupported if it cannot be checked.
    """
    try:
        found = schema_fault(schema, credential)
    except UnusableSchema as error:
        raise _unsupported(url, str(error)) from error
    if found is not None:
        raise CredentialError(Code.SCHEMA_VIOLATION, f"not as {url[:200]} demands: {str(found)[:200]}")


def schema_fault(schema: Any, value: Any) -> Fault | None:
    """Return the first demand of a schema that a JSON value does not meet, or None.

    Raises:
        UnusableSchema: it cannot be validated.
    """
    problem = "the value is too large or too deep" if _too_large(value) else _schema_problem(schema)
    if problem is not None:
        raise UnusableSchema(problem)
    left, depth = MAX_REFERENCES, 0
    names: dict[str, Callable[[Any, Scope], Fault | None]] = {}

    def follow(reference: str, target: Any, value: Any, scope: Scope) -> Fault | None:
        nonlocal left, depth
        left -= 1
        if left < 0 or depth >= MAX_DEPTH:
            raise UnusableSchema(f"{reference[:100]} leads on and on")
        depth += 1
        try:
            return fault_within(target, value, scope)
        finally:
            depth -= 1

    for reference, target in references(schema, definitions=True).items():
        names[reference] = partial(follow, reference, target)
    return fault(schema, value, names)


def _unsupported(url: str, why: str) -> CredentialError:
    return CredentialError(
        Code.SCHEMA_UNSUPPORTED, f"{url[:200]} cannot be used: {why}; check_schema=False does without"
    )


def _too_large(value: Any) -> bool:
    level, values = [value], 0
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in children(one)]
        values += len(level)
        if not level or values > MAX_VALUES:
            return values > MAX_VALUES
    return True


def _schema_problem(root: Any) -> str | None:
    room = MAX_PATTERNS
    for schema, depth in subschemas(root, definitions=True):
        room -= sum(map(len, _patterns(schema)))
        if room < 0:
            return f"its patterns have more than {MAX_PATTERNS} characters together"
        # Checked before the generator reads the schemas within.
        problem = "it is nested too deeply" if depth > MAX_DEPTH else _keyword_problem(schema)
        if problem is not None:
            return problem
    if (reference := _reference_of_another(root)) is not None:
        return f"{reference[:100]!r} is meant from a schema within that has an $id of its own, which is not known here"
    for reference, target in references(root, definitions=True).items():
        if target is None:
            return f"{reference[:100]!r} is no schema within it"
    return None


def _reference_of_another(root: Any) -> str | None:
    """Return a `$ref` whose nearest `$id` is not the whole schema's (JSON Schema 2020-12, section 8.2), or None."""
    walked: set[int] = set()
    for schema, depth in subschemas(root, definitions=True):
        if depth and isinstance(schema, dict) and any(_is_base(schema.get(name)) for name in ("$id", "id")):
            for inner, _ in subschemas(schema, definitions=True, walked=walked):
                if isinstance(inner, dict) and "$ref" in inner:
                    reference: str = inner["$ref"]
                    return reference
    return None


def _is_base(identifier: Any) -> bool:
    return isinstance(identifier, str) and not identifier.startswith("#")


def _patterns(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(schema.get("pattern"), str):
            yield schema["pattern"]
        if isinstance(schema.get("patternProperties"), dict):
            yield from schema["patternProperties"]


def _keyword_problem(schema: Any) -> str | None:
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


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _is_schema_map(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_schema, value.values()))


def _is_pattern(value: Any) -> bool:
    try:
        return isinstance(value, str) and ecma_regexp.compile(value) is not None
    except RegExpSyntaxError:
        return False


def _is_type(value: Any) -> bool:
    return all(one in _TYPES for one in as_list(value))


def _is_list_of(value: Any, accepts: Callable[[Any], bool]) -> bool:
    return isinstance(value, list) and all(map(accepts, value))


SHAPES: Mapping[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("maximum", "minimum", "exclusiveMaximum", "exclusiveMinimum"), _is_number),
    **dict.fromkeys(
        ("maxLength", "minLength", "maxItems", "minItems", "minProperties", "minContains", "maxContains"),
        lambda value: type(value) is int and value >= 0,
    ),
    **dict.fromkeys(("not", "if", "then", "else", "items", "contains", "additionalProperties"), _is_schema),
    **dict.fromkeys(("anyOf", "oneOf", "allOf"), lambda value: value != [] and _is_list_of(value, _is_schema)),
    "properties": _is_schema_map,
    "patternProperties": lambda value: _is_schema_map(value) and all(map(_is_pattern, value)),
    **dict.fromkeys(("$defs", "definitions"), _is_schema_map),
    "type": _is_type,
    "multipleOf": lambda value: _is_number(value) and value > 0,
    "pattern": _is_pattern,
    "$ref": lambda value: isinstance(value, str),
    "const": lambda value: True,
    "enum": lambda value: isinstance(value, list),
    "uniqueItems": lambda value: type(value) is bool,
    "required": lambda value: _is_list_of(value, lambda one: isinstance(one, str)),
}
"""The condition on each keyword's value under which `web5.dwn.protocols.json_schema` can read it."""
