"""Parts that are asked for, and what is known already."""

from __future__ import annotations

import pytest

from web5.dwn.reading.conditions import NotSatisfiable, is_known, wanted

TAG = '"tag"'


@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-5", (2, 6)),
        ("bytes=2-", (2, 10)),
        ("bytes=9-99999", (9, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes = 1 - 2", (1, 3)),
        # not understood, so all of it
        ("", None),
        ("bytes=-", None),
        ("bytes=5-2", None),
        ("bytes=0-1,3-4", None),
        ("lines=0-1", None),
        ("bytes=a-b", None),
        ("bytes=0x1-2", None),
        ("bytes=1-" + "9" * 16, None),
        ("bytes=--1", None),
    ],
)
def test_the_part_that_is_asked_for(asked: str, part: tuple[int, int] | None) -> None:
    assert wanted({"range": asked}, TAG, 10) == part


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-11", "bytes=999-", "bytes=-0"])
def test_a_part_behind_the_end(asked: str) -> None:
    with pytest.raises(NotSatisfiable):
        wanted({"range": asked}, TAG, 10)


def test_of_nothing_there_is_no_part() -> None:
    with pytest.raises(NotSatisfiable):
        wanted({"range": "bytes=0-"}, TAG, 0)


def test_a_part_of_something_else_is_not_given() -> None:
    assert wanted({"range": "bytes=0-1", "if-range": TAG}, TAG, 10) == (0, 2)
    assert wanted({"range": "bytes=0-1", "if-range": '"other"'}, TAG, 10) is None


@pytest.mark.parametrize(
    ("given", "known"),
    [(TAG, True), (f"W/{TAG}", True), (f'"a", {TAG}', True), ("*", True), ('"a"', False), ("", False), ("tag", False)],
)
def test_what_is_known_already(given: str, known: bool) -> None:
    assert is_known({"if-none-match": given}, TAG) is known
    assert is_known({}, TAG) is False
