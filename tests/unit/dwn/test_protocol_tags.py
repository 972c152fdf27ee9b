"""`$tags`: which tags the records of a protocol path must and may have."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import install, with_actions
from tests.unit.dwn.conftest import World

INVALID = (400, "ProtocolAuthorizationTagsInvalidSchema")
ACCEPTED = (202, "Accepted")
TEXT, NUMBER = {"type": "string"}, {"type": "number"}


async def answer(world: World, rules: dict[str, Any], tags: Any) -> tuple[int, str]:
    await install(world, with_actions(**{"$tags": rules}))
    write = await world.compose(protocol="https://example.com/notes", protocol_path="note", tags=tags)
    return await world.status(write, b"hello")


@pytest.mark.parametrize(
    ("rules", "fits", "does_not"),
    [
        (TEXT, ["", "a"], [1, True, ["a"]]),
        (NUMBER, [1, 1.5, -1, 1e300], ["1", True, [1]]),
        ({"type": "integer"}, [1, -1, 1e21], [1.5, "1"]),
        ({"type": "boolean"}, [True, False], [0, "true"]),
        ({"type": "array"}, [["a"], [1]], ["a", 1]),
        ({}, ["a", 1, True, [1]], []),
        ({"enum": ["a", 1, True]}, ["a", 1, True], ["b", 2, False, ["a"]]),
        ({"enum": [0]}, [0], [False]),
        ({"type": "string", "minLength": 2, "maxLength": 3}, ["ab", "abc", "\U0001f600\U0001f600"], ["a", "abcd"]),
        ({"minLength": 2}, ["ab", 1, True], ["a"]),
        ({"type": "number", "minimum": 1, "maximum": 2}, [1, 2, 1.5], [0.5, 3]),
        ({"type": "number", "exclusiveMinimum": 1, "exclusiveMaximum": 2}, [1.5], [1, 2]),
        ({"type": "array", "items": TEXT}, [["a", "b"]], [[1]]),
        ({"type": "array", "items": {"type": "integer", "minimum": 2}}, [[2, 3]], [[2, 1], [2.5]]),
        ({"type": "array", "items": {"type": "string", "pattern": "^a"}}, [["ab"]], [["ba"]]),
        ({"type": "array", "items": {"pattern": "^[a-z]+$"}}, [["ab"]], [["ab\n"]]),
        ({"type": "array", "items": {"pattern": r"^\p{L}+$"}}, [["Übung"]], [["1"]]),
        ({"type": "array", "items": {"pattern": "^(?:a{0,4294967296})$"}}, [["aa"]], [["b"]]),
        ({"type": "array", "items": {"pattern": "(" * 3000 + "a" + ")" * 3000}}, [["a"]], [["b"]]),
        ({"type": "array", "items": {"type": "number", "multipleOf": 0.5}}, [[1.5]], [[1.2]]),
        ({"type": "array", "items": {"anyOf": [{"enum": ["a"]}, {"enum": ["b"]}]}}, [["b"]], [["c"]]),
        ({"type": "array", "items": {"not": {"enum": ["a"]}}}, [["b"]], [["a"]]),
        ({"type": "array", "items": {"allOf": [{"minLength": 2}, {"maxLength": 3}]}}, [["ab"]], [["a"], ["abcd"]]),
        ({"type": "array", "items": {"oneOf": [{"minimum": 2}, {"maximum": 3}]}}, [[1, 4]], [[2]]),
        (
            {"type": "array", "items": {"if": {"minLength": 2}, "then": {"pattern": "^a"}, "else": {"const": "b"}}},
            [["ab", "b"]],
            [["ba"], ["a"]],
        ),
        ({"type": "array", "items": {"title": "a", "default": 1, "maxProperties": 0}}, [["a"]], []),
        ({"enum": [["a", 1], {"a": 1}, None, ["b"]]}, [["b"]], [["b", "b"], ["a"], "a"]),
        ({"type": "array", "minItems": 2, "maxItems": 3}, [[1, 2], [1, 2, 3]], [[1], [1, 2, 3, 4]]),
        ({"type": "array", "uniqueItems": True}, [["a", "b"]], [["a", "a"], [1, 1.0]]),
        ({"type": "array", "uniqueItems": False}, [["a", "a"]], []),
        ({"type": "array", "contains": {"type": "string", "enum": ["a"]}}, [["b", "a"]], [["b"], [1]]),
        ({"type": "array", "contains": {"type": "number", "minimum": 5}, "minContains": 2}, [[5, 6]], [[5, 1]]),
        (
            {"type": "array", "contains": {"enum": ["a"]}, "minContains": 0, "maxContains": 1},
            [["a"], ["b"]],
            [["a", "a"]],
        ),
    ],
)
async def test_schemas(world: World, rules: dict[str, Any], fits: list[Any], does_not: list[Any]) -> None:
    for value in fits:
        assert await answer(world, {"tag": rules}, {"tag": value}) == ACCEPTED, value
    for value in does_not:
        assert await answer(world, {"tag": rules}, {"tag": value}) == INVALID, value


async def test_required_tags(world: World) -> None:
    rules = {"a": TEXT, "b": TEXT, "$requiredTags": ["a"]}
    assert await answer(world, rules, {"a": "x"}) == ACCEPTED
    assert await answer(world, rules, {"a": "x", "b": "x"}) == ACCEPTED
    assert await answer(world, rules, {"b": "x"}) == INVALID
    assert await answer(world, rules, None) == INVALID
    # The reference's validator does not miss a tag whose name is empty.
    assert await answer(world, {"a": TEXT, "$requiredTags": [""]}, None) == ACCEPTED


async def test_tags_that_the_protocol_does_not_define(world: World) -> None:
    assert await answer(world, {"a": TEXT}, {"a": "x", "b": 1}) == INVALID
    assert await answer(world, {"a": TEXT, "$allowUndefinedTags": False}, {"b": 1}) == INVALID
    assert await answer(world, {"a": TEXT, "$allowUndefinedTags": True}, {"a": "x", "b": 1}) == ACCEPTED
    assert await answer(world, {"a": TEXT, "$allowUndefinedTags": True}, {"a": 1, "b": 1}) == INVALID
    assert await answer(world, {"a": TEXT}, None) == ACCEPTED


async def test_without_rules_any_tag_goes(world: World) -> None:
    await install(world, with_actions())
    await world.write(protocol="https://example.com/notes", protocol_path="note", tags={"a": [1], "b": "x"})


async def test_updates_are_checked_too(world: World) -> None:
    await install(world, with_actions(**{"$tags": {"a": TEXT, "$requiredTags": ["a"]}}))
    write = await world.write(protocol="https://example.com/notes", protocol_path="note", tags={"a": "x"})
    assert await world.status(await world.compose(existing=write), b"hello") == INVALID
    assert await world.status(await world.compose(existing=write, tags={"a": 1}), b"hello") == INVALID
    await world.write(existing=write, tags={"a": "y"})


@pytest.mark.parametrize(
    "rules",
    [
        {"a": {"enum": []}},
        {"a": {"minContains": 1}},
        {"a": {"contains": TEXT, "minContains": 0}},
        {"a": {"contains": TEXT, "minContains": 2, "maxContains": 1}},
        {"a": {"items": {"unheardOf": 1}}},
        {"a": {"items": {"format": "email"}}},
        {"a": {"items": {"pattern": "("}}},
        {"a": {"items": {"if": True}}},
        {"a": {"items": {"then": True}}},
        {"a": {"items": {"anyOf": [{"not": {"unheardOf": 1}}]}}},
        {"a": {"items": {"properties": {"x": {"unheardOf": 1}}}}},
        {"a": TEXT, "$requiredTags": ["a", "a"]},
    ],
)
async def test_schemas_that_can_be_configured_but_not_used(world: World, rules: dict[str, Any]) -> None:
    """Every write is refused, without a code, as by the reference's validator in its strict mode."""
    assert (await answer(world, rules, {"a": "x"}))[0] == 400
    assert (await answer(world, rules, None))[0] == 400


