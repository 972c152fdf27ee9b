"""Faults in words; `tests/interop/engine/test_details.py` holds them against the reference's."""

from __future__ import annotations

from typing import Any

import pytest

from web5.dwn.protocols.json_schema import fault
from web5.dwn.values.faults import MAX_BEFORE, MAX_TEXT

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "value", "says"),
    [
        (TEXT, 1, "/tags must be string"),
        ({"type": ["string", "number"]}, None, "/tags must be string,number"),
        ({"properties": {"a/b": {"items": TEXT}}}, {"a/b": ["x", 1]}, "/tags/a~1b/1 must be string"),
        ({"required": ["a", "b"]}, {"a": 1}, "/tags must have required property 'b'"),
        (
            {"additionalProperties": False, "properties": {}},
            {"x": 1},
            "/tags must NOT have additional properties: x",
        ),
        (
            {"anyOf": [TEXT, {"minimum": 5}]},
            1,
            "/tags must be string, /tags must be >= 5, /tags must match a schema in anyOf",
        ),
        ({"contains": TEXT, "maxContains": 2}, [1], "/tags must contain at least 1 and no more than 2 valid item(s)"),
        ({"uniqueItems": True}, [3, 3], "/tags must NOT have duplicate items (items ## 0 and 1 are identical)"),
        ({"maximum": 5.0}, 6, "/tags must be <= 5"),
    ],
)
def test_a_fault_says_where_and_what(schema: Any, value: Any, says: str) -> None:
    found = fault(schema, value)
    assert found is not None
    assert found.text("/tags") == says


def test_what_is_told_of_many_faults_is_bounded() -> None:
    schema: Any = {"pattern": "x" * 9000}
    for _ in range(12):
        schema = {"anyOf": [schema, schema]}
    found = fault(schema, "a", max_steps=10**9)
    assert found is not None
    assert len(found.before) == MAX_BEFORE
    assert not any(one.before for one in found.before)
    assert found.first.keyword == "pattern"
    assert len(found.below("n" * 9000).text("")) == MAX_TEXT
