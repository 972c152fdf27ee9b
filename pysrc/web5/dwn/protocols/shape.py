"""The shape of a protocol definition, as data (`protocol-definition.json`, `protocol-rule-set.json`)."""

from __future__ import annotations

from typing import Any

from pydantic_core import PydanticCustomError, PydanticKnownError

from web5.dwn.messages import rules
from web5.dwn.protocols.json_schema import Fault, Names, Scope, fault

ACTORS = ("anyone", "author", "recipient")
ACTOR_ACTIONS = ("co-delete", "co-prune", "co-update", "create", "delete", "prune", "read", "update")
ROLE_ACTIONS = ("co-delete", "co-update", "create", "delete", "query", "subscribe", "read", "update")
"""What an action rule may name: who acts, and what they can do, as an actor or in a role."""

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
        r"^(enum|minimum|maximum|exclusiveMinimum|exclusiveMaximum|minLength|maxLength"
        r"|minItems|maxItems|uniqueItems|minContains|maxContains)$": True
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
            "patternProperties": {rf"^(?!\$requiredTags$|\$allowUndefinedTags$){_ANY}$": TAG},
        },
    },
    "patternProperties": {rf"^[^$]{_ANY}$": {"$ref": "rule-set"}},
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


def _public_jwk(value: Any, scope: Scope) -> Fault | None:
    try:
        rules.public_jwk(value)
    except ValueError:
        return Fault("public-jwk")
    return None


MAX_STEPS = 20_000_000
"""Our own schema takes some for each character of a definition, whose size is bounded elsewhere."""

_NAMES: Names = {"rule-set": RULE_SET, "public-jwk": _public_jwk}


def definition_shape(value: Any) -> Any:
    """A validator for pydantic: the value, if it is shaped like a definition.

    Raises:
        PydanticKnownError, PydanticCustomError: it is not; of the two kinds that the reference's codes tell apart.
    """
    try:
        found = fault(DEFINITION, value, _NAMES, MAX_STEPS)
    except RecursionError:
        raise PydanticCustomError("definition", "nested too deeply") from None
    if found is None:
        return value
    if found.keyword == "additionalProperties":
        raise PydanticKnownError("extra_forbidden")
    raise PydanticCustomError("definition", "{fault}", {"fault": str(found)})


def is_definition(value: Any) -> bool:
    """True if the value is shaped like a definition."""
    try:
        definition_shape(value)
    except (PydanticCustomError, PydanticKnownError):
        return False
    return True
