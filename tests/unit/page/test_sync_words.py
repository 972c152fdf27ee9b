"""The words of sync: the nodes, and what waits for them."""

from __future__ import annotations

from typing import Any

import pytest

from web.ui import sync_words, words


def registration(**changes: Any) -> dict[str, Any]:
    usual = {"state": "not needed", "terms_hash": None, "hashes": None, "tried": 0, "rate": 0, "reason": None}
    return {**usual, **changes}


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
        "registration": registration(),
    }
    return {**usual, **changes}


REFUSED = {"last_error": {"code": 401, "detail": "Not a registered tenant."}}


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
    assert sync_words.interval(interval) == said


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
        ([node(), node(registration=registration(state="terms"), **REFUSED)], False, "warn", "1 of 2 asks you"),
        ([node(registration=registration(state="work"))] * 2, False, "warn", "2 of 2 ask you"),
        ([node(), node(registration=registration(state="failed"), **REFUSED)], False, "bad", "1 of 2 refuses"),
        ([node(**REFUSED), node(**REFUSED)], False, "bad", "2 of 2 refuse"),
        ([node(), node(activity="failing", last_error={"code": 0, "detail": "No."})], False, "warn", "1 of 2 fails"),
        ([node(activity="blocked")], False, "warn", "1 of 1 fails"),
    ],
)
def test_the_summary_tells_the_worst(nodes: list[dict[str, Any]], syncing: bool, tone: str | None, said: str) -> None:
    assert sync_words.summary(nodes, syncing) == (tone, said)


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
        (node(activity="failing"), None, "warn", "Reachable, but the last sync failed"),
        (node(registration=registration(state="terms"), **REFUSED), None, "warn", "Asks for your consent"),
        (node(registration=registration(state="invitation"), **REFUSED), None, "warn", "Asks for an invitation"),
        (node(registration=registration(state="work"), reachable=None), None, "warn", "Asks for your consent"),
        (node(registration=registration(state="terms"), reachable=False), None, "bad", "Unreachable"),
        (node(registration=registration(state="working"), activity="syncing"), None, "busy", "Registering"),
        (node(registration=registration(state="failed"), **REFUSED), None, "warn", "Reachable, but refuses"),
        (node(registration=registration(state="done")), None, "good", "Reachable"),
    ],
)
def test_the_state_of_a_node(one: dict[str, Any], seconds: float | None, tone: str | None, said: str) -> None:
    assert sync_words.node_state(one, seconds) == (tone, said)


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, ""),
        ({"state": "done"}, ""),
        ({"state": "terms"}, "This node asks you to agree to its terms before it keeps anything for you."),
        (
            {"state": "invitation"},
            "This node is for people who were invited. Enter the code that you were given.",
        ),
        ({"state": "invitation", "reason": "no"}, "That code was not taken: no"),
        (
            {"state": "invitation", "reason": "https://x does not register: InvitationCodeUsedUp: it is"},
            "This invitation was used up. Ask for another one.",
        ),
        ({"state": "failed", "reason": "it says no"}, "Could not register: it says no"),
        (
            {"state": "working", "hashes": 16_777_216, "tried": 4096},
            "Doing the work that this node asks for: 4,096 hashes so far, about 16 million hashes on average.",
        ),
        (
            {"state": "working", "hashes": 16_777_216, "tried": 2_500_000, "rate": 400_000},
            "Doing the work that this node asks for: 2 million hashes so far, about 16 million hashes on average, "
            "which takes 42 seconds here.",
        ),
    ],
)
def test_a_registration_in_words(found: dict[str, Any], said: str) -> None:
    assert sync_words.registration(registration(**found)) == said


def test_much_work_is_told_before_it_is_done() -> None:
    said = sync_words.registration(registration(state="work", hashes=2**30))
    assert "about 1,073 million hashes" in said and "busy" in said


def test_progress_and_news() -> None:
    assert sync_words.progress(1200, 10_000) == "1,200 of 10,000 messages"
    kinds = ("added", "removed", "refilled")
    told = [sync_words.news({"kind": kind, "endpoint": "http://a/x", "total": 3}) for kind in kinds]
    assert told[0] == "a/x is now one of your nodes."
    assert told[1] == "a/x is no longer one of your nodes."
    assert told[2] == "a/x had lost 3 messages; it gets them again."


