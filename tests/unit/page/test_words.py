"""What the page says, which needs no page."""

from __future__ import annotations

from typing import Any

import pytest

from web.ui import words


def node(**changes: Any) -> dict[str, Any]:
    usual = {
        "reachable": True,
        "last_error": None,
        "refused": 0,
        "pending_out": 0,
        "pending_in": 0,
        "last_success": 1,
        "activity": "idle",
        "rate": 0,
    }
    return {**usual, **changes}


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
    ],
)
def test_ago(seconds: float, said: str) -> None:
    assert words.ago(seconds) == said


@pytest.mark.parametrize(("number", "said"), [(0, "0 notes"), (1, "1 note"), (1000, "1,000 notes")])
def test_count(number: int, said: str) -> None:
    assert words.count(number, "note") == said


def test_count_of_millions() -> None:
    assert words.count(12_345_678, "message") == "12,345,678 messages"


def test_short_did() -> None:
    did = "did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"
    assert words.short_did(did) == "did:dht:i9xkp8d…ksz6y"
    assert words.short_did("did:web:example.org") == "did:web:example.org"


@pytest.mark.parametrize(
    ("interval", "said"),
    [
        ("2m", "Syncs every 2 minutes."),
        ("1 hour", "Syncs every hour."),
        ("30s", "Syncs every 30 seconds."),
        ("1.5 hours", "Syncs every 1.5 hours."),
        ("off", "Syncs only when you ask."),
        ("live", "Syncs at once."),
        ("2 weeks", "Syncs every 2 weeks."),
    ],
)
def test_interval(interval: str, said: str) -> None:
    assert words.interval(interval) == said


@pytest.mark.parametrize(
    ("nodes", "syncing", "tone", "said"),
    [
        ([node()], True, "busy", "Syncing"),
        ([], False, None, "Kept here only"),
        ([node(), node()], False, "good", "All synced"),
        ([node(), node(last_success=None)], False, None, "Not synced yet"),
        ([node(pending_out=2), node(pending_in=1)], False, "warn", "3 messages waiting"),
        ([node(), node(reachable=False, pending_out=4)], False, "warn", "1 of 2 unreachable"),
        ([node(reachable=False), node(reachable=False)], False, "bad", "No node reachable"),
        ([node(), node(last_error={"code": 401, "detail": "No."})], False, "bad", "1 of 2 refuses"),
        ([node(), node(reachable=False, last_error={"code": 0, "detail": "No."})], False, "warn", "1 of 2 unreachable"),
        ([node(refused=1), node(reachable=False)], False, "bad", "1 message refused"),
    ],
)
def test_the_summary_tells_the_worst(nodes: list[dict[str, Any]], syncing: bool, tone: str | None, said: str) -> None:
    assert words.summary(nodes, syncing) == (tone, said)


@pytest.mark.parametrize(
    ("one", "seconds", "tone", "said"),
    [
        (node(activity="live"), None, "good", "Live"),
        (node(), None, "good", "Reachable"),
        (node(reachable=None), None, None, "Not tried yet"),
        (node(activity="syncing", rate=20_000), None, "busy", "Syncing, 20 kB/s"),
        (node(activity="syncing", rate=2_340_000), None, "busy", "Syncing, 2.3 MB/s"),
        (node(activity="syncing"), None, "busy", "Syncing"),
        (node(reachable=False, activity="failing"), 11.3, "bad", "Unreachable, again in 12 seconds"),
        (node(reachable=False), None, "bad", "Unreachable"),
        (node(refused=1), None, "warn", "Reachable, but refuses"),
    ],
)
def test_the_state_of_a_node(one: dict[str, Any], seconds: float | None, tone: str | None, said: str) -> None:
    assert words.node_state(one, seconds) == (tone, said)


