"""The page's events: what the worker posts comes through, and nothing else that a page of the origin may post."""

from __future__ import annotations

import json
from typing import Any

import pytest

from web.ui.events import MAX_LENGTH, parse

SPAN = {"done": 1, "total": 2}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "boot", "step": "runtime", "done": 0, "total": 30_000_000},
        {"type": "leading"},
        {"type": "changed", "what": []},
        {"type": "changed", "what": ["notes", "state"], "progress": SPAN},
        {"type": "changed", "what": [], "files": [{"key": "a", **SPAN}]},
        {"type": "changed", "what": [], "flows": [{"endpoint": "https://a", "direction": "push", **SPAN}]},
        {"type": "changed", "what": [], "move": {"fill": SPAN, "leave": SPAN}},
        {"type": "changed", "what": ["state"], "recovery": {"agent": SPAN, "records": SPAN}},
        {"type": "changed", "what": ["state"], "news": [{"kind": "refilled", "endpoint": "https://a", "total": 3}]},
    ],
)
def test_what_the_worker_posts_comes_through(event: dict[str, Any]) -> None:
    assert parse(json.dumps(event)) == event


@pytest.mark.parametrize(
    "data",
    [
        None,
        3,
        {"type": "leading"},
        "",
        "{",
        "null",
        "[]",
        '"leading"',
        "{}",
        '{"type": []}',
        '{"type": "parse"}',
        '{"type": "boot", "step": "runtime"}',
        '{"type": "boot", "step": "runtime", "done": "1", "total": 2}',
        '{"type": "boot", "step": "runtime", "done": 1e999, "total": 2}',
        '{"type": "boot", "step": "runtime", "done": true, "total": 2}',
        '{"type": "boot", "step": "runtime", "done": -1, "total": 2}',
        '{"type": "boot", "step": {}, "done": 1, "total": 2}',
        '{"type": "changed"}',
        '{"type": "changed", "what": 3}',
        '{"type": "changed", "what": [], "progress": []}',
        '{"type": "changed", "what": [], "recovery": {"agent": 1}}',
        '{"type": "changed", "what": [], "news": {"kind": "added"}}',
        '{"type": "changed", "what": [], "move": {"fill": 1}}',
        json.dumps({"type": "changed", "what": [], "flows": [{"endpoint": "", "direction": "both", **SPAN}]}),
        json.dumps({"type": "changed", "what": [], "flows": [{"endpoint": {}, "direction": "push", **SPAN}]}),
        '{"type": "changed", "what": [], "news": [{"kind": "gone", "endpoint": "", "total": 0}]}',
        '{"type": "changed", "what": [], "news": [{"kind": "added", "endpoint": {}, "total": 0}]}',
        json.dumps({"type": "changed", "what": [], "news": [{"kind": "added", "endpoint": "x" * 9_999, "total": 0}]}),
        '{"type": "changed", "what": ' + "[" * 90_000,
        json.dumps({"type": "leading", "more": "x" * MAX_LENGTH}),
    ],
)
def test_what_is_no_event_of_ours_is_none(data: Any) -> None:
    assert parse(data) is None


def test_members_that_are_not_known_are_left_out() -> None:
    event = {"type": "changed", "what": ["notes", "keys"], "recovery": {"agent": SPAN, "more": SPAN}, "more": 1}
    assert parse(json.dumps(event)) == {"type": "changed", "what": ["notes"], "recovery": {"agent": SPAN}}
