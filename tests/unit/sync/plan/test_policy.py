from dataclasses import replace

import pytest

from web5.errors import BadReply, TimedOut, Unreachable
from web5.sync.plan.policy import (
    ERRORS,
    LONGEST,
    RULES,
    Backoff,
    classify,
    classify_error,
    node_failed,
)
from web5.sync.states import State


def reply(code: object, detail: str = "") -> dict[str, object]:
    return {"status": {"code": code, "detail": detail}}


@pytest.mark.parametrize(
    ("code", "detail", "method", "state", "ends_visit"),
    [
        (202, "Accepted", "Records.Write", None, False),
        (204, "No Content", "Records.Write", None, False),
        (409, "Conflict", "Records.Write", None, False),
        (409, "Conflict", "Records.Delete", None, False),
        (404, "Not Found", "Records.Delete", None, False),
        (404, "Not Found", "Records.Write", State.REFUSED, False),
        (200, "OK", "Records.Write", State.REFUSED, False),
        (401, "Not a registered tenant.", "Records.Write", State.BLOCKED, True),
        (401, "Agreed terms-of-service is outdated.", "Records.Write", State.BLOCKED, True),
        (401, "DID did:x is not an active tenant.", "Records.Write", State.BLOCKED, True),
        (401, "GeneralJwsVerifierInvalidSignature: no", "Records.Write", State.REFUSED, False),
        (400, "RecordsWriteGetInitialWriteNotFound: none", "Records.Write", State.WAITING, False),
        (400, "ProtocolAuthorizationProtocolNotFound: p", "Records.Write", State.WAITING, False),
        (401, "GrantAuthorizationGrantMissing: g", "Records.Write", State.WAITING, False),
        (400, "RecordsWriteNotAllowedAfterDelete: no", "Records.Write", State.REFUSED, False),
        (403, "", "Records.Write", State.REFUSED, False),
        (413, "", "Records.Write", State.BLOCKED, False),
        (429, "", "Records.Write", State.BLOCKED, True),
        (431, "HeaderTooLarge", "Records.Write", State.BLOCKED, False),
        (500, "", "Records.Write", State.REFUSED, False),
        (500, "TenantStorageQuotaExceeded: 1 GB", "Records.Write", State.BLOCKED, True),
        (500, "Internal error: TenantMessageQuotaExceeded", "Records.Write", State.BLOCKED, True),
        (403, "TenantMessageQuotaExceeded: 10", "Records.Write", State.BLOCKED, True),
        (400, "RecordDataSizeLimitExceeded: 1 MB", "Records.Write", State.BLOCKED, False),
        (507, "", "Records.Write", State.BLOCKED, True),
        (302, "", "Records.Write", State.REFUSED, False),
    ],
)
def test_the_table(code: int, detail: str, method: str, state: State | None, ends_visit: bool) -> None:
    interface, _, name = method.partition(".")
    outcome = classify(reply(code, detail), {"descriptor": {"interface": interface, "method": name}})
    assert (outcome.state, outcome.ends_visit, outcome.code) == (state, ends_visit, code)
    assert outcome.detail == detail or (not detail and outcome.detail == outcome.name)


@pytest.mark.parametrize(("code", "detail"), [(202, "Accepted"), (204, "No Content")])
def test_the_usual_words_mean_what_others_do(code: int, detail: str) -> None:
    assert classify(reply(code, detail)) == replace(classify(reply(code, "in other words")), detail=detail)


@pytest.mark.parametrize(
    "garbage",
    [
        {},
        {"status": None},
        {"status": {}},
        reply("202"),
        reply(True),
        reply(None),
        reply(0),
        reply(99),
        reply(600),
        reply(202.0),
        [],
        7,
    ],
)
def test_a_reply_without_a_status_is_never_a_success(garbage: object) -> None:
    outcome = classify(garbage)  # type: ignore[arg-type]
    assert outcome.state is State.REFUSED
    assert "BadReply" in outcome.detail


def test_only_an_unreachable_endpoint_leaves_the_message_as_it_was() -> None:
    outcome = classify_error(Unreachable("no route"))
    assert (outcome.state, outcome.ends_visit) == (State.PENDING, True)
    for error in (TimedOut("30 s"), BadReply("<html>")):
        outcome = classify_error(error)
        assert (outcome.state, outcome.ends_visit) == (State.REFUSED, False)
        assert outcome.detail == f"{type(error).__name__}: {error}"


def test_backoff_doubles_up_to_its_limit() -> None:
    backoff = Backoff(30, 1800)
    assert [backoff.delay(attempts) for attempts in (1, 2, 3, 7, 1000)] == [30, 60, 120, 1800, 1800]


def test_next_try_counts_microseconds_and_registration_is_probed_every_round() -> None:
    assert classify(reply(500)).next_try(2, 1_000) == 60_001_000
    assert classify(reply(401, "Not a registered tenant.")).next_try(9, 1_000) is None


def test_what_tells_of_the_node() -> None:
    told = {code: node_failed(classify(reply(code))) for code in (202, 400, 401, 404, 413, 500, 503)}
    assert told == {202: False, 400: False, 401: True, 404: False, 413: False, 500: True, 503: True}
    assert node_failed(classify_error(TimedOut("")))


@pytest.mark.parametrize("code", ["GrantAuthorizationGrantRevoked", "ProtocolAuthorizationActionNotAllowed"])
def test_a_message_that_its_grant_does_not_allow_says_nothing_of_the_node(code: str) -> None:
    assert not node_failed(classify(reply(401, f"{code}: it is not allowed")))


def test_no_backoff_is_longer_than_the_longest() -> None:
    """Else a row's next try would be taken for one that a wrong clock has set."""
    assert max(outcome.backoff.most for outcome in (*(rule.outcome for rule in RULES), *ERRORS.values())) <= LONGEST
