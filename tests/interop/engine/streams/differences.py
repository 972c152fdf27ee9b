"""The differences that are intended, each under the heading that it has in docs/differences.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .step import Message, Step

Comparable = tuple[str, dict[str, Any], list[Any]]

EXPLAINED: dict[str, Callable[[Step, Comparable, Comparable], bool]] = {
    "Malformed signatures have an error code": lambda step, ours, theirs: (
        ours[0] == "401 GeneralJwsVerifierInvalidSignature" and theirs[0] == "401"
    ),
    "Deeply nested messages": lambda step, ours, theirs: (
        ours[0] == "400" and theirs[0].startswith("400") and _depth(step.message) > DEPTH_LIMIT
    ),
    "Events carry no data": lambda step, ours, theirs: (
        ours[:2] == theirs[:2] and ours[2] == [_without_data(event) for event in theirs[2]]
    ),
    "A grant for one protocol does not open the whole log": lambda step, ours, theirs: (
        ours[0] == "401 MessagesGrantAuthorizationMismatchedProtocol"
        and theirs[0] == "200 OK"
        and step.message["descriptor"]["filters"] == []
    ),
}

DEPTH_LIMIT = 100


def _depth(value: Any) -> int:
    level, depth = [value], 0
    while level:
        level = [
            item
            for one in level
            for item in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
        ]
        depth += 1
    return depth


def _without_data(event: tuple[int, Message]) -> tuple[int, Message]:
    """The event, without the data of its record's initial write."""
    number, told = event
    if "initialWrite" not in told:
        return event
    initial = {name: value for name, value in told["initialWrite"].items() if name != "encodedData"}
    return number, {**told, "initialWrite": initial}


def explained(step: Step, ours: Comparable, theirs: Comparable) -> str | None:
    """The heading of the difference, if it is an intended one."""
    return next((name for name, fits in EXPLAINED.items() if fits(step, ours, theirs)), None)
