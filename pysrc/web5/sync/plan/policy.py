"""What each reply and each failure means for the ledger: two tables, of which the first line that fits decides.

A reply that is not a success never counts as one. What counts, by @web5/agent `sync-engine-level.ts`
(syncMessageReplyIsSuccessful): 202 and 204, stored; 409, the node holds this very message or a newer one of the same
record (dwn-sdk-js `handlers/records-write.ts`, `records-delete.ts`); 404 to a RecordsDelete, the record is deleted
already. The same table reads the local engine's replies when pulled messages are applied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from web5.dwn.rpc import method_of
from web5.errors import (
    BadReply,
    CryptoError,
    DidError,
    IdentityError,
    StorageError,
    StorageFull,
    TimedOut,
    Unreachable,
    Web5Error,
)
from web5.sync.plan import dependencies
from web5.sync.states import Message, State

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Halt(StrEnum):
    """How far a failure reaches."""

    MESSAGE = "message"
    """Only the message (and what depends on it); the visit goes on."""
    ENDPOINT = "endpoint"
    """The endpoint will answer the same to everything: nothing more is sent to it in this visit."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds until the next try: `first`, doubled after each failure up to `most`."""

    first: float
    most: float

    def delay(self, attempts: int) -> float:
        """Seconds to wait after failure number `attempts` (from 1)."""
        return min(self.most, self.first * 2.0 ** min(attempts - 1, 40))

    def spread(self, attempts: int, jitter: float) -> float:
        """The same, shortened by up to half of it, so that many do not come at once; `jitter` from 0 to 1."""
        return self.delay(attempts) * (0.5 + jitter / 2)


LONGEST = DAY
"""No backoff is longer: what is to wait for more was written when this device's clock was ahead, and waits no more."""

AT_NEXT_VISIT = Backoff(0, 0)
SOON = Backoff(30, 30 * MINUTE)
SLOWLY = Backoff(10 * MINUTE, LONGEST)
RECONNECT = Backoff(1, 2 * MINUTE)
"""How long a live endpoint that failed is left alone before the next visit. By interval, the next visit is the next."""


class Tell(StrEnum):
    """Who has to hear of it."""

    NOBODY = "nobody"
    """It mends itself; `status` and `unsettled` show it meanwhile."""
    PERSON = "person"
    """It may stay until somebody does something: register, make room, correct the message."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply means: settled (state None), or the state of the row and when it is tried again.

    Parameters:
        waits_for: the key (`dependencies`) of what is missing, for `State.WAITING`.
    """

    name: str
    state: State | None
    halt: Halt = Halt.MESSAGE
    backoff: Backoff = AT_NEXT_VISIT
    code: int = 0
    detail: str = ""
    waits_for: str | None = None
    tell: Tell = Tell.NOBODY

    @property
    def settled(self) -> bool:
        return self.state is None

    @property
    def unregistered(self) -> bool:
        """Whether the endpoint does not know the tenant, or not with its present terms."""
        return self.name == NOT_REGISTERED

    def next_try(self, attempts: int, now: int) -> int | None:
        """When a message with so many failed attempts may be tried again (microseconds); None: at the next visit."""
        delay = self.backoff.delay(attempts)
        return now + int(delay * 1_000_000) if delay else None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table of replies: `codes` matches the status code, `detail` something in the reply's detail,
    `method` is "Interface.Method"."""

    name: str
    codes: str
    state: State | None
    halt: Halt = Halt.MESSAGE
    backoff: Backoff = AT_NEXT_VISIT
    detail: str = ""
    method: str = ""
    tell: Tell = Tell.NOBODY

    def fits(self, code: int, detail: str, method: str) -> bool:
        return (
            re.fullmatch(self.codes, str(code)) is not None
            and self.method in ("", method)
            and re.search(self.detail, detail) is not None
        )


NOT_REGISTERED = "not registered"
"""The rule that leads to a registration (`registration`)."""

_UNREGISTERED = r"^Not a registered tenant|terms-of-service|is not an active tenant"

RULES: tuple[Rule, ...] = (
    Rule("stored", "202|204", None),
    Rule("already there, or newer there", "409", None),
    Rule("already deleted", "404", None, method="Records.Delete"),
    Rule(NOT_REGISTERED, "401", State.BLOCKED, Halt.ENDPOINT, detail=_UNREGISTERED, tell=Tell.PERSON),
    Rule("depends on what is not there", "400|401", State.WAITING, backoff=SOON, detail=dependencies.PATTERN),
    Rule("not authorized", "401|403", State.REFUSED, backoff=SOON, tell=Tell.PERSON),
    Rule("too many requests", "429", State.BLOCKED, Halt.ENDPOINT, SOON),
    Rule("too large for the node", "413|431", State.BLOCKED, backoff=SLOWLY, tell=Tell.PERSON),
    Rule("quota is full", "507", State.BLOCKED, Halt.ENDPOINT, SOON, tell=Tell.PERSON),
    Rule("the node failed", "5..", State.REFUSED, backoff=SOON),
    Rule("refused", "...", State.REFUSED, backoff=SLOWLY, tell=Tell.PERSON),
)


def judge(reply: Message, message: Message | None = None) -> Verdict:
    """What a DWN's reply to a message means."""
    status = reply.get("status") if isinstance(reply, dict) else None
    code = status.get("code") if isinstance(status, dict) else None
    if not isinstance(status, dict) or type(code) is not int or not 100 <= code <= 599:
        return GARBAGE
    detail, asked = str(status.get("detail", "")), message or {}
    rule = next(rule for rule in RULES if rule.fits(code, detail, method_of(asked)))  # the last fits everything
    key = dependencies.missing_key(asked, detail) if rule.state is State.WAITING else None
    return Verdict(rule.name, rule.state, rule.halt, rule.backoff, code, detail or rule.name, key, rule.tell)


