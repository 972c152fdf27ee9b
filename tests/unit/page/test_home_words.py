"""What the home screen says."""

from __future__ import annotations

from typing import Any

import pytest

from web.ui.screens.home import home_words

NODE: dict[str, Any] = {
    "endpoint": "https://dwn.example/",
    "refused": 0,
    "last_error": None,
    "reachable": True,
    "registration": {"state": "none"},
}
STATE: dict[str, Any] = {
    "endpoints": [NODE],
    "keys": [],
    "storage": {"trouble": None},
    "vault": {"words": False},
    "did_error": None,
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"vault": {"words": True}}, ["twelve words"]),
        ({"endpoints": []}, ["You have no node"]),
        ({"endpoints": [], "did_error": "not known now"}, []),
        ({"endpoints": [{**NODE, "refused": 2}], "keys": [NODE]}, ["2 messages were refused"]),
        (
            {"endpoints": [{**NODE, "refused": 3, "last_error": {"code": 507, "detail": ""}}]},
            ["dwn.example has no room"],
        ),
        ({"endpoints": [{**NODE, "registration": {"state": "terms"}}]}, ["asks for your consent"]),
        ({"endpoints": [{**NODE, "registration": {"state": "invitation"}}]}, ["asks for an invitation"]),
        ({"storage": {"trouble": "full"}}, ["does not store"]),
    ],
)
def test_what_needs_the_person_is_said_and_nothing_else(changes: Any, said: list[str]) -> None:
    found = home_words.needs({**STATE, **changes}, 0)
    assert len(found) == len(said)
    for (_, text, label, address), part in zip(found, said, strict=True):
        assert part in text and label and address in ("nodes", "settings", "messages")


def test_requests_of_people_are_counted() -> None:
    assert home_words.needs(STATE, 1)[0][1] == "1 person wants to write to you."
    assert home_words.needs(STATE, 2)[0][1] == "2 people want to write to you."


def test_the_first_steps_end_when_all_are_taken() -> None:
    steps = home_words.steps(True, False, False, {"words": True})
    assert [step[0] for step in steps] == [True, False, False, False]
    assert "another computer" in steps[2][1]
    assert home_words.steps(True, True, False, {"words": False}) != []
    assert home_words.steps(True, True, True, {"words": False}) == []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# Boats\n\nat *seven*", "Boats at *seven*"),
        ("", "An empty note"),
        ("x" * 500, "x" * 120),
        ("![the pier](https://dweb/did:dht:abc/records/bafy) at dawn", "the pier at dawn"),
        ("what![a", "what![a"),
    ],
)
def test_a_note_is_one_line(text: str, line: str) -> None:
    assert home_words.first_line(text) == line


def test_a_message_says_whose_it_is() -> None:
    entry = {"name": "Bob", "did": "did:example:bob", "text": "one\ntwo", "mine": False}
    assert home_words.message(entry) == "Bob: one two"
    assert home_words.message({**entry, "mine": True}) == "Bob: you: one two"
    assert home_words.message({**entry, "text": "", "file": "sea.png"}) == "Bob: sea.png"
