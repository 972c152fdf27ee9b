"""The outcome of each reply and each failure for the ledger: two tables, of which the first line that fits decides.

A reply that is not a success never counts as one. The successes, by @web5/agent `sync-engine-level.ts`
(syncMessageReplyIsSuccessful): 202 and 204, stored; 409, the node holds this very message or a newer one of the same
record (dwn-sdk-js `handlers/records-write.ts`, `records-delete.ts`); 404 to a RecordsDelete, the record is deleted
already. The same table reads the local engine's replies when pulled messages are applied.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from web5 import errors
from web5.dwn.codes import Code
from web5.dwn.time_window import seconds_ahead
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import (
    AskedToWait,
    BadReply,
    CryptoError,
    DidError,
    IdentityError,
    RemoteError,
    StorageError,
    StorageFull,
    TimedOut,
    Unreachable,
)
from web5.sync.plan import dependencies
from web5.sync.states import State

MINUTE = 60.0
HOUR = 60 * MINUTE


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential backoff: `first` seconds, doubled after each failure up to `most`."""

    first: float
    most: float

    def delay(self, attempts: int) -> float:
        """Return the seconds to wait after failure number `attempts` (from 1)."""
        return min(self.most, self.first * 2.0 ** min(attempts - 1, 40))

    def spread(self, attempts: int, jitter: float) -> float:
        """Return the delay, shortened by up to half so that many clients do not retry at once; `jitter` is 0 to 1."""
        return self.delay(attempts) * (0.5 + jitter / 2)


LONGEST = 24 * HOUR
"""The longest backoff. A later due time was written when this device's clock was ahead, and counts as due."""