GARBAGE = Verdict("not a DWN's reply", State.REFUSED, Halt.MESSAGE, SOON, 0, "BadReply: the reply has no status")


@dataclass(frozen=True, slots=True)
class ErrorRule:
    """One line of the table of failures: no DWN answered, or this side failed."""

    name: str
    error: type[Web5Error]
    state: State
    halt: Halt
    backoff: Backoff = AT_NEXT_VISIT
    tell: Tell = Tell.NOBODY


ERROR_RULES: tuple[ErrorRule, ...] = (
    # It may lie in the message (too large, say), so the message waits, and the visit goes on until FAILURES_IN_A_ROW.
    ErrorRule("no proper reply", BadReply, State.REFUSED, Halt.MESSAGE, SOON),
    ErrorRule("no reply in time", TimedOut, State.REFUSED, Halt.MESSAGE, SOON),
    # It costs the message nothing.
    ErrorRule("unreachable", Unreachable, State.PENDING, Halt.ENDPOINT),
    ErrorRule("no room on this device", StorageFull, State.PENDING, Halt.ENDPOINT, tell=Tell.PERSON),
    ErrorRule("this device's store failed", StorageError, State.PENDING, Halt.ENDPOINT, tell=Tell.PERSON),
    ErrorRule("the DID cannot be resolved", DidError, State.PENDING, Halt.ENDPOINT),
    ErrorRule("the identity's keys are not at hand", IdentityError, State.PENDING, Halt.ENDPOINT, tell=Tell.PERSON),
    ErrorRule("the identity's keys cannot be used", CryptoError, State.PENDING, Halt.ENDPOINT, tell=Tell.PERSON),
    ErrorRule("this side failed", Web5Error, State.PENDING, Halt.ENDPOINT),
)


def judge_error(error: Web5Error) -> Verdict:
    """What it means that no DWN answered, or that this side failed."""
    rule = next(rule for rule in ERROR_RULES if isinstance(error, rule.error))
    detail = f"{type(error).__name__}: {error}"
    return Verdict(rule.name, rule.state, rule.halt, rule.backoff, 0, detail, tell=rule.tell)


FAILURES_IN_A_ROW = 3
"""So many failures of the node (5xx, 401, timeouts, bad replies) in a row, and the visit ends."""


def node_failed(verdict: Verdict) -> bool:
    """True if the failure tells more of the node, or of how it sees the tenant, than of the message."""
    return not verdict.settled and not verdict.waits_for and (verdict.code in (0, 401) or verdict.code >= 500)


def waiting_for(key: str, what: str = "") -> Verdict:
    """A verdict that a message is held back here until something else is there.

    Parameters:
        what: says it better than the key does.
    """
    detail = f"waits for {what or dependencies.in_words(key)}"
    return Verdict("held back", State.WAITING, backoff=SOON, detail=detail, waits_for=key)
