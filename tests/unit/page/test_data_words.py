"""What the page says of records, messages and grants."""

from __future__ import annotations

from typing import Any

import pytest

from web.ui.screens.data import data_words

ME = {"did": "did:dht:abcdefghijklmnopqrstuvwxyz", "name": "Alice", "me": True}
BOB = {"did": "did:dht:abcdefghijklmnopqrstuvwxyz", "name": "", "me": False}
ROW: dict[str, Any] = {
    "kind": "RecordsWrite", "excerpt": "", "path": "", "format": "text/plain", "size": 12, "schema": "", "protocol": "",
    "author": ME, "encrypted": False, "published": False, "waiting": "",
}  # fmt: skip
DAY = 86_400_000


@pytest.mark.parametrize(
    ("changes", "what", "about"),
    [
        ({}, "Text · 12 bytes", "You · in no protocol"),
        ({"excerpt": "Buy bread"}, "Buy bread", "Text · 12 bytes · You · in no protocol"),
        ({"format": "image/png", "size": 3_400_000}, "image/png · 3 MB", "You · in no protocol"),
        ({"author": BOB}, "Text · 12 bytes", "dht:abcdefg…vwxyz · in no protocol"),
        (
            {"path": "album/photo", "protocol": "https://p.example/albums/", "encrypted": True},
            "album/photo · 12 bytes",
            "You · in p.example/albums · encrypted",
        ),
        ({"kind": "RecordsDelete", "size": None}, "A record was deleted", "You"),
        ({"kind": "ProtocolsConfigure", "protocol": "https://p.example"}, "Protocol p.example", "You"),
    ],
)  # fmt: skip
def test_a_row_says_what_it_is_and_whose(changes: Any, what: str, about: str) -> None:
    row = {**ROW, **changes}
    assert (data_words.what(row), data_words.about(row).replace("did:", "")) == (what, about)


@pytest.mark.parametrize(
    ("states", "tone"),
    [(["ok", "ok"], "good"), (["ok", "unknown"], "warn"), (["unknown", "failed"], "bad"), (["ok", "large"], "good")],
)
def test_the_verdict_is_the_worst_that_was_found(states: list[str], tone: str) -> None:
    assert data_words.verdict([{"state": state} for state in states])[0] == tone


def test_every_check_and_state_has_words() -> None:
    for subject in ("messageCid", "claims", "signatures", "data"):
        for state in ("ok", "failed"):
            assert data_words.check({"subject": subject, "state": state})[1] != subject


def _grant(permission: str, **changes: Any) -> dict[str, Any]:
    return {
        "permission": permission, "protocol": "https://p.example", "within": "", "state": "holds", "until": 100 * DAY,
        "description": "", **changes,
    }  # fmt: skip


def test_grants_are_one_line_for_each_protocol_and_end() -> None:
    given = [
        _grant("read"),
        _grant("sync"),
        _grant("write"),
        _grant("read", until=103 * DAY),
        _grant("sync", state="revoked"),
    ]
    assert data_words.access(given, 97 * DAY) == [
        ("warn", "May read and write in p.example, for 3 days more"),
        ("warn", "May read in p.example, for 6 days more"),
        (None, "Taken away: sync in p.example"),
    ]
    [(tone, words)] = data_words.access([_grant("read", state="ended")], 101 * DAY)
    assert (tone, words) == (None, "Ended 1 day ago: read in p.example")


def test_an_app_has_the_name_that_it_gave_itself() -> None:
    assert data_words.app_title({"did": ME["did"], "grants": [_grant("read", description="Frame")]}) == "Frame"
    assert data_words.app_title({"did": ME["did"], "grants": [_grant("read")]}).startswith("did:dht:")


def test_what_a_request_installs_is_said_with_its_rules() -> None:
    anybody = {"who": "anyone", "of": "", "by_role": False, "can": ["create"]}
    path = {"path": "note", "role": False, "actions": [anybody]}
    assert "note: anybody may write" in data_words.installs({"installs": [path]})
    assert data_words.installs({"installs": []}) == ""
