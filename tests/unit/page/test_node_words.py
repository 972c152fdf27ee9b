"""What is said of nodes: what flows, what waits and why, a move, and the last hour."""

from __future__ import annotations

from typing import Any

import pytest

from web.ui.screens.nodes import hour_words, node_words

NODE: dict[str, Any] = {
    "pending_out": 2,
    "pending_in": 0,
    "reachable": True,
    "registration": {"state": "not needed"},
    "last_error": None,
    "activity": "live",
}
SPAN = {"done": 1, "total": 1}


def test_what_flows_is_said_with_n_of_m() -> None:
    assert node_words.flow("push", 3, 1200) == "Sending 3 of 1,200"
    assert node_words.flow("pull", 0, 1) == "Fetching 0 of 1"


@pytest.mark.parametrize(
    ("changes", "interval", "said"),
    [
        ({}, "live", "on its way"),
        ({}, "off", "Sync now"),
        ({"pending_out": 0}, "off", ""),
        ({"reachable": False}, "live", "does not answer"),
        ({"last_error": {"code": 507, "detail": "<html>"}}, "live", "does not take it now"),
        ({"activity": "failing"}, "live", "broke off"),
        ({"registration": {"state": "terms"}}, "live", "answered"),
        ({"registration": {"state": "working"}}, "live", "knows you"),
    ],
)
def test_why_something_waits_is_said_without_the_server_s_words(
    changes: dict[str, Any], interval: str, said: str
) -> None:
    told = node_words.waits({**NODE, **changes}, interval)
    assert said in told if said else told == ""
    assert "<" not in told


def test_each_step_of_a_move_is_shown_as_it_is() -> None:
    filling = {"fill": {"done": 3, "total": 10}}
    assert node_words.step("fill", filling) == ("busy", "The new node gets everything: 3 of 10 messages")
    assert node_words.step("compare", filling)[0] is None
    comparing = {"fill": SPAN, "compare": {"done": 0, "total": 1}}
    assert [node_words.step(name, comparing)[0] for name, _ in node_words.STEPS] == ["good", "busy", None, None]
    assert node_words.step("leave", {"leave": SPAN})[0] == "good"


def test_the_proof_counts_what_both_nodes_held() -> None:
    found = [{"both": 5, "keys": True}, {"both": 12, "keys": False}, {"both": 12, "keys": False}]
    assert "the same 12 messages, and your keys" in node_words.moved(found)


def test_the_hour_is_told_in_numbers_rows_and_bars() -> None:
    quiet = {name: [0] * 60 for name in ("sent", "fetched", "bytes", "delays")}
    assert hour_words.hour(quiet) == ("0 out, 0 in", "0 bytes", "none")
    assert hour_words.spans(quiet, 5) == []
    assert hour_words.bars(quiet["sent"], 240, 40) == ""
    told = {
        "sent": [0] * 58 + [1, 3],
        "fetched": [0] * 60,
        "bytes": [0] * 59 + [2_500],
        "delays": [0.0] * 59 + [0.34],
    }
    assert hour_words.hour(told) == ("4 out, 0 in", "2 kB", "0.3 s")
    assert hour_words.spans(told, 5) == [("5 to 0 minutes ago", "4", "0", "2 kB", "0.3 s")]
    assert hour_words.bars(told["sent"], 240, 40).count("z") == 2


@pytest.mark.parametrize(
    ("number", "said"), [(1, "1 byte"), (999, "999 bytes"), (1_000, "1 kB"), (2_340_000, "2.3 MB")]
)
def test_sizes_are_said_in_one_unit(number: int, said: str) -> None:
    assert hour_words.size(number) == said


def test_a_long_delay_is_said_in_minutes() -> None:
    assert hour_words.delay(9.96) == "10.0 s"
    assert hour_words.delay(120) == "2 minutes"


def test_other_tabs_are_counted() -> None:
    assert [node_words.tabs(number) for number in (0, 1, 2)] == ["", "and 1 other tab", "and 2 other tabs"]
