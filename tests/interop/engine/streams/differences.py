"""The differences that are intended, each under the heading that it has in docs/differences.md."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.dwn.cid import data_cid
from web5.dwn.javascript import MAX_DEPTH

from .authoring import author_of
from .step import Message, Step

Comparable = tuple[str, dict[str, Any], list[Any]]

EXPLAINED: dict[str, Callable[[Step, Comparable, Comparable], bool]] = {
    "Malformed signatures have an error code": lambda step, ours, theirs: (
        ours[0] == "401 GeneralJwsVerifierInvalidSignature" and theirs[0] == "401"
    ),
    "Sorting by publication shows strangers what they may see": lambda step, ours, theirs: (
        ours[0] == theirs[0] == "200 OK"
        and step.message["descriptor"].get("dateSort", "").startswith("published")
        and step.made is not None
        and step.made.signer.did != step.tenant
        and theirs[1] == {"entries": []}
    ),
    "Questions about what one may not see": lambda step, ours, theirs: (
        ours[0] == theirs[0] == "200 OK" and asks_for_the_hidden(step) and ours[1] == {"entries": []}
    ),
    "Deeply nested messages": lambda step, ours, theirs: (
        ours[0] == "400" and theirs[0].startswith("400") and _depth(step.message) > MAX_DEPTH
    ),
    "A delegated grant is what its grantor signed": lambda step, ours, theirs: (
        ours[0] in NOT_GENUINE and theirs[0].startswith(("400", "401")) and _has_false_grant(step.message)
    ),
    "Events carry no data": lambda step, ours, theirs: (
        ours[:2] == theirs[:2] and ours[2] == [_without_data(event) for event in theirs[2]]
    ),
    "A grant for one protocol does not open the whole log": lambda step, ours, theirs: (
        ours[0] == "401 EventsGrantAuthorizationMismatchedProtocol"
        and theirs[0] == "200 OK"
        and step.message["descriptor"]["filters"] == []
    ),
}


def asks_for_the_hidden(step: Step) -> bool:
    """A question of a stranger's for what is not published, and neither by nor for the stranger."""
    if step.made is None or step.message["descriptor"]["interface"] != "Records":
        return False
    author, filter = author_of(step.made), step.message["descriptor"].get("filter", {})
    return (
        author != step.tenant
        and filter.get("published") is False
        and "protocolRole" not in step.made.claims
        and all(author not in (filter.get(name) or [author]) for name in ("author", "recipient"))
    )


NOT_GENUINE = frozenset(
    f"{status} Records{whose}DelegatedGrant{what}"
    for status in (400, 401)
    for whose in ("Author", "Owner")
    for what in ("CidMismatch", "NotADelegatedGrant")
)


def _has_false_grant(message: Message) -> bool:
    """A delegated grant whose data are not those of its data CID, or that is no record of a grant."""
    for name in ("authorDelegatedGrant", "ownerDelegatedGrant"):
        grant = message["authorization"].get(name)
        if grant is None:
            continue
        descriptor = grant["descriptor"]
        place = descriptor.get("protocol"), descriptor.get("protocolPath")
        if place != ("https://tbd.website/dwn/permissions", "grant"):
            return True
        if data_cid(b64url_decode(grant["encodedData"])) != descriptor["dataCid"]:
            return True
    return False


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
