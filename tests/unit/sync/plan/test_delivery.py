"""The rules of deliveries: what replaces what, what is theirs to mend, what is refused for good."""

from __future__ import annotations

import pytest

from web5.dwn.values.types import Message
from web5.errors import DidError
from web5.sync.plan.delivery import as_theirs, may_be_there_later, replaces
from web5.sync.plan.policy import RULES, classify, classify_error

BOB = "did:dht:bob"


def write(date: str, created: str) -> Message:
    descriptor = {"interface": "Records", "method": "Write", "messageTimestamp": date, "dateCreated": created}
    return {"recordId": "r", "descriptor": descriptor}


FIRST, SECOND, THIRD = write("1", "1"), write("2", "1"), write("3", "1")
DELETE: Message = {"descriptor": {"interface": "Records", "method": "Delete", "messageTimestamp": "4", "recordId": "r"}}


@pytest.mark.parametrize(
    ("newer", "older", "carries_initial", "so"),
    [
        (THIRD, SECOND, False, True),
        (SECOND, THIRD, False, False),
        (SECOND, SECOND, True, False),
        (DELETE, THIRD, False, True),
        (THIRD, FIRST, True, True),
        (THIRD, FIRST, False, False),
        (DELETE, FIRST, False, False),
    ],
)
def test_the_newest_state_is_enough_and_the_initial_write(
    newer: Message, older: Message, carries_initial: bool, so: bool
) -> None:
    assert replaces(newer, older, carries_initial=carries_initial) is so


@pytest.mark.parametrize(
    ("code", "detail", "waits_for", "begins"),
    [
        (400, "ProtocolAuthorizationProtocolNotFound: x", "protocol:p", f"the node of {BOB} lacks protocol p: "),
        (401, "ProtocolAuthorizationMatchingRoleRecordNotFound: x", "role:p r", f"the node of {BOB} lacks role p r: "),
        (401, "ProtocolAuthorizationActionNotAllowed: x", "protocol:p", f"the node of {BOB} does not allow it"),
        (401, "Not a registered tenant.", None, f"{BOB} is not registered with its node: "),
        (400, "TimestampAhead: x", "time:2030", "TimestampAhead"),
        (400, "Bad: x", None, "Bad: x"),
        (0, "Unreachable: connection refused", None, "Unreachable"),
        (0, "waits for the earlier message of the same record", "record:r", "waits for the earlier message"),
    ],
)
def test_a_lack_of_theirs_is_said_as_theirs(code: int, detail: str, waits_for: str | None, begins: str) -> None:
    said = as_theirs(BOB, code, detail, waits_for)
    assert said.startswith(begins) and said.endswith(detail)


@pytest.mark.parametrize(
    ("code", "detail", "for_good"),
    [
        (400, "Bad: x", True),
        (401, "RecordsWriteAuthorizationFailed: x", True),
        (401, "ProtocolAuthorizationActionNotAllowed: x", True),
        (413, "too large", True),
        (400, "ProtocolAuthorizationProtocolNotFound: x", False),
        (401, "Not a registered tenant.", False),
        (401, "TimestampOutsideWindow: x", False),
        (429, "slow down", False),
        (500, "broken", False),
        (507, "full", False),
        (202, "", False),
    ],
)
def test_what_waiting_does_not_mend(code: int, detail: str, for_good: bool) -> None:
    assert classify({"status": {"code": code, "detail": detail}}).is_for_good is for_good


def test_no_failure_without_an_answer_is_for_good() -> None:
    assert not classify_error(DidError("internalError", "no gateway")).is_for_good
    assert all(rule.outcome.state is not None for rule in RULES if rule.outcome.is_for_good)


def test_only_a_source_that_fails_may_know_the_did_later() -> None:
    assert may_be_there_later(DidError("internalError", "no gateway"))
    assert not any(may_be_there_later(DidError(code, "")) for code in ("notFound", "invalidDid", "methodNotSupported"))