def test_a_comparison_in_words() -> None:
    found = {"endpoint": "http://a", "both": 3, "only_here": 0, "only_there": 0, "mended": 0, "error": None}
    assert sync_words.difference(found) == "a: the same 3 messages"
    other = {**found, "only_here": 1, "only_there": 2, "mended": 3}
    assert sync_words.difference(other) == "a: 3 messages at both, 1 only here, 2 only there, being mended"
    down = {**found, "error": {"code": 0, "detail": "Unreachable: no"}}
    assert sync_words.difference(down) == "a: could not be asked (Unreachable: no)"


def test_what_a_node_shows_in_the_place_of_something_else_is_not_the_same() -> None:
    found = {"endpoint": "http://a", "both": 3, "only_here": 0, "only_there": 0, "mended": 0, "error": None}
    lost = sync_words.difference({**found, "displaced": 1, "keys": False})
    assert lost == "a: 3 messages at both, 1 record lost to another's copy"
    same = {**found, "displaced": 0, "keys": False}
    keys = {**same, "keys": True}
    assert sync_words.comparison([same, keys]) == "a: the same 3 messages"
    assert sync_words.comparison([same, {**keys, "only_here": 2}]).split("\n")[1] == (
        "a (your keys): 3 messages at both, 2 only here"
    )


def test_whoever_has_no_node_is_told_so() -> None:
    assert sync_words.summary([], False, "the gateway is down") == ("warn", "Nodes not known")
    assert sync_words.summary([node()], False, "the gateway is down") == ("warn", "Nodes not known")
    assert "not known now" in sync_words.nodes_unknown("the gateway is down")
    assert "this browser only" in sync_words.nodes_unknown(None)
    assert sync_words.kept([]) == "What you write is kept in this browser only."
    assert "copied to your remote nodes" in sync_words.kept([node()])


def test_a_note_says_who_does_not_have_it() -> None:
    waits = [{"endpoint": "a", "state": "pending"}, {"endpoint": "b", "state": "pending"}]
    assert sync_words.waiting(waits) == (None, "Waiting for 2 nodes")
    early = [*waits, {"endpoint": "c", "state": "early"}]
    assert sync_words.waiting(early) == ("warn", "Waits for its time: the clock was ahead")
    lost = [*early, {"endpoint": "c", "state": "displaced"}]
    assert sync_words.waiting(lost) == ("bad", "Lost by 1 node")
    assert sync_words.waiting([*lost, {"endpoint": "c", "state": "refused"}]) == ("bad", "Refused by 1 node")


DID = "did:dht:i9xkp8ddcbcg8jwq54ox699wuzxyifsqx4jru45zodqu453ksz6y"


def test_a_note_that_was_sent_to_somebody_says_whose_node_does_not_have_it() -> None:
    bob = {"endpoint": "b", "state": "pending", "target": DID}
    assert sync_words.waiting([bob]) == (None, "Waits for " + words.short_did(DID) + "'s node")
    assert sync_words.waiting([bob, {**bob, "state": "refused"}])[1].startswith("Refused by did:dht:i9xkp8d…")
    assert sync_words.waiting([bob, {**bob, "target": "did:jwk:x"}]) == (None, "Waits for the nodes of 2")
    assert sync_words.waiting([{"endpoint": "a", "state": "pending"}, bob]) == (None, "Waiting for 1 node")


def test_the_last_node_is_removed_with_a_warning() -> None:
    assert "bring nothing back" in sync_words.node_removal(is_last=True)
    assert "bring nothing back" not in sync_words.node_removal(is_last=False)


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        ([None], ""),
        ([0], ""),
        ([60, -60], ""),
        (
            [7200],
            "This device's clock is 2 hours ahead of your node's. Set it right: what you write now may reach your other"
            " devices only when its time has come.",
        ),
        (
            [-7200, -7201, None],
            "This device's clock is 2 hours behind your nodes'. Set it right: what you write now counts as older than"
            " it is.",
        ),
        ([300, 0], "The clock of a0.example is 5 minutes behind this device's."),
        ([0, -86400], "The clock of a1.example is 1 day ahead of this device's."),
    ],
)
def test_clocks(ahead: list[int | None], said: str) -> None:
    nodes = [node(endpoint=f"https://a{at}.example", clock_ahead=one) for at, one in enumerate(ahead)]
    assert sync_words.clocks(nodes) == said


def test_a_node_that_waits_for_the_person_is_a_trouble() -> None:
    assert not sync_words.troubles(node())
    assert not sync_words.troubles(node(reachable=False))
    assert sync_words.troubles(node(refused=1))
    assert sync_words.troubles(node(registration=registration(state="terms", terms_hash="x")))
