"""The part of JSON Schema (2020-12) that protocols need: for definitions, and for the tags that definitions describe.

`KEYWORDS` is the table of keywords; `fault` is its one interpreter. It is written by hand because of the order:
faults come as the reference's validator (Ajv 8) finds them, and the first one decides the code of the reply.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any
from urllib.parse import unquote

from web5 import ecma_regexp
from web5.dwn.values import faults
from web5.dwn.values.faults import Fault
from web5.ecma_regexp import EcmaRegExp, Effort, EffortExceeded

Schema = Mapping[str, Any] | bool
Check = Callable[[Any, Any, Mapping[str, Any], "Scope"], "Fault | None"]

MAX_STEPS = 200_000
"""For one value, its patterns included; a tenth of a second or two on a small machine."""


MAX_PATTERNS = 10_000
"""The limit for the characters of all patterns in a schema from strangers; those who use it see to that."""

STEPS_TO_READ = 20
"""For each character of a pattern, once a validation."""


Names = Mapping[str, "Schema | Callable[[Any, Scope], Fault | None]"]
"""The target of each `$ref`: a schema, or a function that finds the fault itself."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts that all of one validation shares."""

    names: Names
    effort: Effort
    patterns: dict[str, EcmaRegExp] = field(default_factory=dict)


def fault(schema: Schema, value: Any, names: Names | None = None, max_steps: int = MAX_STEPS) -> Fault | None:
    """Return the first fault of a value; None if it fits the schema.

    A value that cannot be judged within so many steps has a fault.

    Raises:
        RecursionError: a `$ref` leads to itself.
        RegExpSyntaxError: a pattern is none.
    """
    try:
        return fault_within(schema, value, Scope(names or {}, Effort(max_steps)))
    except EffortExceeded:
        return Fault("steps", f"must be judged within {max_steps} steps")


def fault_within(schema: Schema, value: Any, scope: Scope) -> Fault | None:
    """Return the first fault of a part of the value, or None. It raises EffortExceeded where no steps are left."""
    if isinstance(schema, bool):
        return None if schema else Fault("false schema", "boolean schema is false")
    scope.effort.spend(1)
    left = len(schema)
    for keyword, (kind, check) in KEYWORDS.items():
        if keyword in schema:
            if kind is None or _TYPES[kind](value):
                found = check(schema[keyword], value, schema, scope)
                if found is not None:
                    return found
            left -= 1
            if not left:
                break
    return None


_SCHEMA_IN = frozenset(("not", "if", "then", "else", "items", "contains", "additionalProperties", "propertyNames"))
_SCHEMAS_IN_LIST = frozenset(("allOf", "anyOf", "oneOf"))
_SCHEMAS_BY_NAME = frozenset(("properties", "patternProperties", "dependentSchemas"))
_DEFINITIONS = frozenset(("$defs", "definitions"))


def subschemas(
    schema: Any, *, definitions: bool = False, depth: int = 0, walked: set[int] | None = None
) -> Iterator[tuple[Any, int]]:
    """Give a schema and all schemas in it with their depth, each before those in it.

    Parameters:
        definitions: give those in `$defs` and `definitions` too.
        walked: the `id` of each that was given before; none is given again, nor what is in it.
    """
    if walked is not None:
        if id(schema) in walked:
            return
        walked.add(id(schema))
    yield schema, depth
    for keyword, value in schema.items() if isinstance(schema, dict) else ():
        inner: Iterable[Any] = ()
        if keyword in _SCHEMA_IN:
            inner = (value,)
        elif keyword in _SCHEMAS_IN_LIST and isinstance(value, list):
            inner = value
        elif (keyword in _SCHEMAS_BY_NAME or (definitions and keyword in _DEFINITIONS)) and isinstance(value, dict):
            inner = value.values()
        for one in inner:
            yield from subschemas(one, definitions=definitions, depth=depth + 1, walked=walked)


def references(root: Any, *, definitions: bool = False) -> dict[str, Schema | None]:
    """Return the schema that each `$ref` in a schema names by a JSON pointer (RFC 6901, section 6), None for no schema.

    The references of the schemas that are named are followed too. What is no schema in the root, such as a value in an
    `enum`, cannot be named: nobody has checked it.

    Parameters:
        definitions: as in `subschemas`.
    """
    known = {id(schema) for schema, _ in subschemas(root, definitions=True)}
    found: dict[str, Schema | None] = {}
    pending: list[Any] = [root]
    walked: set[int] = set()
    while pending:
        for schema, _ in subschemas(pending.pop(), definitions=definitions, walked=walked):
            reference = schema.get("$ref") if isinstance(schema, dict) else None
            if isinstance(reference, str) and reference not in found:
                target = _target(root, reference)
                found[reference] = target if id(target) in known else None
                pending.append(found[reference])
    return found


