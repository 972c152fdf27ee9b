"""Protocol definitions as rule sets for their records, parsed once for each configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from web5 import ecma_regexp
from web5.dwn.codes import Code
from web5.dwn.permissions import protocol as permissions
from web5.dwn.protocols.json_schema import KEYWORDS, MAX_PATTERNS, Schema, fault, references, subschemas
from web5.dwn.store import protocols as stored
from web5.dwn.store.store import Store
from web5.dwn.values.faults import Fault
from web5.ecma_regexp import RegExpSyntaxError
from web5.errors import BadRequest
from web5.lru import LruCache, footprint

REMEMBERED = 256
REMEMBERED_BYTES = 32 << 20

_WITHOUT_CONSEQUENCE = frozenset(
    (
        *("$schema", "$defs", "definitions", "$comment", "title", "description", "default", "examples"),
        *("deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding"),
        *("then", "else", "minContains", "maxContains", "prefixItems", "unevaluatedItems"),
        *("maxProperties", "dependentRequired", "dependentSchemas", "propertyNames", "unevaluatedProperties"),
    )
)
"""Annotations, and keywords about objects and tuples, which no tag is, or which another keyword reads."""


@dataclass(frozen=True, slots=True)
class TagRules:
    """The tags of the records of one protocol path.

    Parameters:
        schema: of the object of all tags.
        unusable: the reason why no record at all can be written; None if the schema can be used.
        references: the schema that each `$ref` names.
    """

    schema: Schema
    unusable: str | None
    references: Mapping[str, Schema]

    @staticmethod
    def of(tags: Mapping[str, Any]) -> TagRules:
        """Read the `$tags` of a rule set (`verifyTagsIfNeeded`)."""
        required = tags.get("$requiredTags", [])
        schema: dict[str, Any] = {
            "type": "object",
            # In the order in which the reference reads them from its store.
            "properties": {
                name: tags[name]
                for name in sorted(tags, key=lambda name: (len(name.encode()), name))
                if name not in ("$requiredTags", "$allowUndefinedTags")
            },
            "required": required,
            "additionalProperties": tags.get("$allowUndefinedTags", False),
        }
        named = {reference: target for reference, target in references(schema).items() if target is not None}
        walked: set[int] = set()
        every = [inner for root in (schema, *named.values()) for inner, _ in subschemas(root, walked=walked)]
        reasons = (reason for inner in every for reason in _strict_faults(inner, named))
        twins = "$requiredTags names a tag twice" if len(set(required)) < len(required) else None
        return TagRules(schema, twins or next(reasons, None) or _read_patterns(every), named)

    def fault(self, tags: Mapping[str, Any]) -> Fault | None:
        """Return the first fault of a record's tags, or None. A `$ref` to itself is a RecursionError."""
        return fault(self.schema, tags, self.references)


def _strict_faults(schema: Schema, named: Mapping[str, Schema]) -> Iterator[str]:
    # The reference's validator, in its strict mode, refuses these JSON schemas when it compiles them for a record.
    if isinstance(schema, bool):
        return
    for keyword in schema:
        if keyword not in KEYWORDS and keyword not in _WITHOUT_CONSEQUENCE:
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


def _read_patterns(schemas: Iterable[Schema]) -> str | None:
    """Put each pattern of some schemas in its own place, ready to match; or return why no tag can be judged."""
    patterned = [schema for schema in schemas if isinstance(schema, dict) and "pattern" in schema]
    if sum(len(schema["pattern"]) for schema in patterned) > MAX_PATTERNS:
        return f"the patterns have more than {MAX_PATTERNS} characters together"
    try:
        for schema in patterned:
            schema["pattern"] = ecma_regexp.compile(schema["pattern"])
    except RegExpSyntaxError as error:
        return f"pattern: {error}"
    return None


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules for the records of one protocol path; sizes are those of the data, in bytes."""

    actions: tuple[Mapping[str, Any], ...] | None
    is_role: bool
    min_size: float
    max_size: float | None
    tags: TagRules | None

    @staticmethod
    def of(raw: Mapping[str, Any]) -> RuleSet:
        size, actions, tags = raw.get("$size", {}), raw.get("$actions"), raw.get("$tags")
        return RuleSet(
            None if actions is None else tuple(actions),
            raw.get("$role") is True,
            size.get("min", 0),
            size.get("max"),
            None if tags is None else TagRules.of(tags),
        )


class Definition:
    """A protocol: the types of its records, and a rule set for each protocol path."""

    def __init__(self, raw: Mapping[str, Any]) -> None:
        self.types: Mapping[str, Any] = raw["types"]
        self._rule_sets = {path: RuleSet.of(rules) for path, _, rules in all_rule_sets(raw["structure"])}

    def rule_set(self, path: str) -> RuleSet | None:
        return self._rule_sets.get(path)


def rule_sets_below(rule_set: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Return the names of the record types directly below a rule set, with their own rule sets."""
    return ((name, inner) for name, inner in rule_set.items() if not name.startswith("$"))


def all_rule_sets(structure: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Give the protocol path, the record type and the rule set of all levels, each before those below it."""
    for name, inner in rule_sets_below(structure):
        path = f"{above}{name}"
        yield path, name, inner
        yield from all_rule_sets(inner, f"{path}/")


_PERMISSIONS = Definition(permissions.DEFINITION)
_parsed: LruCache[str, Definition] = LruCache(REMEMBERED, REMEMBERED_BYTES)
"""By the CID of the configuration, which stands for one definition wherever it is stored."""


def definition_of(store: Store, tenant: int, protocol: str | None, at: str | None = None) -> Definition:
    """Return the protocol as the tenant has it configured now, or had it then, or raise BadRequest.

    Parameters:
        at: the date of a message from the past; one from before all that is kept finds the oldest.
    """
    if protocol == permissions.URI:
        return _PERMISSIONS
    if protocol is None:
        cid = None
    elif at is None:
        cid = stored.configured(store, tenant, protocol)
    else:
        cid = stored.configured_at(store, tenant, protocol, at)
    if cid is None:
        raise BadRequest(
            Code.ProtocolAuthorizationProtocolNotFound, f"unable to find protocol definition for {protocol}"
        )
    known = _parsed.get(cid)
    if known is not None:
        return known
    row = store.message(tenant, cid)
    assert row is not None
    raw = row.message["descriptor"]["definition"]
    definition = Definition(raw)
    _parsed.put(cid, definition, footprint(raw))
    return definition
