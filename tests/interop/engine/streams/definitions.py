"""Protocol definitions that pass all checks, with every rule there is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams.step import Message
from tests.interop.engine.streams.world import World, paths, role_paths

URIS = (
    "https://example.com/social",
    "https://example.com/chat",
    "https://example.com/shop",
    "urn:x:notes",
)
TYPES = ("thread", "post", "comment", "image", "admin", "member")
SCHEMAS = ("https://schema.org/Note", "https://schema.org/Task", "urn:thing")
FORMATS = ("text/plain", "application/json")
ANYONE_CAN = ("co-delete", "co-prune", "co-update", "create", "delete", "prune", "read", "update")
RECIPIENT_CAN = ("co-update", "co-delete", "co-prune")
ROLE_READS = ("read", "query", "subscribe")
ROLE_CAN = ("co-delete", "co-update", "create", "delete", "update")
MAX_DEPTH = 3


def definition(world: World, uri: str) -> Message:
    """A definition that passes all checks."""
    types: Message = {name: _type(world) for name in TYPES}
    structure = _tree(world, 1)
    every = paths(structure)
    roles = [role for role in role_paths(structure) if _is_reachable(structure, role)]
    for path in every:
        _add_rules(world, structure, path, every, roles)
    return {"protocol": uri, "published": world.maybe(0.5), "types": types, "structure": structure}


def revised(world: World, known: Message) -> Message:
    """The definition with other rules at the same paths."""
    made = copy.deepcopy(known)
    made["published"] = world.maybe(0.5)
    every, roles = paths(made["structure"]), role_paths(made["structure"])
    for path in every:
        if world.maybe(0.4):
            _add_rules(
                world,
                made["structure"],
                path,
                every,
                [role for role in roles if _is_reachable(made["structure"], role)],
            )
    return made


def _type(world: World) -> Message:
    made: Message = {}
    if world.maybe(0.3):
        made["schema"] = world.one(SCHEMAS)
    if world.maybe(0.4):
        made["dataFormats"] = world.some(FORMATS)
    return made


def _tree(world: World, depth: int) -> Message:
    names = world.rng.sample(TYPES, world.rng.choice((1, 2, 2, 3)) if depth == 1 else world.rng.choice((0, 1, 1, 2)))
    made: Message = {}
    for name in names:
        if world.maybe(0.6 if name in ("admin", "member") else 0.05):
            made[name] = {"$role": True}
        elif depth < MAX_DEPTH:
            made[name] = _tree(world, depth + 1)
        else:
            made[name] = {}
    return made


def _add_rules(world: World, structure: Message, path: str, every: list[str], roles: list[str]) -> None:
    rules: Any = structure
    for name in path.split("/"):
        rules = rules[name]
    if world.maybe(0.9):
        rules["$actions"] = _actions(world, path, every, roles)
    if world.maybe(0.15):
        least = world.one((1, 5, 50))
        rules["$size"] = world.one(({"min": least}, {"max": least * 40}, {"min": least, "max": least * 40}, {}))
    if world.maybe(0.2):
        rules["$tags"] = tag_rules(world)
    if not rules:
        rules["$actions"] = [{"who": "anyone", "can": ["create"]}]


def _is_reachable(structure: Message, role: str) -> bool:
    """The reference finds no role below a role."""
    rules: Any = structure
    for name in role.split("/")[:-1]:
        rules = rules[name]
        if rules.get("$role"):
            return False
    return True


def _actions(world: World, path: str, every: list[str], roles: list[str]) -> list[Message]:
    forms: list[Callable[[], Message]] = [
        lambda: {"who": "anyone", "can": _can(world, ANYONE_CAN)},
        lambda: {"who": "author", "of": _of(world, path, every), "can": _can(world, ANYONE_CAN)},
        lambda: {"who": "recipient", "of": _of(world, path, every), "can": _can(world, ANYONE_CAN)},
        lambda: {"who": "recipient", "can": world.some(RECIPIENT_CAN)},
    ]
    if roles:
        forms += [lambda: {"role": world.one(roles), "can": _role_can(world)}] * 4
    made: dict[tuple[str | None, ...], Message] = {}
    for _ in range(world.rng.randrange(1, 5)):
        rule = world.one(forms)()
        made.setdefault((rule.get("who"), rule.get("of"), rule.get("role")), rule)
    return list(made.values())


def _of(world: World, path: str, every: list[str]) -> str:
    parts = path.split("/")
    ancestors = ["/".join(parts[:size]) for size in range(1, len(parts) + 1)]
    return world.one(ancestors) if world.maybe(0.85) else world.one(every)


def _can(world: World, actions: tuple[str, ...]) -> list[str]:
    chosen = world.rng.sample(actions, world.rng.randrange(1, 5))
    if "create" not in chosen and (world.maybe(0.5) or "update" in chosen or "delete" in chosen):
        chosen.append("create")
    return chosen


def _role_can(world: World) -> list[str]:
    chosen = _can(world, ROLE_CAN)
    return [*chosen, *ROLE_READS] if world.maybe(0.7) else chosen


def tag_rules(world: World) -> Message:
    every: Message = {
        "label": world.one(
            ({"type": "string"}, {"type": "string", "enum": ["a", "ab"]}, {"type": "string", "maxLength": 2}, {})
        ),
        "count": world.one(
            (
                {"type": "number"},
                {"type": "integer", "minimum": 0},
                {"type": "number", "exclusiveMaximum": 2, "minimum": -5},
            )
        ),
        "flag": {"type": "boolean"},
        "labels": world.one(
            (
                {"type": "array", "items": {"type": "string", "minLength": 1}},
                {"type": "array", "items": {"type": "string"}, "minItems": 2, "uniqueItems": True},
                {"type": "array", "contains": {"type": "string", "enum": ["a"]}, "maxContains": 1},
            )
        ),
        "counts": {"type": "array", "items": {"type": "number", "maximum": 10}, "maxItems": 2},
    }
    made = {name: every[name] for name in world.some(list(every))}
    if world.maybe(0.3):
        made["$requiredTags"] = world.rng.sample(list(every), world.rng.randrange(0, 3))
    if world.maybe(0.6):
        made["$allowUndefinedTags"] = world.maybe(0.8)
    return made