AT_NEXT_VISIT = Backoff(0, 0)
SOON = Backoff(30, 30 * MINUTE)
SLOWLY = Backoff(10 * MINUTE, LONGEST)
UNTIL_THEN = Backoff(LONGEST, LONGEST)
"""The wait for the date of a message, where the refusal does not say how long that is."""
RECONNECT = Backoff(1, 2 * MINUTE)
"""The wait before a live endpoint that failed is visited again. By interval, the next visit is the next interval's."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of sending, fetching or applying one message, or of a whole visit.

    Parameters:
        state: the state of the ledger's entry; None: settled, so that there is no entry.
        ends_visit: the endpoint would answer the same to everything, so nothing more is sent to it in this visit.
        waits_for: the key (`dependencies`) of the missing message, for `State.WAITING`.
        needs_user_action: it may stay until somebody acts: registers, makes room, corrects the message.
        is_fruitless: only the fetching ended, so that what is made here is sent all the same.
        not_before: when the pause is over that the endpoint asked for (microseconds since 1970).
        is_own: it failed on this side, which says nothing of the endpoint.
    """

    name: str
    state: State | None
    backoff: Backoff = AT_NEXT_VISIT
    code: int = 0
    detail: str = ""
    waits_for: str | None = None
    ends_visit: bool = False
    needs_user_action: bool = False
    is_fruitless: bool = False
    not_before: int | None = None
    is_own: bool = False

    @property
    def settled(self) -> bool:
        return self.state is None

    @property
    def is_for_good(self) -> bool:
        """True if the message is refused in a way that waiting alone does not mend."""
        return not (self.settled or self.ends_visit or self.is_own) and self.needs_user_action

    @property
    def lacks_message(self) -> bool:
        """True if the node says that a message on which this one depends is not there."""
        waits = self.code != 0 and self.waits_for is not None and not dependencies.is_time(self.waits_for)
        return waits and dependencies.is_missing(self.detail)

    @property
    def may_be_of_the_past(self) -> bool:
        """True if the message is not allowed as things are now, but may have been at its own time."""
        return self.code in (400, 401) and self.waits_for is not None and not dependencies.is_time(self.waits_for)

    @property
    def says_deleted(self) -> bool:
        """True if the message is a write of a record that was deleted there."""
        return self.detail.startswith(Code.RecordsWriteNotAllowedAfterDelete)

    @property
    def unregistered(self) -> bool:
        """True if the endpoint does not know the tenant, or not with its present terms."""
        return self.name == NOT_REGISTERED

    def next_try(self, attempts: int, now: int) -> int | None:
        """Return when a message with so many failed attempts is due (microseconds); None: at the next visit."""
        delay = self.backoff.delay(attempts)
        return now + int(delay * 1_000_000) if delay else None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table of replies: patterns for the whole code and some of the detail, and the method, if any."""

    codes: str
    outcome: Outcome
    detail: str = ""
    method: str = ""

    def fits(self, code: int, detail: str, method: str) -> bool:
        return (
            re.fullmatch(self.codes, str(code)) is not None
            and self.method in ("", method)
            and re.search(self.detail, detail) is not None
        )


NOT_REGISTERED = "not registered"
"""The outcome that leads to a registration (`exchange.registrar`)."""

_TOO_LARGE = Outcome("too large for the node", State.BLOCKED, SLOWLY, needs_user_action=True)
_QUOTA_FULL = Outcome("quota is full", State.BLOCKED, SOON, ends_visit=True, needs_user_action=True)
_UNREGISTERED = r"^Not a registered tenant|terms-of-service|is not an active tenant"

RULES: tuple[Rule, ...] = (
    Rule("202|204", Outcome("stored", None)),
    Rule("409", Outcome("already there, or newer there", None)),
    Rule("404", Outcome("already deleted", None), method="Records.Delete"),
    Rule("401", Outcome(NOT_REGISTERED, State.BLOCKED, ends_visit=True, needs_user_action=True), detail=_UNREGISTERED),
    Rule(
        "401",
        Outcome("the clocks differ too much", State.BLOCKED, SOON, ends_visit=True, needs_user_action=True),
        detail=rf"^{Code.TimestampOutsideWindow}\b",
    ),
    Rule("400", Outcome("dated ahead", State.WAITING, UNTIL_THEN), detail=rf"^{Code.TimestampAhead}\b"),
    Rule(
        "400|401",
        Outcome("depends on what is not there", State.WAITING, SOON),
        detail=dependencies.PATTERN,
    ),
    Rule("4..|5..", _TOO_LARGE, detail=r"\bRecordDataSizeLimitExceeded\b"),
    Rule("4..|5..", _QUOTA_FULL, detail=r"\bTenant(Storage|Message)QuotaExceeded\b"),
    Rule(
        "400|401",
        Outcome("not allowed as things are there", State.WAITING, SLOWLY, needs_user_action=True),
        detail=dependencies.NOT_ALLOWED_PATTERN,
    ),
    Rule("401|403", Outcome("not authorized", State.REFUSED, SOON, needs_user_action=True)),
    # It is the whole endpoint that has to wait (`remote.pauses`), so the message has no wait of its own.
    Rule("429", Outcome("too many requests", State.BLOCKED, ends_visit=True)),
    Rule("413|431", _TOO_LARGE),
    Rule("507", _QUOTA_FULL),
    Rule("5..", Outcome("the node failed", State.REFUSED, SOON)),
    Rule("...", Outcome("refused", State.REFUSED, SLOWLY, needs_user_action=True)),
)


_STORED = {
    (code, detail): replace(RULES[0].outcome, code=code, detail=detail)
    for code, detail in ((202, "Accepted"), (204, "No Content"))
}
"""The outcomes of almost all replies, by the code and the detail that nodes give."""


def classify(reply: Message, message: Message | None = None) -> Outcome:
    """Return the outcome of a message by a DWN's reply to it."""
    status = reply.get("status") if isinstance(reply, dict) else None
    code = status.get("code") if isinstance(status, dict) else None
    if not isinstance(status, dict) or type(code) is not int or not 100 <= code <= 599:
        return GARBAGE
    detail, asked = str(status.get("detail", "")), message or {}
    if (stored := _STORED.get((code, detail))) is not None:
        return stored
    rule = next(rule for rule in RULES if rule.fits(code, detail, method_of(asked)))  # the last fits everything
    key = dependencies.missing_key(asked, detail) if rule.outcome.state is State.WAITING else None
    backoff, ahead = rule.outcome.backoff, seconds_ahead(asked, detail)
    if ahead is not None:
        seconds = min(max(ahead, SOON.first), LONGEST)
        backoff = Backoff(seconds, max(seconds, SOON.most))
    return replace(rule.outcome, code=code, detail=detail or rule.outcome.name, waits_for=key, backoff=backoff)


ENDED = Outcome("its record was deleted", None)
"""The outcome of a write that was fetched, and whose record has a delete here: that ends it, whatever the dates."""

GARBAGE = Outcome("not a DWN's reply", State.REFUSED, SOON, 0, "BadReply: the reply has no status")

