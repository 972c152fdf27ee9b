"""Parameters of a URL as nested values."""

from __future__ import annotations

from typing import Any

import pytest

from web5.dwn.reading.parameters import DEEPEST, MOST, Malformed, nested, numbered


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ([], {}),
        ([("filter.schema", "x"), ("filter.protocolPath", "a/b")], {"filter": {"schema": "x", "protocolPath": "a/b"}}),
        ([("filter[schema]", "x"), ("dateSort", "y")], {"filter": {"schema": "x"}, "dateSort": "y"}),
        ([("a.b.c", "1"), ("a.b.d", "2")], {"a": {"b": {"c": "1", "d": "2"}}}),
        ([("a.b", "1"), ("a.b", "2"), ("a.b", "3")], {"a": {"b": ["1", "2", "3"]}}),
    ],
)
def test_values_by_their_names(given: list[tuple[str, str]], values: dict[str, Any]) -> None:
    assert nested(given) == values


@pytest.mark.parametrize(
    "given",
    [
        [("a", "1"), ("a.b", "2")],
        [("a.b", "1"), ("a", "2")],
        [("a", "1"), ("a", "2"), ("a.b", "3")],
        [("", "1")],
        [(".a", "1")],
        [("a..b", "1")],
        [("__proto__.x", "1")],
        [("a[b", "1")],
        [("a b", "1")],
        [(".".join("a" * (DEEPEST + 1)), "1")],
        [(f"a{number}", "1") for number in range(MOST + 1)],
        [("a", "1")] * (MOST + 1),
    ],
)
def test_what_is_no_question(given: list[tuple[str, str]]) -> None:
    with pytest.raises(Malformed):
        nested(given)


def test_numbers() -> None:
    assert [numbered(value) for value in ("5", "-5", "5.0", "", "٣", ["5"], "9" * 10)] == [
        5, "-5", "5.0", "", "٣", ["5"], "9" * 10,
    ]  # fmt: skip
