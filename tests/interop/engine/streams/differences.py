"""The differences that are intended, each under the heading that it has in docs/differences.md."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams.authoring import author_named
from tests.interop.engine.streams.step import Message, Step
from web5.crypto.encoding import b64url_decode
from web5.dwn.cid import data_cid
from web5.dwn.javascript import MAX_DEPTH
from web5.errors import CryptoError

Comparable = tuple[str, dict[str, Any], list[Any]]
"""The status with its code, the rest of the reply, and the events."""

Fits = Callable[[Step, Comparable, Comparable], bool]
"""Whether the answers, ours and the reference's, differ in just this way."""

NOT_GENUINE = tuple(
    f"{status} Records{whose}DelegatedGrant{what}"
    for status in (400, 401)
    for whose in ("Author", "Owner")
    for what in ("CidMismatch", "NotADelegatedGrant")
)


def explained(step: Step, ours: Comparable, theirs: Comparable) -> str | None:
    """The heading of the difference, if it is an intended one."""
    return next((name for name, fits in EXPLAINED.items() if fits(step, ours, theirs)), None)


def asks_for_the_hidden(step: Step) -> bool:
    """A question of a stranger's for what is not published, and neither by nor for the stranger."""
    try:
        descriptor, authorization = step.message["descriptor"], step.message["authorization"]
        filter = descriptor["filter"]
        if descriptor["interface"] != "Records" or filter.get("published") is not False:
            return False
        author = author_named(authorization)
        payload = json.loads(b64url_decode(authorization["signature"]["payload"]))
        named = [filter.get("author") or [author], filter.get("recipient") or [author]]
        return author != step.tenant and "protocolRole" not in payload and all(author not in one for one in named)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, CryptoError):
        return False  # It is no such question, or not signed.


def _malformed_signature(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[0] == "401 GeneralJwsVerifierInvalidSignature" and theirs[0] == "401"


def _sorted_by_publication(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return (
        ours[0] == theirs[0] == "200 OK"
        and step.message["descriptor"].get("dateSort", "").startswith("published")
        and author_named(step.message["authorization"]) != step.tenant
        and theirs[1] == {"entries": []}
    )


def _hidden(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[0] == theirs[0] == "200 OK" and asks_for_the_hidden(step) and ours[1] == {"entries": []}


def _deep(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[0] == "400" and theirs[0].startswith("400") and _depth(step.message) > MAX_DEPTH


def _false_grant(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[0] in NOT_GENUINE and theirs[0].startswith(("400", "401")) and _has_false_grant(step.message)


def _event_with_data(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[:2] == theirs[:2] and ours[2] == [_without_data(event) for event in theirs[2]]


def _whole_log(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return (
        ours[0] == "401 EventsGrantAuthorizationMismatchedProtocol"
        and theirs[0] == "200 OK"
        and step.message["descriptor"]["filters"] == []
    )


EXPLAINED: dict[str, Fits] = {
    "A delegated grant is what its grantor signed": _false_grant,
    "A grant for one protocol does not open the whole log": _whole_log,
    "Questions about what one may not see": _hidden,
    "Events carry no data": _event_with_data,
    "Sorting by publication shows strangers what they may see": _sorted_by_publication,
    "Malformed signatures have an error code": _malformed_signature,
    "Deeply nested messages": _deep,
}


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
        level = [item for one in level for item in _parts(one)]
        depth += 1
    return depth


def _parts(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _without_data(event: tuple[int, Message]) -> tuple[int, Message]:
    """The event, without the data of its record's initial write."""
    number, told = event
    if "initialWrite" not in told:
        return event
    initial = {name: value for name, value in told["initialWrite"].items() if name != "encodedData"}
    return number, {**told, "initialWrite": initial}
