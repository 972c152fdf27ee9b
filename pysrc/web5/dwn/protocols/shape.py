"""The shape of a protocol definition (`protocol-definition.json`, `protocol-rule-set.json`), as JSON schemas.

Their patterns are compiled Python: the dialect of JavaScript is for those of strangers, and takes longer.
"""

from __future__ import annotations

import re
from typing import Any

from web5.dwn.messages import rules
from web5.dwn.protocols.json_schema import Names, Scope, fault
from web5.dwn.values.faults import Fault, broken

ACTORS = ("anyone", "author", "recipient")
ACTOR_ACTIONS = ("co-delete", "co-prune", "co-update", "create", "delete", "prune", "read", "update")
ROLE_ACTIONS = ("co-delete", "co-update", "create", "delete", "query", "subscribe", "read", "update")
"""The actors that an action rule may name, and the actions of actors and of roles."""

_ANY = "[^\n\r\u2028\u2029]*"
"""`.*` as JavaScript reads it."""

_TEXT = {"type": "string"}
_LIMIT = {"type": "number", "minimum": 0}
_SCALAR_SCHEMA = {"type": "object", "properties": {"type": {"enum": ["string", "number", "integer"]}}}


def _actions(allowed: tuple[str, ...]) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": {"type": "string", "enum": list(allowed)}}


ACTION_RULE: dict[str, Any] = {
    "type": "object",
    "oneOf": [
        {
            "required": ["who", "can"],
            "additionalProperties": False,
            "properties": {
                "who": {"type": "string", "enum": list(ACTORS)},
                "of": _TEXT,
                "can": _actions(ACTOR_ACTIONS),
            },
        },
        {"required": ["role", "can"], "properties": {"role": _TEXT, "can": _actions(ROLE_ACTIONS)}},
    ],
}

TAG: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "type": {"enum": ["string", "number", "integer", "boolean", "array"]},
        "items": _SCALAR_SCHEMA,
        "contains": _SCALAR_SCHEMA,
    },
    "patternProperties": {
        re.compile(
            r"^(enum|minimum|maximum|exclusiveMinimum|exclusiveMaximum|minLength|maxLength"
            r"|minItems|maxItems|uniqueItems|minContains|maxContains)\Z"
        ): True
    },
}

RULE_SET: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "$encryption": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"rootKeyId": _TEXT, "publicKeyJwk": {"$ref": "public-jwk"}},
            "required": ["rootKeyId", "publicKeyJwk"],
        },
        "$actions": {"type": "array", "minItems": 1, "items": ACTION_RULE},
        "$role": {"type": "boolean"},
        "$size": {"type": "object", "additionalProperties": False, "properties": {"min": _LIMIT, "max": _LIMIT}},
        "$tags": {
            "type": "object",
            "minProperties": 1,
            "properties": {
                "$requiredTags": {"type": "array", "items": _TEXT},
                "$allowUndefinedTags": {"type": "boolean"},
            },
            "patternProperties": {re.compile(rf"^(?!\$requiredTags\Z|\$allowUndefinedTags\Z){_ANY}\Z"): TAG},
        },
    },
    "patternProperties": {re.compile(rf"^[^$]{_ANY}\Z"): {"$ref": "rule-set"}},
}

DEFINITION: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["protocol", "published", "types", "structure"],
    "properties": {
        "protocol": _TEXT,
        "published": {"type": "boolean"},
        "types": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"schema": _TEXT, "dataFormats": {"type": "array", "minItems": 1, "items": _TEXT}},
            },
        },
        "structure": {"type": "object", "additionalProperties": {"$ref": "rule-set"}},
    },
}


_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": "number"}
_ANCHOR = {"type": "string", "pattern": re.compile(r"^[A-Za-z_][-A-Za-z0-9._]*\Z")}
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
        "$id": {"type": "string", "pattern": re.compile(r"^[^#]*#?\Z")},
        "$vocabulary": {"type": "object", "additionalProperties": _FLAG},
        "uniqueItems": _FLAG,
        "required": _TEXTS,
        "dependentRequired": {"type": "object", "additionalProperties": _TEXTS},
        **dict.fromkeys(("items", "contains", "additionalProperties", "propertyNames"), _SCHEMA),
        **dict.fromkeys(("if", "then", "else", "not"), _SCHEMA),
        **dict.fromkeys(("unevaluatedItems", "unevaluatedProperties", "contentSchema"), _SCHEMA),
        **dict.fromkeys(("prefixItems", "allOf", "anyOf", "oneOf"), _SCHEMAS),
        **dict.fromkeys(("properties", "patternProperties", "dependentSchemas"), _SCHEMA_BY_NAME),
        **dict.fromkeys(("$defs", "definitions"), _SCHEMA_BY_NAME),
        **dict.fromkeys(("title", "description", "format", "contentEncoding", "contentMediaType", "$comment"), _TEXT),
        **dict.fromkeys(("deprecated", "readOnly", "writeOnly"), _FLAG),
        "examples": {"type": "array"},
    },
}
"""The meta-schema of JSON Schema 2020-12, for the schema of a tag."""


def _public_jwk(value: Any, scope: Scope) -> Fault | None:
    return rules.public_jwk_fault(value)


MAX_STEPS = 20_000_000
"""Our own schema takes some for each character of a definition, whose size is bounded elsewhere."""

_NAMES: Names = {"rule-set": RULE_SET, "public-jwk": _public_jwk, "meta": META_SCHEMA}


def definition_shape(value: Any) -> Any:
    """Validate the shape of a definition, as pydantic calls it, and return the value.

    Raises:
        PydanticCustomError: it has another shape; see `faults.broken`.
    """
    found = definition_fault(value)
    if found is not None:
        raise broken(found)
    return value


def definition_fault(value: Any) -> Fault | None:
    """Return the fault that keeps a value from having the shape of a definition, or None."""
    try:
        return fault(DEFINITION, value, _NAMES, MAX_STEPS)
    except RecursionError:
        return Fault("depth", "must NOT be nested so deeply")


def tag_schema_fault(schema: Any) -> Fault | None:
    """Return the fault that keeps a value from being a JSON schema, or None."""
    return fault(META_SCHEMA, schema, _NAMES)
