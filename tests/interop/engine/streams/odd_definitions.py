"""Protocol definitions with a fault, or at least with something odd."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams.step import Message
from tests.interop.engine.streams.world import World, paths, role_paths, rules_at


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
