"""The bounds of matching (invariants of `web5.ecma_regexp.machine`); what patterns mean is held against Node's engine
in tests/interop/engine/test_patterns.py."""

from __future__ import annotations

import pytest

from web5 import ecma_regexp
from web5.ecma_regexp import Effort, EffortExceeded, RegExpSyntaxError


def _steps(source: str, text: str) -> int:
    effort = Effort(10_000_000)
    ecma_regexp.compile(source).test(text, effort)
    return 10_000_000 - effort.left


@pytest.mark.parametrize(
    "source", ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^(.*a){9}$", "a*a*a*a*b", "(x+x+)+y", "(?=a+a+a+b)"]
)
def test_without_back_references_work_grows_with_the_text_and_no_faster(source: str) -> None:
    few, many = _steps(source, "a" * 100 + "!"), _steps(source, "a" * 400 + "!")
    assert many < 5 * few


def test_what_takes_too_long_is_undecided() -> None:
    pattern = ecma_regexp.compile(r"^(a+)+(a+)+\1\2b$")
    with pytest.raises(EffortExceeded):
        pattern.test("a" * 60, Effort(20_000))


def test_several_matches_share_what_they_may_take() -> None:
    effort = Effort(1000)
    pattern = ecma_regexp.compile("^[a-z]+$")
    with pytest.raises(EffortExceeded):
        for _ in range(1000):
            assert pattern.test("abc", effort)
    assert pattern.test("abc", Effort(1000))


def test_counted_loops_count_to_no_more_than_the_text_has_room_for() -> None:
    assert _steps("^(?:ab){0,4294967296}$", "ab" * 50) < 2_000
    assert _steps("^(?:a?){4294967296}$", "a" * 20) < 5_000
    assert not ecma_regexp.compile("^(?:ab){4294967296}$").test("ab" * 50)


@pytest.mark.parametrize(
    "source",
    [
        "(?:" * 5000 + "a" + ")" * 5000,
        "(" * 5000 + "a" + ")" * 5000,
        "(?=" * 5000 + "a" + ")" * 5000,
        "a|" * 20_000 + "b",
    ],
)
def test_nesting_costs_no_stack(source: str) -> None:
    assert ecma_regexp.EcmaRegExp(source).test("a")


def test_a_fault_says_what_and_where() -> None:
    with pytest.raises(RegExpSyntaxError, match=r"^unterminated group, at position 4 of the pattern$"):
        ecma_regexp.compile("(abc")