@pytest.mark.parametrize(
    ("reference", "fits", "does_not"),
    [
        ("#/properties/b", ["x"], [1]),
        ("#/properties/c~1d", [1], ["x"]),
        ("#/properties/c%2Fd", [1], ["x"]),
        ("#/additionalProperties", [], ["x"]),
    ],
)
async def test_references(world: World, reference: str, fits: list[Any], does_not: list[Any]) -> None:
    rules = {"a": {"type": "array", "items": {"$ref": reference}}, "b": TEXT, "c/d": NUMBER}
    for value in fits:
        assert await answer(world, rules, {"a": [value]}) == ACCEPTED
    for value in does_not:
        assert await answer(world, rules, {"a": [value]}) == INVALID


@pytest.mark.parametrize("reference", ["#/properties/none", "none", "#/properties/a/items"])
async def test_references_that_lead_nowhere(world: World, reference: str) -> None:
    rules = {"a": {"type": "array", "items": {"$ref": reference}}}
    status, code = await answer(world, rules, {"a": ["x"]})
    assert status == 400 and code != INVALID[1]


def _chain(length: int, last: dict[str, Any]) -> dict[str, Any]:
    """Schemas of which each has the next one twice, so that the last is asked two to the power of `length` times."""
    defs = {str(at): {"anyOf": [{"$ref": f"#/properties/a/items/$defs/{at + 1}"}] * 2} for at in range(length)}
    return {"allOf": [{"$ref": "#/properties/a/items/$defs/0"}], "$defs": {**defs, str(length): last}}


@pytest.mark.parametrize("items", [{"pattern": r"^(a+)+(a+)+(a+)+\1\2\3$"}, _chain(30, {"const": "b"})])
async def test_tags_that_take_too_many_steps_to_judge_are_refused(world: World, items: dict[str, Any]) -> None:
    code, error = await answer(world, {"a": {"type": "array", "items": items}}, {"a": ["a" * 60 + "!"]})
    assert (code, error) == INVALID


@pytest.mark.parametrize("items", [{"pattern": "^(a+)+$"}, _chain(4, {"pattern": "^a+$"})])
async def test_tags_that_only_backtracking_finds_costly_are_judged(world: World, items: dict[str, Any]) -> None:
    rules = {"a": {"type": "array", "items": items}}
    assert await answer(world, rules, {"a": ["a" * 1000 + "!"]}) == INVALID
    assert await answer(world, rules, {"a": ["a" * 1000]}) == ACCEPTED


@pytest.mark.parametrize("pattern", ["(?i)a", "(", r"\-", "a{2,1}", "]"])
async def test_a_pattern_that_is_none_in_javascript_is_refused_with_the_first_record(
    world: World, pattern: str
) -> None:
    assert await answer(world, {"a": {"type": "array", "items": {"pattern": pattern}}}, {"a": ["a"]}) == (
        400,
        "note/$tags",
    )