ERRORS: Mapping[type[Exception], Outcome] = {
    AskedToWait: Outcome("asked for a pause", State.BLOCKED, ends_visit=True),
    # It may lie in the message (too large, say), so the message waits, and the visit goes on until FAILURES_IN_A_ROW.
    BadReply: Outcome("no proper reply", State.REFUSED, SOON),
    TimedOut: Outcome("no reply in time", State.REFUSED, SOON),
    # It costs the message nothing.
    Unreachable: Outcome("unreachable", State.PENDING, ends_visit=True),
    StorageFull: Outcome("no room on this device", State.PENDING, ends_visit=True, needs_user_action=True, is_own=True),
    StorageError: Outcome(
        "this device's store failed", State.PENDING, ends_visit=True, needs_user_action=True, is_own=True
    ),
    DidError: Outcome("the DID cannot be resolved", State.PENDING, ends_visit=True, is_own=True),
    IdentityError: Outcome(
        "the identity's keys are not at hand", State.PENDING, ends_visit=True, needs_user_action=True, is_own=True
    ),
    CryptoError: Outcome(
        "the identity's keys cannot be used", State.PENDING, ends_visit=True, needs_user_action=True, is_own=True
    ),
    Exception: Outcome("this side failed", State.PENDING, ends_visit=True, is_own=True),
}
"""The outcomes where no DWN answered or this side failed; a fault of this program is the last."""


OWN: Mapping[type[Exception], Outcome] = {
    StorageFull: Outcome("no room for it on this device", State.BLOCKED, SOON, needs_user_action=True, is_own=True),
    StorageError: Outcome("this device's store failed on it", State.REFUSED, SOON, needs_user_action=True, is_own=True),
    Exception: Outcome("this side failed on it", State.REFUSED, SLOWLY, is_own=True),
}
"""The outcomes of one message on which this side failed; all others go on."""


def classify_own(error: Exception) -> Outcome:
    """Return the outcome of a message on which this side failed with this error, or whose data broke off."""
    if isinstance(error, RemoteError):
        return replace(classify_error(error), state=State.REFUSED, backoff=SOON, ends_visit=False)
    outcome = next(outcome for kind, outcome in OWN.items() if isinstance(error, kind))
    return replace(outcome, detail=f"{type(error).__name__}: {error}")


def classify_error(error: Exception) -> Outcome:
    """Return the outcome of a message, or of a visit, that ended in this error."""
    outcome = next(outcome for kind, outcome in ERRORS.items() if isinstance(error, kind))
    code = error.status if isinstance(error, AskedToWait) else outcome.code
    return replace(outcome, code=code, detail=f"{type(error).__name__}: {error}")


FRUITLESS = Outcome(
    "nothing comes of it",
    State.PENDING,
    detail="Fruitless: the node lists messages that it does not give, or that are of no use; few are asked for now",
    is_fruitless=True,
)
"""The outcome of a visit in which an endpoint was asked for enough that it did not give (`plan.budget`)."""

SLOW = Outcome(
    "slow",
    State.PENDING,
    detail="TimedOut: it takes far longer than others, which have ended; this goes on without being waited for",
)
"""The outcome of what an app asked for at an endpoint that is slow (`web5.patience`)."""

FAILURES_IN_A_ROW = 3
"""After this many failures of the node in a row (5xx, 401, timeouts, bad replies), the visit ends."""


_OF_THE_MESSAGE = ("GrantAuthorization", "ProtocolAuthorization")
"""Beginnings of the codes by which a node says that a message's grant, or its protocol, does not allow it."""


def node_failed(outcome: Outcome) -> bool:
    """Return True if the failure says more about the node, or how it sees the tenant, than about the message."""
    if outcome.settled or outcome.waits_for or outcome.is_own:
        return False
    if outcome.code == 401:
        return not outcome.detail.startswith(_OF_THE_MESSAGE)
    return outcome.code == 0 or outcome.code >= 500


def is_of_node(outcome: Outcome) -> bool:
    """Return True if the endpoint would answer the same, or fail, whatever it were sent or asked for."""
    if outcome.settled or outcome.waits_for or outcome.is_own:
        return False
    return outcome.ends_visit or (node_failed(outcome) and outcome.code != 401)


def recall(code: int, detail: str) -> Outcome:
    """Return the outcome by which a message was refused, from what the ledger kept of it."""
    if code:
        return classify({"status": {"code": code, "detail": detail}})
    kind = getattr(errors, detail.partition(":")[0], None)
    if not isinstance(kind, type) or not issubclass(kind, Exception):
        kind = Exception
    return replace(next(one for error, one in ERRORS.items() if issubclass(kind, error)), detail=detail)


def waiting_for(key: str, what: str = "") -> Outcome:
    """Return the outcome of a message that is held back here until a dependency, described by `what`, arrives."""
    detail = f"waits for {what or dependencies.describe(key)}"
    return Outcome("held back", State.WAITING, SOON, detail=detail, waits_for=key)
