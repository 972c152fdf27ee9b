"""`$tags` of a rule set: which tags its records must and may have (`verifyTagsIfNeeded`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from web5 import ecma_regexp
from web5.dwn.protocols.json_schema import KEYWORDS, Fault, Names, Schema, fault, references, subschemas
from web5.ecma_regexp import RegExpSyntaxError

_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}
_TEXT = {"type": "string"}
_ANCHOR = {"type": "string", "pattern": r"^[A-Za-z_][-A-Za-z0-9._]*$"}
_SIMPLE_TYPES = {"enum": ["array", "boolean", "integer", "null", "number", "object", "string"]}
_TEXTS = {"type": "array", "items": _TEXT, "uniqueItems": True}
_FLAG = {"type": "boolean"}
_SCHEMA = {"$ref": "meta"}
_SCHEMAS = {"type": "array", "minItems": 1, "items": _SCHEMA}
_SCHEMA_BY_NAME = {"type": "object", "additionalProperties": _SCHEMA}

META_SCHEMA: dict[str, Any] = {
    "type": ["object", "boolean"],
    "properties": {
        "type": {
            "anyOf": [_SIMPLE_TYPES, {"type": "array", "items": _SIMPLE_TYPES, "minItems": 1, "uniqueItems": True}]
        },
        "enum": {"type": "array"},
        "multipleOf": {"type": "number", "exclusiveMinimum": 0},
        **dict.fromkeys(("maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"), _NUMBER),
        **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems"), _COUNT),
        **dict.fromkeys(("maxContains", "minContains", "maxProperties", "minProperties"), _COUNT),
        "pattern": _TEXT,
        **dict.fromkeys(("$schema", "$ref", "$dynamicRef"), _TEXT),
        **dict.fromkeys(("$anchor", "$dynamicAnchor"), _ANCHOR),
        "$id": {"type": "string", "pattern": r"^[^#]*#?$"},
        "$vocabulary": {"type": "object", "additionalProperties": _FLAG},
        "uniqueItems": _FLAG,
        "required": _TEXTS,
        "dependentRequired": {"type": "object", "additionalProperties": _TEXTS},
        **dict.fromkeys(("items", "contains", "additionalProperties", "propertyNames"), _SCHEMA),
        **dict.fromkeys(("if", "then", "else", "not"), _SCHEMA),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "contentSchema"), _SCHEMA),
        **dict.fromkeys(("prefixItems", "allOf", "anyOf", "oneOf"), _SCHEMAS),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas", "$defs"), _SCHEMA_BY_NAME),
        **dict.fromkeys(("title", "description", "format", "contentEncoding", "contentMediaType", "$comment"), _TEXT),
        **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), _FLAG),
        "examples": {"type": "array"},
    },
}
"""What every schema of a tag must be: the meta-schema of JSON Schema 2020-12."""

_META: Names = {"meta": META_SCHEMA}

_ANNOTATIONS = frozenset(
    [
        "$schema",
        "$defs",
        "definitions",
        "title",
        "description",
        "default",
        "deprecated",
        "readOnly",
        "writeOnly",
        "examples",
        "contentMediaType",
        "contentEncoding",
        "$comment",
    ]
)
_WITHOUT_CONSEQUENCE = frozenset(
    ["maxProperties", "dependentRequired", "propertyNames", "then", "else", "minContains", "maxContains"]
) | {"unevaluatedProperties", "dependentSchemas", "prefixItems", "unevaluatedItems"}
"""Keywords about objects and tuples, which no tag is, or which another keyword reads."""


def schema_fault(schema: Any) -> Fault | None:
    """What keeps a value from being a JSON schema; found when the protocol is configured."""
    return fault(META_SCHEMA, schema, _META)


@dataclass(frozen=True, slots=True)
class TagRules:
    """The tags of the records of one protocol path.

    Parameters:
        schema: of the object of all tags.
        unusable: why no record at all can be written; None if the schema can be used.
        references: what each `$ref` within the schema means.
    """

    schema: Schema
    unusable: str | None
    references: Mapping[str, Schema]

    @staticmethod
    def of(tags: Mapping[str, Any]) -> TagRules:
        """From the `$tags` of a rule set that was accepted."""
        required = tags.get("$requiredTags", [])
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {
                name: schema for name, schema in tags.items() if name not in ("$requiredTags", "$allowUndefinedTags")
            },
            "required": required,
            "additionalProperties": tags.get("$allowUndefinedTags", False),
        }
        named = {reference: target for reference, target in references(schema).items() if target is not None}
        roots = [schema, *named.values()]
        reasons = (reason for root in roots for inner, _ in subschemas(root) for reason in _misfits(inner, named))
        twins = len(set(required)) < len(required)
        return TagRules(schema, "$requiredTags names a tag twice" if twins else next(reasons, None), named)

    def fault(self, tags: Mapping[str, Any]) -> Fault | None:
        """The first fault of a record's tags.

        Raises:
            RecursionError: a `$ref` leads to itself.
        """
        return fault(self.schema, tags, self.references)


def _misfits(schema: Schema, named: Mapping[str, Schema]) -> Iterator[str]:
    """What the reference's validator refuses in its strict mode, although it is a JSON schema; found with the first
    record, which is refused for it."""
    if isinstance(schema, bool):
        return
    for keyword in schema:
        if keyword not in KEYWORDS and keyword not in _ANNOTATIONS and keyword not in _WITHOUT_CONSEQUENCE:
            yield f"{keyword} cannot be used for tags"
    if "$ref" in schema and schema["$ref"] not in named:
        yield f"no schema at {schema['$ref']}"
    if schema.get("enum") == []:
        yield "an enum must not be empty"
    if "contains" not in schema and ("minContains" in schema or "maxContains" in schema):
        yield "minContains and maxContains need contains"
    low, high = schema.get("minContains", 1), schema.get("maxContains")
    if "contains" in schema and ((high is None and low == 0) or (high is not None and low > high)):
        yield "minContains makes contains meaningless"
    if ("if" in schema) != ("then" in schema or "else" in schema):
        yield "if, then and else need each other"
    if isinstance(schema.get("pattern"), str):
        try:
            ecma_regexp.compile(schema["pattern"])
        except RegExpSyntaxError as error:
            yield f"pattern: {error}"