def test_progress_and_news() -> None:
    assert words.progress(1200, 10_000) == "1,200 of 10,000 messages"
    told = [
        words.news({"kind": kind, "endpoint": "http://a/x", "total": 3}) for kind in ("added", "removed", "refilled")
    ]
    assert told[0] == "a/x is now one of your nodes."
    assert told[1] == "a/x is no longer one of your nodes."
    assert told[2] == "a/x had lost 3 messages; it gets them again."


def test_a_comparison_in_words() -> None:
    found = {"endpoint": "http://a", "both": 3, "only_here": 0, "only_there": 0, "mended": 0, "error": None}
    assert words.difference(found) == "a: the same 3 messages"
    other = {**found, "only_here": 1, "only_there": 2, "mended": 3}
    assert words.difference(other) == "a: 3 messages at both, 1 only here, 2 only there, being mended"
    down = {**found, "error": {"code": 0, "detail": "Unreachable: no"}}
    assert words.difference(down) == "a: could not be asked (Unreachable: no)"


def test_a_note_says_who_does_not_have_it() -> None:
    waits = [{"endpoint": "a", "state": "pending"}, {"endpoint": "b", "state": "pending"}]
    assert words.waiting(waits) == (None, "Waiting for 2 nodes")
    assert words.waiting([*waits, {"endpoint": "c", "state": "refused"}]) == ("bad", "Refused by 1 node")


def test_an_error_that_has_no_words_speaks_for_itself() -> None:
    title, advice = words.problem("Unreachable", "fetch failed")
    assert title == "A remote could not be reached" and "safe" in advice
    assert words.problem("Strange", "it is odd")[0] == "it is odd"
    assert words.problem("Strange", "")[0]


def test_every_error_with_words_exists() -> None:
    from web5 import errors

    assert [kind for kind in words._PROBLEMS if not hasattr(errors, kind)] == []


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ({}, "Looking for what the words belong to…"),
        ({"agent": (0, 1)}, "Looking for what the words belong to…"),
        ({"agent": (1, 1)}, "Found. Fetching your identities…"),
        ({"agent": (1, 1), "identities": (1, 1)}, "1 identity: fetching their notes…"),
        ({"agent": (1, 1), "identities": (3, 3), "records": (120, 1300)}, "3 identities: 120 of 1,300 messages"),
    ],
)
def test_how_far_a_recovery_has_come(steps: dict[str, tuple[int, int]], said: str) -> None:
    assert words.recovery(_by_name(steps)) == said


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((300, 300), "2 identities, 300 messages: here again."),
        ((1, 2), "2 identities, 1 message: here again. Notes that are still missing come as soon as"),
        (None, "2 identities: here again. Notes that are still missing"),
    ],
)
def test_what_has_come_back(records: tuple[int, int] | None, said: str) -> None:
    steps = {"agent": (1, 1), "identities": (2, 2)} | ({"records": records} if records else {})
    assert words.recovered(_by_name(steps)).startswith(said)


def _by_name(steps: dict[str, tuple[int, int]]) -> dict[str, dict[str, int]]:
    return {name: {"done": done, "total": total} for name, (done, total) in steps.items()}


@pytest.mark.parametrize(
    ("has_password", "owes_words", "said"),
    [
        (False, True, "Your keys are protected by this browser only"),
        (False, False, "Your keys have no password"),
        (True, True, "Write down your twelve words"),
        (True, False, ""),
    ],
)
def test_the_invitation_ends_when_nothing_is_left_to_do(has_password: bool, owes_words: bool, said: str) -> None:
    title, text = words.invitation(has_password, owes_words)
    assert title == said
    assert bool(text) == bool(said)


def test_what_is_wrong_in_a_form_is_said_plainly() -> None:
    assert (
        words.complaint("WrongPassword", "The vault does not open with this password.") == "That is not the password."
    )
    assert words.complaint("RecoveryError", "Word 3 is none.") == "Word 3 is none."


def test_the_last_node_is_removed_with_a_warning() -> None:
    assert "bring nothing back" in words.node_removal(is_last=True)
    assert "bring nothing back" not in words.node_removal(is_last=False)
