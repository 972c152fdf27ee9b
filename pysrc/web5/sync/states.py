"""What sync says about itself: the states of a message, of an endpoint, and of a round."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

Message = dict[str, Any]
Direction = Literal["push", "pull"]


class State(StrEnum):
    """Where one message stands with one endpoint. Settled messages have no row, so no state."""

    PENDING = "pending"
    """To be sent, or fetched and applied, as soon as the endpoint can be reached."""
    WAITING = "waiting"
    """It depends on another message that is not there yet; `detail` says which."""
    REFUSED = "refused"
    """The one side answered, but not with a success; `code` and `detail` are its words."""
    BLOCKED = "blocked"
    """The endpoint takes nothing, or nothing of this size, from this tenant: registration, rate or quota."""


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One message that is not yet where it should be, and why.

    `next_try` is in microseconds since 1970: no round tries it before that; None means at the next round.
    """

    tenant: str
    endpoint: str
    direction: Direction
    message_cid: str
    state: State
    code: int
    detail: str
    attempts: int
    next_try: int | None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """One endpoint of one tenant. Times are microseconds since 1970.

    `endpoint` is "" for a tenant of whom no endpoint is known. `pending_out` and `pending_in` count every message that
    is not settled, `refused` those of them that were refused or blocked. `did_error` says why the tenant's DID
    document could not be had in the last round; the endpoints known from before are used meanwhile.
    """

    tenant: str
    endpoint: str
    reachable: bool | None
    syncing: bool
    last_success: int | None
    last_error: tuple[int, str] | None
    pending_out: int
    pending_in: int
    refused: int
    did_error: str | None = None


@dataclass(slots=True)
class EndpointReport:
    """What one round did with one endpoint.

    `error` is why it ended early, as (code, detail), with code 0 if no DWN answered. `listed` counts the messages that
    the endpoint named, `pulled` those applied here, `pushed` those it took or had, `unsettled` those that are left in
    either direction, `requests` what all that cost.
    """

    tenant: str
    endpoint: str
    listed: int = 0
    pulled: int = 0
    pushed: int = 0
    unsettled: int = 0
    requests: int = 0
    error: tuple[int, str] | None = None


@dataclass(slots=True)
class SyncReport:
    """One round. `did_errors` maps each tenant whose DID could not be resolved to the reason."""

    endpoints: list[EndpointReport] = field(default_factory=list)
    did_errors: dict[str, str] = field(default_factory=dict)
    stopped: bool = False

    @property
    def pulled(self) -> int:
        return sum(endpoint.pulled for endpoint in self.endpoints)

    @property
    def pushed(self) -> int:
        return sum(endpoint.pushed for endpoint in self.endpoints)

    @property
    def ok(self) -> bool:
        """True if the round ran to its end and no tenant and no endpoint failed."""
        return not self.stopped and not self.did_errors and all(end.error is None for end in self.endpoints)


@dataclass(frozen=True, slots=True)
class SendResult:
    """What one endpoint said to `send`: `code` is the DWN's status, or 0 if no DWN answered."""

    endpoint: str
    accepted: bool
    code: int
    detail: str


@dataclass(frozen=True, slots=True)
class SyncEvent:
    """Something worth showing. `total` and `done` count messages of one direction in this round.

    kind: "started", "finished" (a round; `report` is set), "endpoint" (its state changed; ask `status`), "progress",
    "removed" (the endpoint left the DID document, and the ledger with it).
    """

    kind: Literal["started", "finished", "endpoint", "progress", "removed"]
    tenant: str = ""
    endpoint: str = ""
    direction: Direction | None = None
    done: int = 0
    total: int = 0
    report: SyncReport | None = None
