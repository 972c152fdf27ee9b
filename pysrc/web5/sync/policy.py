"""What each reply means for the ledger: one table, read from the top, the first line that fits decides.

A reply that is not a success never counts as one. What counts, by @web5/agent `sync-engine-level.ts`
(syncMessageReplyIsSuccessful): 202 and 204, stored; 409, the node holds this very message or a newer one of the same
record (dwn-sdk-js `handlers/records-write.ts`, `records-delete.ts`); 404 to a RecordsDelete, the record is deleted
already. The same table reads the local engine's replies when pulled messages are applied.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from web5.errors import BadReply, RemoteError, TimedOut
from web5.sync.states import Message, State

MINUTE = 60.0
HOUR = 60 * MINUTE
DAY = 24 * HOUR


class Halt(StrEnum):
    """How far a failure reaches."""

    MESSAGE = "message"
    """Only the message (and what depends on it); the round goes on."""
    ENDPOINT = "endpoint"
    """The endpoint will answer the same to everything: nothing more is sent to it in this round."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds until the next try: `first`, doubled after each failure up to `most`."""

    first: float
    most: float

    def delay(self, attempts: int) -> float:
        """Seconds to wait after failure number `attempts` (from 1)."""
        return min(self.most, self.first * 2.0 ** min(attempts - 1, 40))


AT_NEXT_ROUND = Backoff(0, 0)
SOON = Backoff(30, 30 * MINUTE)
SLOWLY = Backoff(10 * MINUTE, DAY)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a reply means: settled (state None), or the state of the row and when it is tried again."""

    name: str
    state: State | None
    halt: Halt = Halt.MESSAGE
    backoff: Backoff = AT_NEXT_ROUND
    code: int = 0
    detail: str = ""

    @property
    def settled(self) -> bool:
        return self.state is None

    def next_try(self, attempts: int, now: int) -> int | None:
        """When a message with so many failed attempts may be tried again (microseconds); None: at the next round."""
        delay = self.backoff.delay(attempts)
        return now + int(delay * 1_000_000) if delay else None


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table. `detail` must be found in the reply's detail; `method` is "Interface.Method"."""

    name: str
    fits: Callable[[int], bool]
    state: State | None
    halt: Halt = Halt.MESSAGE
    backoff: Backoff = AT_NEXT_ROUND
    detail: str = ""
    method: str = ""


def _is(*codes: int) -> Callable[[int], bool]:
    return lambda code: code in codes


_UNREGISTERED = r"^Not a registered tenant|terms-of-service|is not an active tenant"
_DEPENDENCY = (
    r"^(RecordsWriteGetInitialWriteNotFound|ProtocolAuthorizationProtocolNotFound|GrantAuthorizationGrantMissing"
    r"|ProtocolAuthorizationParentNotFoundConstructingRecordChain|ProtocolAuthorizationMatchingRoleRecordNotFound"
    r"|RecordsWriteMissing(Encoded)?DataInPrevious)\b"
)

RULES: tuple[Rule, ...] = (
    Rule("stored", _is(202, 204), None),
    Rule("already there, or newer there", _is(409), None),
    Rule("already deleted", _is(404), None, method="Records.Delete"),
    Rule("not registered", _is(401), State.BLOCKED, Halt.ENDPOINT, AT_NEXT_ROUND, detail=_UNREGISTERED),
    Rule("depends on what is not there", _is(400, 401), State.WAITING, backoff=SOON, detail=_DEPENDENCY),
    Rule("not authorized", _is(401, 403), State.REFUSED, backoff=SOON),
    Rule("too many requests", _is(429), State.BLOCKED, Halt.ENDPOINT, SOON),
    Rule("too large for the node", _is(413, 431), State.BLOCKED, backoff=SLOWLY),
    Rule("quota is full", _is(507), State.BLOCKED, Halt.ENDPOINT, SOON),
    Rule("the node failed", lambda code: code >= 500, State.REFUSED, backoff=SOON),
    Rule("refused", lambda code: True, State.REFUSED, backoff=SLOWLY),
)


def method_of(message: Message) -> str:
    """ "Interface.Method" of a message; "" where there is none to be read."""
    descriptor = message.get("descriptor")
    if not isinstance(descriptor, dict):
        return ""
    return f"{descriptor.get('interface')}.{descriptor.get('method')}"


def judge(reply: Message, method: str = "") -> Verdict:
    """What a DWN's reply to a message of kind `method` ("Interface.Method") means."""
    status = reply.get("status") if isinstance(reply, dict) else None
    code = status.get("code") if isinstance(status, dict) else None
    if not isinstance(status, dict) or type(code) is not int or not 100 <= code <= 599:
        return GARBAGE
    detail = str(status.get("detail", ""))
    for rule in RULES:
        if rule.fits(code) and rule.method in ("", method) and re.search(rule.detail, detail):
            return Verdict(rule.name, rule.state, rule.halt, rule.backoff, code, detail or rule.name)
    raise AssertionError("the last rule fits everything")


GARBAGE = Verdict("not a DWN's reply", State.REFUSED, Halt.MESSAGE, SOON, 0, "BadReply: the reply has no status")


def judge_error(error: RemoteError) -> Verdict:
    """What it means that no DWN answered.

    An unreachable endpoint costs the message nothing: it stays pending. A bad reply or a timeout may lie in the
    message (too large, say), so the message waits, and the round goes on until `FAILURES_IN_A_ROW`.
    """
    detail = f"{type(error).__name__}: {error}"
    if isinstance(error, (BadReply, TimedOut)):
        return Verdict("no proper reply", State.REFUSED, Halt.MESSAGE, SOON, 0, detail)
    return Verdict("unreachable", State.PENDING, Halt.ENDPOINT, AT_NEXT_ROUND, 0, detail)


FAILURES_IN_A_ROW = 3
"""So many failures of the node (5xx, 401, timeouts, bad replies) in a row, and the round leaves the endpoint alone."""


def node_failed(verdict: Verdict) -> bool:
    """True if the failure tells more of the node, or of how it sees the tenant, than of the message."""
    return not verdict.settled and (verdict.code in (0, 401) or verdict.code >= 500)
