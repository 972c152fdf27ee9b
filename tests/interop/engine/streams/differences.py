"""The differences that are intended, each under the heading that it has in docs/differences.md."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from tests.interop.engine.streams.authoring import author_named, signer_of
from tests.interop.engine.streams.step import Message, Step
from web5.crypto.encoding import b64url_decode
from web5.dwn.values.cid import data_cid
from web5.dwn.values.contexts import is_within
from web5.dwn.values.javascript import MAX_DEPTH
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

NOT_COVERED = (
    "400 RecordsWriteValidateIntegrityAttestationMismatch",
    "400 RecordsWriteValidateIntegrityEncryptionCidMismatch",
)
OTHER_DELEGATION = tuple(
    f"400 RecordsAuthorDelegatedGrant{what}"
    for what in (
        *("AndIdExistenceMismatch", "CidMismatch", "NotADelegatedGrant"),
        "GrantedToAndOwnerSignatureMismatch",
    )
)
NARROWED = (
    "401 RecordsGrantAuthorizationScopeContextIdMismatch",
    "401 RecordsGrantAuthorizationScopeProtocolPathMismatch",
)
LATER = ("200 OK", "400", "401 ", "404", "409")
"""What comes of a question, or is asked later than the narrowness of a grant."""

SEVERAL = "400 RecordsReadReturnedMultiple"


def stored(answer: Comparable) -> bool:
    return answer[0].startswith(("202", "204"))


def signer_named(message: Message) -> str | None:
    """Who signed a message, or says to have; None where nobody did, or it cannot be read."""
    try:
        return signer_of(message["authorization"])
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, CryptoError):
        return None


def explained(step: Step, ours: Comparable, theirs: Comparable) -> str | None:
    """The heading of the difference, if it is an intended one."""
    for name, fits in EXPLAINED.items():
        with contextlib.suppress(AttributeError, KeyError, TypeError):  # the message has another shape
            if fits(step, ours, theirs):
                return name
    return None


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
        and ("authorization" not in step.message or author_named(step.message["authorization"]) != step.tenant)
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


def _unsigned_part(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    """Something is added to a message, taken from it, or taken for another, that no signature is over."""
    if ours[0] in OTHER_DELEGATION:
        return step.message["descriptor"]["method"] == "Configure" and stored(theirs)
    if ours[0] == "400 SchemaValidatorAdditionalPropertyNotAllowed":
        return any(entry.keys() - {"protected", "signature"} for entry in _signature_entries(step.message))
    if ours[0] not in NOT_COVERED or not stored(theirs):
        return False
    claims = _claims(step.message)
    return any(name in step.message and f"{name}Cid" not in claims for name in ("attestation", "encryption"))


def _nothing_new(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[0] == "409" and stored(theirs) and step.message["descriptor"]["method"] in ("Write", "Configure")


def _without_data_again(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    descriptor = step.message["descriptor"]
    return (
        ours[0] == "409"
        and theirs[0] == "204 No Content"
        and step.data is None
        and descriptor["messageTimestamp"] == descriptor["dateCreated"]
    )


def _attester(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return ours[0].startswith("401 ") and stored(theirs) and "attestation" in step.message


def _unseen(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    """The reference tells that there is something, or several; or we tell that the grant does not hold first."""
    descriptor = step.message["descriptor"]
    if descriptor["method"] != "Read" or signer_named(step.message) == step.tenant:
        return False
    if descriptor["interface"] == "Messages":
        # Of a grant that was updated, the reference looks for data that it has no more: a 401 without a code.
        return (ours[0] == "404" and (theirs[0] == "401" or theirs[0].startswith("401 Messages"))) or (
            ours[0].startswith("401 GrantAuthorization") and theirs[0] == "404"
        )
    return (
        descriptor["filter"].keys() != {"recordId"}
        and ours[0] in ("404", "200 OK", SEVERAL)
        and (theirs[0].startswith("401 ") or theirs[0] == SEVERAL)
    )


def outside(message: Message, event: Message) -> bool:
    """Whether an event is outside of the context that a subscription of a stranger's asks for, by whole segments."""
    context = message["descriptor"].get("filter", {}).get("contextId")
    written = event.get("initialWrite", event["message"])
    return bool(context) and not is_within(written.get("contextId"), context)


def _whole_segments(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    descriptor = step.message["descriptor"]
    if descriptor["interface"] != "Records":
        return False
    if ours[0] == "401 RecordsGrantAuthorizationScopeContextIdMismatch":
        return stored(theirs) or theirs[0].startswith(LATER)
    context = descriptor.get("filter", {}).get("contextId")
    if not context or signer_named(step.message) == step.tenant:
        return False
    if descriptor["method"] == "Query" and ours[0] == theirs[0] == "200 OK":
        return any(not is_within(entry.get("contextId"), context) for entry in theirs[1]["entries"])
    entry = theirs[1].get("entry", {})
    found = entry.get("recordsWrite") or entry.get("initialWrite")
    return ours[0] == "404" and found is not None and not is_within(found.get("contextId"), context)


def _narrow_grant(step: Step, ours: Comparable, theirs: Comparable) -> bool:
    return (
        ours[0] in NARROWED
        and step.message["descriptor"]["method"] in ("Query", "Subscribe", "Delete")
        and (stored(theirs) or theirs[0].startswith(LATER))
    )


EXPLAINED: dict[str, Fits] = {
    "All that is in a message is signed": _unsigned_part,
    "A write without data takes no data away": _without_data_again,
    "A message says something new": _nothing_new,
    "Attesters have signed": _attester,
    "What one may not see does not exist": _unseen,
    "Contexts are whole segments": _whole_segments,
    "Grants narrow every method": _narrow_grant,
    "A delegated grant is what its grantor signed": _false_grant,
    "A grant for one protocol does not open the whole log": _whole_log,
    "Questions about what one may not see": _hidden,
    "Events carry no data": _event_with_data,
    "Sorting by publication shows strangers what they may see": _sorted_by_publication,
    "Malformed signatures have an error code": _malformed_signature,
    "Deeply nested messages": _deep,
}


def _signature_entries(value: Any) -> list[Message]:
    found: list[Message] = []
    for part in _parts(value):
        found += _signature_entries(part)
    entries = value.get("signatures") if isinstance(value, dict) else None
    return found + [entry for entry in _parts(entries) if isinstance(entry, dict)]


def _claims(message: Message) -> Message:
    claims: Message = json.loads(b64url_decode(message["authorization"]["signature"]["payload"]))
    return claims


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
