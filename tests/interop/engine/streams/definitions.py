"""Protocol definitions, good ones that use every rule there is, and faulty ones."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from .step import Message
from .world import World, paths, role_paths, rules_at

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


def faulty(world: World, good: Message) -> Message:
    """The definition with one thing wrong, or at least odd."""
    bad = copy.deepcopy(good)
    every = paths(bad["structure"])
    role = world.one(role_paths(bad["structure"]) or every)
    path = world.one(every)
    rules: Any = bad["structure"]
    for name in path.split("/"):
        rules = rules[name]
    actions = rules.setdefault("$actions", [{"who": "anyone", "can": ["create"]}])
    rule = world.one(actions)
    faults: list[Callable[[], Any]] = [
        lambda: rule.update(can=["update"]),
        lambda: rule.update(can=["delete"]),
        lambda: rule.update(can=[]),
        lambda: rule.update(can=["fly"]),
        lambda: rule.update(can=["query"]),
        lambda: rule.update(can=["read", "create"]),
        lambda: actions.append(dict(rule)),
        lambda: actions.append({"who": "anyone", "of": path, "can": ["create"]}),
        lambda: actions.append({"who": "anyone", "of": "", "can": ["create"]}),
        lambda: actions.append({"who": "author", "can": ["create"]}),
        lambda: actions.append({"who": "author", "of": "", "can": ["create"]}),
        lambda: actions.append({"who": "recipient", "can": ["create"]}),
        lambda: actions.append({"who": "recipient", "can": ["co-update", "read"]}),
        lambda: actions.append({"who": "recipient", "of": "none/such", "can": ["create"]}),
        lambda: actions.append({"role": "none", "can": ["create"]}),
        lambda: actions.append({"role": path, "can": ["create"]}),
        lambda: actions.append(
            {"role": role, "can": world.one((["read", "query"], ["subscribe"], ["create", "read"]))}
        ),
        lambda: actions.append({"role": role, "can": ["prune"]}),
        lambda: actions.append({"role": role, "who": "anyone", "can": ["create"]}),
        lambda: actions.append({"role": role, "can": ["create"], "of": "x", "extra": 1}),
        lambda: actions.extend({"role": role, "can": [can]} for can in ("create", "co-delete")),
        lambda: actions.extend({"role": role, "can": [can]} for can in ("update", "co-update")),
        lambda: actions.append({"who": "nobody", "can": ["create"]}),
        lambda: actions.append({"can": ["create"]}),
        lambda: actions.append({}),
        lambda: rules.update({"$actions": []}),
        lambda: rules.update({"$size": {"min": 10, "max": 1}}),
        lambda: rules.update({"$size": {"min": -1}}),
        lambda: rules.update({"$size": {"max": "1"}}),
        lambda: rules.update({"$size": {"least": 1}}),
        lambda: rules.update({"$role": "yes"}),
        lambda: rules.update({"$role": False}),
        lambda: rules.update({"$encryption": {"rootKeyId": "k", "publicKeyJwk": _jwk(world)}}),
        lambda: rules.update({"$encryption": {"rootKeyId": "k"}}),
        lambda: rules.update({"$encryption": {"rootKeyId": "k", "publicKeyJwk": {"kty": "x"}}}),
        lambda: rules.update({"$unknown": {}}),
        lambda: rules.update({"": {}}),
        lambda: rules.update({"undeclared": {}}),
        lambda: rules.update({"post": {"post": {"comment": {"image": {}}}}}),
        lambda: rules.update({"$tags": {}}),
        lambda: rules.update({"$tags": _odd_tag_rules(world)}),
        lambda: rules.update({"$tags": _odd_tag_rules(world)}),
        lambda: rules.update({"$tags": _odd_tag_rules(world)}),
        lambda: rules.update(nested(world.one((8, 9, 10, 11, 12)))),
        lambda: bad["types"].update(post={"schema": world.one(("schema.org/A/", "HTTPS://A.b", "", "x y"))}),
        lambda: bad["types"].update(post={"dataFormats": world.one(([], ["a", 1], "text/plain"))}),
        lambda: bad["types"].update(post={"other": 1}),
        lambda: bad["types"].pop(path.split("/")[-1], None),
        lambda: bad.update(protocol=world.one(("Example.com/", "http://A.b/", "http://a.b?x", "", "::"))),
        lambda: bad.update(published=world.one(("yes", 1, None))),
        lambda: bad.update(structure=world.one(({}, [], {"post": []}, {"post": None}))),
        lambda: bad.update(types=world.one(({}, [], {"post": []}, {"post": None}))),
        lambda: bad.update(extra={}),
        lambda: bad.pop(world.one(("protocol", "published", "types", "structure"))),
    ]
    world.one(faults)()
    return bad


def is_usable(definition: Any) -> bool:
    """Records of it can be made, if it is accepted."""
    if not isinstance(definition.get("protocol"), str) or not isinstance(definition.get("types"), dict):
        return False
    structure = definition.get("structure")
    if not isinstance(structure, dict) or not structure or not all(definition["types"].values()):
        return False
    every = [rules_at(definition, path) for path in paths(structure)]
    return all(_has_usual_shapes(rules) for rules in every)


def _has_usual_shapes(rules: Message) -> bool:
    kinds = {"$actions": list, "$size": dict, "$tags": dict}
    if not all(isinstance(rules.get(name, kind()), kind) for name, kind in kinds.items()):
        return False
    sizes = all(type(size) is int and size >= 0 for size in rules.get("$size", {}).values())
    required = rules.get("$tags", {}).get("$requiredTags", [])
    return sizes and isinstance(required, list) and all("can" in rule for rule in rules.get("$actions", []))


def nested(depth: int) -> Message:
    made: Message = {}
    for _ in range(depth):
        made = {"post": made}
    return made


def _odd_tag_rules(world: World) -> Message:
    return world.one(
        (
            {"label": {"type": "object"}},
            {"label": {"type": "string", "enum": "a"}},
            {"label": {"type": "string", "minLength": -1}},
            {"label": {"type": "string", "minLength": 1.5}},
            {"label": {"type": "string", "maxLength": "2"}},
            {"label": {"type": "string", "enum": []}},
            {"label": {"type": "string", "enum": ["a", "a"]}},
            {"label": {"pattern": "a"}},
            {"label": {"enum": ["a", 1, None, True]}},
            {"label": {"minimumX": 1, "xminLength": 2}},
            {"count": {"type": "number", "minimum": "0"}},
            {"labels": {"type": "array", "items": {"type": "string", "pattern": "a"}}},
            {"labels": {"type": "array", "items": {"type": "boolean"}}},
            {"labels": {"type": "array", "items": {"type": "string", "enum": [1]}}},
            {"labels": {"type": "array", "minContains": 1}},
            {"labels": {"type": "array", "contains": {"type": "string"}, "minContains": 2, "maxContains": 1}},
            {"labels": {"type": "array", "contains": {"type": "number"}, "minContains": 0}},
            {"labels": {"type": "array", "uniqueItems": 1}},
            {"labels": {"maxItems": -1}},
            {"$requiredTags": ["label"]},
            {"$requiredTags": ["label", "label"]},
            {"$requiredTags": "label"},
            {"$allowUndefinedTags": "yes"},
            {"$other": {"type": "string"}},
            {"label": []},
            {"label": True},
        )
    )


def _jwk(world: World) -> Message:
    return {name: value for name, value in world.anyone().private_jwk.items() if name != "d"}
