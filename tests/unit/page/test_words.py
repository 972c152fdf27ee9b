"""What the page says, which needs no page."""

from __future__ import annotations

import pytest

from web.ui import problems, words
from web.ui.screens.settings.keys import key_words


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "just now"),
        (5, "5 seconds ago"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (172_800, "2 days ago"),
        (40 * 86400, "1 month ago"),
        (800 * 86400, "2 years ago"),
        (-30, "just now"),
        (-7200, "2 hours ahead"),
    ],
)
def test_ago(seconds: float, said: str) -> None:
    assert words.ago(seconds) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0 messages"), (1, "1 message"), (1000, "1,000 messages"), (12_345_678, "12,345,678 messages")],
)
def test_a_number_of_messages(number: int, said: str) -> None:
    assert words.number_of_messages(number) == said


def test_short_did() -> None:
    did = "did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"
    assert words.short_did(did) == "did:dht:i9xkp8d…ksz6y"
    assert words.short_did("did:web:example.org") == "did:web:example.org"


def test_a_first_launch_that_waits_says_for_what() -> None:
    assert "its settings cannot be fetched" in words.no_settings(1) and "Tried 1 time;" in words.no_settings(1)
    assert "SettingsError" in problems._PROBLEMS


def test_what_is_fetched_is_told_in_bytes() -> None:
    assert words.loaded(0, 9_349_999) == "0.0 of 9.3 MB"
    assert words.loaded(3_250_000, 9_350_000) == "3.3 of 9.4 MB"
    assert words.loaded(9_350_000, 9_350_000) == ""
    assert "broken" in words.broken_line(1, 8) and "(try 1 of 7)" in words.broken_line(1, 8)


def test_what_is_not_published_is_told_of_identity_and_keys() -> None:
    assert "cannot find this identity" in words.publish_error("no", False)
    assert "your words find nothing" in key_words.publish_error("no", False)
    assert "your keys had before" in key_words.publish_error("no", True)
    assert words.publish_error(None, False) == key_words.publish_error(None, False) == ""


def test_an_error_that_has_no_words_speaks_for_itself() -> None:
    title, advice = problems.problem("Unreachable", "fetch failed")
    assert title == "A remote could not be reached" and "safe" in advice
    assert problems.problem("Strange", "it is odd")[0] == "it is odd"
    assert problems.problem("Strange", "")[0]


def test_every_error_with_words_exists() -> None:
    from web5 import errors

    pages_own = {"InsecurePage", "Newer", "Quiet"}  # they are no errors of the worker's
    assert [kind for kind in problems._PROBLEMS if not hasattr(errors, kind) and kind not in pages_own] == []


def test_what_is_wrong_in_a_form_is_said_plainly() -> None:
    assert (
        problems.complaint("WrongPassword", "The vault does not open with this password.")
        == "That is not the password."
    )
    assert problems.complaint("RecoveryError", "Word 3 is none.") == "Word 3 is none."


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("400 RecordsWrite: no", "400 RecordsWrite: no"),
        ("<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"),
        ("a\0b\nc\x1bd", "a b c d"),
        ("\u202eetah\u202c\u2066x\u2069\u200f\u061c", "\ufffdetah\ufffd\ufffdx\ufffd\ufffd\ufffd"),
        ("x" * 100_000, "x" * 1000 + "\u2026"),
        ("\u05e9\u05dc\u05d5\u05dd", "\u05e9\u05dc\u05d5\u05dd"),
    ],
)
def test_other_peoples_words_stay_within_ours(text: str, shown: str) -> None:
    assert words.theirs(text) == shown
    assert words.code_and_detail({"code": 400, "detail": text}) == f"400 {shown}"
    assert words.did_error(text).endswith(f" {shown}")
    assert words.node_name(f"https://a/{text}").startswith("a/")


@pytest.mark.parametrize(
    ("path", "shared"),
    [("/", False), ("/index.html", False), ("/notes/", True), ("/notes/index.html", True), ("/a/b%20c/", True)],
)
def test_a_page_below_the_root_says_that_it_shares_its_origin(path: str, shared: bool) -> None:
    assert ("This page shares example.org" in words.shared_origin("example.org", path)) is shared


@pytest.mark.parametrize("seconds", [-90, 0, 5, 59.5, 61, 3599, 3601, 90_000, 40 * 86400, 800 * 86400])
def test_what_ago_writes_stays_true_for_as_long_as_it_says(seconds: float) -> None:
    lasting = words.true_for(seconds)
    assert lasting > 0
    if seconds >= 60:
        assert words.ago(seconds + lasting - 0.01) == words.ago(seconds)
