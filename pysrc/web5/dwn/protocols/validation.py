"""What a protocol definition must fulfil beyond its shape (`ProtocolsConfigure.validateProtocolDefinition`).

`ACTION_RULE_DEMANDS` and `PAIR_DEMANDS` are the tables for action rules; `validate_definition` is the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from web5.dwn.codes import Code
from web5.dwn.messages.parsing import check_urls
from web5.dwn.protocols.definitions import rule_sets_below
from web5.dwn.protocols.json_schema import same
from web5.dwn.protocols.shape import tag_schema_fault
from web5.errors import BadRequest

MAX_DEPTH = 10
"""Levels of records in a protocol."""

ActionRule = Mapping[str, Any]

_READS = frozenset({"read", "query", "subscribe"})
_RECIPIENTS_OWN = frozenset({"co-update", "co-delete", "co-prune"})
_ABSENT = object()


class Demand(NamedTuple):
    """One thing that an action rule must fulfil.

    Parameters:
        code: of the refusal.
        says: the demand in words.
        broken: True if an action rule, in a protocol with these role paths, does not fulfil it.
    """

    code: Code
    says: str
    broken: Callable[[ActionRule, Sequence[str]], bool]


def _lacks_create(rule: ActionRule, action: str) -> bool:
    return action in rule["can"] and "create" not in rule["can"]


ACTION_RULE_DEMANDS = (
    Demand(
        Code.ProtocolsConfigureRoleDoesNotExistAtGivenPath,
        "`role` is the protocol path of a `$role` record",
        lambda rule, roles: "role" in rule and rule["role"] not in roles,
    ),
    Demand(
        Code.ProtocolsConfigureRoleReadActionMissing,
        "a role that can read, query or subscribe can do all three",
        lambda rule, roles: (
            "role" in rule and bool(_READS.intersection(rule["can"])) and not _READS.issubset(rule["can"])
        ),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionOfNotAllowed,
        "`anyone` is not `of` anything",
        lambda rule, roles: rule.get("who") == "anyone" and bool(rule.get("of")),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidRecipientOfAction,
        "a `recipient` without `of` can only co-update, co-delete and co-prune",
        lambda rule, roles: (
            rule.get("who") == "recipient" and "of" not in rule and not _RECIPIENTS_OWN.issuperset(rule["can"])
        ),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionMissingOf,
        "an `author` is `of` a record",
        lambda rule, roles: rule.get("who") == "author" and not rule.get("of"),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionUpdateWithoutCreate,
        "whoever can update can create",
        lambda rule, roles: _lacks_create(rule, "update"),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionDeleteWithoutCreate,
        "whoever can delete can create",
        lambda rule, roles: _lacks_create(rule, "delete"),
    ),
)
"""What each action rule of a rule set must fulfil, in the order in which it is looked at."""


class PairDemand(NamedTuple):
    """What no two action rules of a rule set may have in common."""

    code: Code
    says: str
    applies: Callable[[ActionRule], bool]
    names: tuple[str, ...]


PAIR_DEMANDS = (
    PairDemand(
        Code.ProtocolsConfigureDuplicateActorInRuleSet,
        "one action rule for each `who` and `of`",
        lambda rule: "who" in rule,
        ("who", "of"),
    ),
    PairDemand(
        Code.ProtocolsConfigureDuplicateRoleInRuleSet,
        "one action rule for each `role`",
        lambda rule: "who" not in rule,
        ("role",),
    ),
)


def validate_definition(definition: Mapping[str, Any]) -> None:
    """
    Parameters:
        definition: has the shape of one.

    Raises:
        BadRequest: with the reference's code.
    """
    check_urls({"protocol": definition["protocol"]})
    for kind in definition["types"].values():
        check_urls({"schema": kind["schema"]} if "schema" in kind else {})
    roles = list(_role_paths(definition["structure"], ()))
    _validate(definition["structure"], (), definition["types"], roles)


def _role_paths(rule_set: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    # What lies below a role is not looked at, as in the reference.
    if len(path) > MAX_DEPTH:
        raise BadRequest(
            Code.ProtocolsConfigureRecordNestingDepthExceeded, f"Record nesting depth exceeded {MAX_DEPTH} levels."
        )
    for name, inner in rule_sets_below(rule_set):
        if inner.get("$role"):
            yield "/".join((*path, name))
        else:
            yield from _role_paths(inner, (*path, name))


def _validate(
    rule_set: Mapping[str, Any], path: tuple[str, ...], types: Mapping[str, Any], roles: Sequence[str]
) -> None:
    place = "/".join(path)
    if path:
        _validate_limits(rule_set, place)
        _validate_actions(rule_set.get("$actions", ()), place, roles)
    for name, inner in rule_sets_below(rule_set):
        if name not in types:
            raise BadRequest(
                Code.ProtocolsConfigureInvalidRuleSetRecordType,
                f"Rule set {name} is not declared as an allowed type in the protocol definition.",
            )
        _validate(inner, (*path, name), types, roles)


def _validate_limits(rule_set: Mapping[str, Any], place: str) -> None:
    size = rule_set.get("$size", {})
    if "max" in size and size["max"] < size.get("min", 0):
        raise BadRequest(
            Code.ProtocolsConfigureInvalidSize,
            f"Invalid size range found: max limit {size['max']} less than min limit {size.get('min', 0)}"
            f" at protocol path '{place}'",
        )
    for name, schema in rule_set.get("$tags", {}).items():
        if name in ("$requiredTags", "$allowUndefinedTags"):
            continue
        found = tag_schema_fault(schema)
        if found is not None:
            raise BadRequest(
                Code.ProtocolsConfigureInvalidTagSchema, f"tags schema validation error: {place}/$tags/{name}/{found}"
            )


def _validate_actions(action_rules: Sequence[ActionRule], place: str, roles: Sequence[str]) -> None:
    for position, rule in enumerate(action_rules):
        for demand in ACTION_RULE_DEMANDS:
            if demand.broken(rule, roles):
                raise BadRequest(demand.code, f"{place}: {demand.says}: {dict(rule)}")
        for pair in PAIR_DEMANDS:
            if pair.applies(rule) and any(_alike(rule, other, pair.names) for other in action_rules[position + 1 :]):
                raise BadRequest(pair.code, f"{place}: {pair.says}: {dict(rule)}")


def _alike(rule: ActionRule, other: ActionRule, names: tuple[str, ...]) -> bool:
    return all(same(rule.get(name, _ABSENT), other.get(name, _ABSENT)) for name in names)
