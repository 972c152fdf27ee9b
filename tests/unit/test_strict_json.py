"""JSON from strangers is parsed only if it is not nested too deeply."""

from __future__ import annotations

import json

import pytest

from web5.strict_json import MAX_NESTING, parse

MARKS_IN_TEXTS = json.dumps(['"[{\\'] * 2000)
LISTS = "[" * MAX_NESTING + "]" * MAX_NESTING
OBJECTS = '{"a":' * MAX_NESTING + "1" + "}" * MAX_NESTING
MIXED = '{"a":[' * (MAX_NESTING // 2) + "1" + "]}" * (MAX_NESTING // 2)
ESCAPED = '["\\\\", "\\"[{", "\\\\\\"}]"' + ", [], {}" * MAX_NESTING + "]"
HIDDEN = "[" + '"\\"]",' * 1000 + "[" * 1000
"""Brackets in texts close nothing."""


@pytest.mark.parametrize(
    "text",
    ['{"a": [1, 2.5, null]}', '"[["', MARKS_IN_TEXTS, "[" + "[{}]," * 3000 + "1]", LISTS, OBJECTS, MIXED, ESCAPED],
)
def test_what_is_not_deep(text: str) -> None:
    assert parse(text) == json.loads(text)


@pytest.mark.parametrize(
    "text", [f"[{LISTS}]", f"[{OBJECTS}]", f"[{MIXED}]", "[" * 1_000_000, '{"a":' * 100_000, HIDDEN]
)
def test_what_is_too_deep(text: str) -> None:
    with pytest.raises(ValueError, match="too deeply"):
        parse(text)


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "", "[1,]", '"', '["\\'])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError):
        parse(text)
