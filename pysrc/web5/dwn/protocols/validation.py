"""The demands on a protocol definition beyond its shape (`ProtocolsConfigure.validateProtocolDefinition`).

`DEMANDS` is the table for action rules; `validate_definition` is the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from web5.dwn.codes import Code
from web5.dwn.messages.parsing import check_urls
from web5.dwn.protocols.definitions import all_rule_sets, rule_sets_below
from web5.dwn.protocols.json_schema import as_key
from web5.dwn.protocols.shape import tag_schema_fault
from web5.dwn.values.faults import shown
from web5.errors import BadRequest

MAX_DEPTH = 10
"""The limit for levels of records in a protocol."""

MAX_PATHS = 2**20
"""The limit for the characters of all protocol paths together. Long names above many others would make a giant of a
short definition; one with a hundred paths has some thousand."""

ActionRule = Mapping[str, Any]

_READS = frozenset({"read", "query", "subscribe"})
_RECIPIENTS_OWN = frozenset({"co-update", "co-delete", "co-prune"})
_ABSENT = object()


class Demand(NamedTuple):
    """A row of `DEMANDS`.

    Parameters:
        code: of the refusal.
        says: the demand in words.
        broken: True if an action rule, in a protocol with these role paths and before others for these actors and
            roles, does not fulfil it.
    """

    code: Code
    says: str
    broken: Callable[[ActionRule, Collection[str], Collection[Hashable]], bool]


def _lacks_create(rule: ActionRule, action: str) -> bool:
    return action in rule["can"] and "create" not in rule["can"]


def _actor(rule: ActionRule) -> Hashable:
    return "actor", as_key(rule.get("who", _ABSENT)), as_key(rule.get("of", _ABSENT))


def _role(rule: ActionRule) -> Hashable:
    return "role", as_key(rule.get("role", _ABSENT))


DEMANDS = (
    Demand(
        Code.ProtocolsConfigureRoleDoesNotExistAtGivenPath,
        "`role` is the protocol path of a `$role` record",
        lambda rule, roles, others: "role" in rule and rule["role"] not in roles,
    ),
    Demand(
        Code.ProtocolsConfigureRoleReadActionMissing,
        "a role that can read, query or subscribe can do all three",
        lambda rule, roles, others: (
            "role" in rule and bool(_READS.intersection(rule["can"])) and not _READS.issubset(rule["can"])
        ),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionOfNotAllowed,
        "`anyone` is not `of` anything",
        lambda rule, roles, others: rule.get("who") == "anyone" and bool(rule.get("of")),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidRecipientOfAction,
        "a `recipient` without `of` can only co-update, co-delete and co-prune",
        lambda rule, roles, others: (
            rule.get("who") == "recipient" and "of" not in rule and not _RECIPIENTS_OWN.issuperset(rule["can"])
        ),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionMissingOf,
        "an `author` is `of` a record",
        lambda rule, roles, others: rule.get("who") == "author" and not rule.get("of"),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionUpdateWithoutCreate,
        "whoever can update can create",
        lambda rule, roles, others: _lacks_create(rule, "update"),
    ),
    Demand(
        Code.ProtocolsConfigureInvalidActionDeleteWithoutCreate,
        "whoever can delete can create",
        lambda rule, roles, others: _lacks_create(rule, "delete"),
    ),
    Demand(
        Code.ProtocolsConfigureDuplicateActorInRuleSet,
        "one action rule for each `who` and `of`",
        lambda rule, roles, others: "who" in rule and _actor(rule) in others,
    ),
    Demand(
        Code.ProtocolsConfigureDuplicateRoleInRuleSet,
        "one action rule for each `role`",
        lambda rule, roles, others: "who" not in rule and _role(rule) in others,
    ),
)
"""The demands on each action rule of a rule set, in the order in which they are checked."""


def validate_definition(definition: Mapping[str, Any]) -> None:
    """Check a definition that has the shape of one, or raise BadRequest with the reference's code."""
    check_urls({"protocol": definition["protocol"]})
    for kind in definition["types"].values():
        check_urls({"schema": kind["schema"]} if "schema" in kind else {})
    room = MAX_PATHS
    for path, _, _ in all_rule_sets(definition["structure"]):
        room -= len(path)
        if room < 0:
            raise BadRequest("", f"the protocol paths have more than {MAX_PATHS} characters together")
    roles = set(_role_paths(definition["structure"], ()))
    for path, name, rule_set in all_rule_sets(definition["structure"]):
        if name not in definition["types"]:
            raise BadRequest(
                Code.ProtocolsConfigureInvalidRuleSetRecordType,
                f"Rule set {name} is not declared as an allowed type in the protocol definition.",
            )
        _validate_limits(rule_set, path)
        _validate_actions(rule_set.get("$actions", ()), path, roles)


def _validate_actions(rules: Sequence[ActionRule], path: str, roles: Collection[str]) -> None:
    # Backwards, so as to know which actors and roles follow; but the first rule that breaks a demand names the code.
    followed: set[Hashable] = set()
    found = None
    for rule in reversed(rules):
        broken = next((demand for demand in DEMANDS if demand.broken(rule, roles, followed)), None)
        found = found if broken is None else (broken, rule)
        followed |= {_actor(rule), _role(rule)}
    if found is not None:
        demand, rule = found
        raise BadRequest(demand.code, f"{path}: {demand.says}: {shown(dict(rule))}")


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
                Code.ProtocolsConfigureInvalidTagSchema,
                f"tags schema validation error: {found.text(f'{place}/$tags/{name}')}",
            )