def _target(root: Any, reference: str) -> Schema | None:
    document, *steps = reference.split("/")
    found = root if document == "#" else None
    for step in steps:
        name = unquote(step).replace("~1", "/").replace("~0", "~")
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, (dict, bool)) else None


def _same(left: Any, right: Any) -> bool:
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(_same, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(_same(left[name], right[name]) for name in left)
    return bool(left == right)


def as_key(value: Any) -> Hashable:
    """Return what is equal for equal JSON values, and for no others: a boolean is no number, and 1.0 is 1."""
    if isinstance(value, bool):
        return bool, value
    if isinstance(value, list):
        return list, *map(as_key, value)
    if isinstance(value, dict):
        return dict, frozenset((name, as_key(item)) for name, item in value.items())
    return value  # type: ignore[no-any-return]


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


def _rule(keyword: str, holds: Callable[[Any, Any, Scope], bool], says: Callable[[Any], str] | str) -> Check:
    def check(wanted: Any, value: Any, schema: Mapping[str, Any], scope: Scope) -> Fault | None:
        if holds(wanted, value, scope):
            return None
        return Fault(keyword, says if isinstance(says, str) else says(wanted))

    return check


def _bound(sign: str) -> Callable[[Any], str]:
    return lambda bound: f"must be {sign} {_written(bound)}"


def _written(number: Any) -> str:
    # As JavaScript writes it: 1.0, which nobody says, aside.
    return str(int(number)) if isinstance(number, float) and number.is_integer() and abs(number) < 1e21 else str(number)


def _limit(words: Callable[[int, str], str], of: str) -> Callable[[Any], str]:
    return lambda limit: words(int(limit), of)


def _ref(name: str, value: Any, schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    target = scope.names[name]
    return target(value, scope) if callable(target) else fault_within(target, value, scope)


def _is_multiple(of: float, value: float, scope: Scope) -> bool:
    quotient = value / of
    return isfinite(quotient) and quotient == int(quotient)


def _matches(pattern: str | EcmaRegExp | re.Pattern[str], text: str, scope: Scope) -> bool:
    if isinstance(pattern, re.Pattern):  # of a schema of our own, and known to be quick
        return pattern.search(text) is not None
    if isinstance(pattern, str):
        if pattern not in scope.patterns:
            scope.effort.spend(STEPS_TO_READ * len(pattern))
            scope.patterns[pattern] = ecma_regexp.compile(pattern)
        pattern = scope.patterns[pattern]
    return pattern.test(text, scope.effort)


def _is_one_of(allowed: Sequence[Any], value: Any, scope: Scope) -> bool:
    scope.effort.spend(len(allowed))
    return value in allowed if type(value) is str else any(_same(one, value) for one in allowed)


def _unique_items(wanted: bool, items: list[Any], schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    scope.effort.spend(len(items))
    if not wanted:
        return None
    twins, seen = None, dict[Hashable, int]()
    for position, key in enumerate(map(as_key, items)):
        twins = (seen[key], position) if key in seen else twins
        seen[key] = position
    if twins is None:
        return None
    if _is_scalar(schema.get("items")):  # Ajv goes through these from the end
        twins = twins[::-1]
    says = f"must NOT have duplicate items (items ## {twins[0]} and {twins[1]} are identical)"
    return Fault("uniqueItems", says)


def _is_scalar(items: Schema | None) -> bool:
    kind = items.get("type") if isinstance(items, dict) else None
    return kind is not None and not {"array", "object"}.intersection([kind] if isinstance(kind, str) else kind)


def _any_of(choices: Sequence[Schema], value: Any, schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    found = [fault_within(choice, value, scope) for choice in choices]
    if None in found:
        return None
    return Fault("anyOf", "must match a schema in anyOf", before=faults.listed(found))


def _one_of(choices: Sequence[Schema], value: Any, schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    found = [fault_within(choice, value, scope) for choice in choices]
    matching = [position for position, one in enumerate(found) if one is None]
    if len(matching) == 1:
        return None
    seen = found[: matching[1]] if matching else found  # after the second match, Ajv looks no further
    return Fault("oneOf", "must match exactly one schema in oneOf", before=faults.listed(seen))


def _if(condition: Schema, value: Any, schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    branch = "then" if fault_within(condition, value, scope) is None else "else"
    found = fault_within(schema.get(branch, True), value, scope)
    return None if found is None else Fault("if", f'must match "{branch}" schema', before=faults.listed((found,)))


def _first(parts: Iterable[tuple[str | int | None, Schema, Any]], scope: Scope) -> Fault | None:
    """Return the first fault of parts of a value, each given with its place (None: the value itself) and its schema."""
    for step, inner, part in parts:
        found = fault_within(inner, part, scope)
        if found is not None:
            return found if step is None else found.below(step)
    return None


def _items(inner: Schema, items: list[Any], schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    return _first(((position, inner, item) for position, item in enumerate(items)), scope)


def _properties(inner: Mapping[str, Schema], value: Any, schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    return _first(((name, inner[name], value[name]) for name in inner if name in value), scope)


def _contains(inner: Schema, items: list[Any], schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    number = sum(fault_within(inner, item, scope) is None for item in items)
    low, high = schema.get("minContains", 1), schema.get("maxContains")
    if number >= low and (high is None or number <= high):
        return None
    return Fault("contains", faults.must_contain(low, high))


def _required(names: Sequence[str], value: dict[str, Any], schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    # Ajv does not miss a property with an empty name.
    missing = next((name for name in names if name and name not in value), None)
    return None if missing is None else Fault("required", faults.must_have(missing))


def _additional(inner: Schema, value: dict[str, Any], schema: Mapping[str, Any], scope: Scope) -> Fault | None:
    declared, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = (
        name for name in value if name not in declared and not any(_matches(one, name, scope) for one in patterns)
    )
    if inner is False:
        other = next(others, None)
        return None if other is None else Fault("additionalProperties", faults.ADDITIONAL, found=other)
    return _first(((name, inner, value[name]) for name in others), scope)


def _pattern_properties(
    wanted: Mapping[str, Schema], value: dict[str, Any], schema: Mapping[str, Any], scope: Scope
) -> Fault | None:
    matching = (
        (name, inner, item)
        for text, inner in wanted.items()
        for name, item in value.items()
        if _matches(text, name, scope)
    )
    return _first(matching, scope)


def _is_type(wanted: str | list[str], value: Any, scope: Scope) -> bool:
    return any(_TYPES[kind](value) for kind in ([wanted] if isinstance(wanted, str) else wanted))


KEYWORDS: Mapping[str, tuple[str | None, Check]] = {
    "type": (None, _rule("type", _is_type, faults.must_be)),
    "maximum": ("number", _rule("maximum", lambda most, value, scope: value <= most, _bound("<="))),
    "minimum": ("number", _rule("minimum", lambda least, value, scope: value >= least, _bound(">="))),
    "exclusiveMaximum": ("number", _rule("exclusiveMaximum", lambda bound, value, scope: value < bound, _bound("<"))),
    "exclusiveMinimum": ("number", _rule("exclusiveMinimum", lambda bound, value, scope: value > bound, _bound(">"))),
    "multipleOf": ("number", _rule("multipleOf", _is_multiple, _bound("multiple of"))),
    "maxLength": (
        "string",
        _rule("maxLength", lambda most, text, scope: len(text) <= most, _limit(faults.too_many, "characters")),
    ),
    "minLength": (
        "string",
        _rule("minLength", lambda least, text, scope: len(text) >= least, _limit(faults.too_few, "characters")),
    ),
    "pattern": ("string", _rule("pattern", _matches, faults.must_match)),
    "$ref": (None, _ref),
    "const": (None, _rule("const", lambda wanted, value, scope: _same(wanted, value), faults.CONSTANT)),
    "enum": (None, _rule("enum", _is_one_of, faults.ALLOWED_VALUES)),
    "not": (
        None,
        _rule("not", lambda inner, value, scope: fault_within(inner, value, scope) is not None, faults.NOT_VALID),
    ),
    "anyOf": (None, _any_of),
    "oneOf": (None, _one_of),
    "allOf": (None, lambda choices, value, schema, scope: _first(((None, one, value) for one in choices), scope)),
    "if": (None, _if),
    "maxItems": (
        "array",
        _rule("maxItems", lambda most, items, scope: len(items) <= most, _limit(faults.too_many, "items")),
    ),
    "minItems": (
        "array",
        _rule("minItems", lambda least, items, scope: len(items) >= least, _limit(faults.too_few, "items")),
    ),
    "items": ("array", _items),
    "contains": ("array", _contains),
    "uniqueItems": ("array", _unique_items),
    "minProperties": (
        "object",
        _rule("minProperties", lambda least, value, scope: len(value) >= least, _limit(faults.too_few, "properties")),
    ),
    "required": ("object", _required),
    "additionalProperties": ("object", _additional),
    "properties": ("object", _properties),
    "patternProperties": ("object", _pattern_properties),
}
"""For each keyword, in the order of Ajv: the type of values it is about (None: any), and what it demands."""
