"""The states of a message, an endpoint and a registration, and the reports and events of sync."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from web5.remote.clocks import TOLERATED

Direction = Literal["push", "pull"]

ANSWERS = 2
BYTES = 64 * 1024
"""Answers of an endpoint, or bytes of record data, that are worth waiting a second for, where there are others."""


class State(StrEnum):
    """The state of one message with one endpoint. Settled messages have no entry, so no state."""

    PENDING = "pending"
    """To be sent, or fetched and applied, as soon as the endpoint can be reached."""
    IN_FLIGHT = "in flight"
    """Being sent or fetched just now."""
    WAITING = "waiting"
    """It depends on another message that is not there yet, or is dated ahead of the endpoint's clock: `waits_for`."""
    REFUSED = "refused"
    """The one side answered, but not with a success; `code` and `detail` are its answer."""
    BLOCKED = "blocked"
    """The endpoint takes nothing, or nothing of this size, from this tenant: registration, rate or quota."""
    DAMAGED = "damaged"
    """It is held here, but it or its data cannot be read; whoever has it is asked for it. It has no endpoint."""
    DISPLACED = "displaced"
    """The endpoint had it, or says so, and shows something else in its place, or nothing (`plan.variants`)."""


class Failure(NamedTuple):
    """The reason why a visit ended early, or moved nothing: a DWN's status; `code` is 0 if no DWN answered."""

    code: int
    detail: str


class Activity(StrEnum):
    """The activity of sync with one endpoint."""

    OFF = "off"
    """Sync is off; nothing happens by itself."""
    SYNCING = "syncing"
    IDLE = "idle"
    """All work is done, until the next interval."""
    LIVE = "live"
    """As idle, and subscribed to the endpoint's events."""
    FAILING = "failing"
    """The last visit ended early, or moved nothing (`last_error`); it is tried again by itself."""
    BLOCKED = "blocked"
    """As failing, but somebody has to do something: register, make room, unlock the keys."""
    NOWHERE = "nowhere"
    """No endpoint is known, so that what is here is nowhere else."""


class RegistrationState(StrEnum):
    """The state of the registration of a tenant with an endpoint."""

    NOT_NEEDED = "not needed"
    """The endpoint never asked for it."""
    WORKING = "working"
    """A proof of work is being computed."""
    TERMS = "terms"
    """It waits until the person agrees to the endpoint's terms of service."""
    WORK = "work"
    """It waits until the person allows a proof of work that takes long."""
    INVITATION = "invitation"
    """It waits until the person has given the code of an invitation; `reason` says what was wrong with the last one."""
    DONE = "done"
    FAILED = "failed"
    """It is tried again by itself; see `reason`."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The registration of a tenant with an endpoint.

    Parameters:
        terms_hash: of the terms that were agreed to, or are to be.
        hashes: the average number for its proof of work.
        reason: why it failed.
        registered, next_try: when it was done; when it is tried again, if it failed.
        attempts: the number of attempts since the last registration that held.
        tried: the number of hashes computed so far, while it is working.
        rate: hashes a second, likewise. However many were tried, `hashes / rate` more seconds are to be expected.
    """

    state: RegistrationState = RegistrationState.NOT_NEEDED
    terms_hash: str | None = None
    hashes: int | None = None
    reason: str | None = None
    registered: datetime | None = None
    attempts: int = 0
    next_try: datetime | None = None
    tried: int = 0
    rate: float = 0.0

    @property
    def asks(self) -> bool:
        """True if it waits for the person."""
        return self.state in (RegistrationState.TERMS, RegistrationState.WORK, RegistrationState.INVITATION)


@dataclass(frozen=True, slots=True)
class Listing:
    """The CIDs that a MessagesQuery named, and the cursor at its end; `begun` None: everything was listed."""

    cids: list[str]
    cursor: dict[str, Any] | None
    begun: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Unsettled:
    """One message that is not yet where it should be, and why.

    Parameters:
        next_try: no visit tries it before that; None: the next visit does, or, while it is
            waiting, the arrival of its dependency.
        waits_for: its dependency, such as "record:bafy…" or "protocol:https://…", if it is waiting; "time:…" and its
            date, if the endpoint takes it once its own clock has come near that.
        since: when it was made, first listed, or given to `send` for somebody else; None:
            unknown.
        target: the DID to whose nodes it is to be delivered, because it was sent there; None: to the tenant's own. The
            endpoint is "" while the target's DID document is not at hand.
    """

    tenant: str
    endpoint: str
    direction: Direction
    message_cid: str
    state: State
    code: int
    detail: str
    attempts: int
    next_try: datetime | None
    waits_for: str | None = None
    since: datetime | None = None
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """The unsettled messages that are asked for; None stands for any.

    Parameters:
        endpoint: only at this URL.
        states: only in these; a message in flight is found by the state it had before.
        message_cids: only of these messages.
        target: only what was sent to the nodes of this DID.
    """

    endpoint: str | None = None
    states: frozenset[State] | None = None
    message_cids: frozenset[str] | None = None
    target: str | None = None


ANY = Wanted()


class UnsettledMessages(list[Unsettled]):
    """A page of unsettled messages; `cursor` is where the next page begins, None on the last one."""

    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class EndpointStatus:
    """The status of one endpoint of one tenant.

    Parameters:
        endpoint: its URL; "" for a tenant of whom no endpoint is known.
        reachable: True if a DWN answered the last time; None: it was not asked since sync was opened.
        last_success: when a visit last did all that it was to do, as far as the endpoint let it.
        pending_out, pending_in, refused: messages that are not settled, and how many of them are refused or blocked,
            be it with the whole endpoint.
        did_error: why the tenant's DID document, or its keys, are not at hand; the known endpoints are used meanwhile.
        bytes_in, bytes_out: record data since sync was opened.
        rate: bytes a second, in and out together, during the visit that is under way; else 0.
        oldest: when the oldest message that is not settled was made or first listed.
        next_try: when a failing endpoint is tried again, if that is known.
        displaced: messages that are not there any more because something else was taken in their place.
        variants: messages there that a stranger made from what is held here; they are left there.
        clock_ahead: the time by which this device's clock was ahead of the endpoint's when that told it last,
            negative if it was behind; None: unknown, as where a browser does not let the endpoint's `Date` be seen.
    """

    tenant: str
    endpoint: str
    reachable: bool | None
    syncing: bool
    last_success: datetime | None
    last_error: Failure | None
    pending_out: int
    pending_in: int
    refused: int
    did_error: str | None = None
    activity: Activity = Activity.OFF
    bytes_in: int = 0
    bytes_out: int = 0
    rate: float = 0.0
    oldest: datetime | None = None
    next_try: datetime | None = None
    registration: Registration = field(default_factory=Registration)
    displaced: int = 0
    variants: int = 0
    clock_ahead: timedelta | None = None

    @property
    def clock_is_off(self) -> bool:
        """True if the clocks differ by more than a minute: what is written here may come too early, or too late."""
        return abs(self.clock_ahead or timedelta()) > timedelta(microseconds=TOLERATED)


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """The deliveries to one endpoint of somebody else, a target.

    Parameters:
        tenant: who sent them.
        endpoint: its URL; "" while the target's DID document is not at hand, or names none.
        undelivered, refused: the messages that it does not have, and how many of them are refused or blocked.
        oldest: when the first of them was sent.
        next_try: when the first of them is tried again; None: at the next visit.
        detail: the reason of one of them.
    """

    tenant: str
    target: str
    endpoint: str
    undelivered: int
    refused: int
    oldest: datetime
    next_try: datetime | None
    detail: str


class EndpointStatuses(list[EndpointStatus]):
    """The status of each endpoint.

    Attributes:
        deliveries: the numbers of what is on its way to somebody else's.
        unpublished: why others cannot find a DID, or not as it is here, by the DID.
    """

    deliveries: Sequence[DeliveryStatus] = ()
    unpublished: Mapping[str, str] = MappingProxyType({})


@dataclass(slots=True)
class EndpointReport:
    """The work done with one endpoint.

    Parameters:
        listed: messages that the endpoint named.
        pulled, pushed: messages applied here; messages that it took or had.
        unsettled, refused: messages that are left in either direction, and how many of them are refused or blocked.
        bytes_in, bytes_out: record data.
        error: why it ended early, or moved nothing, as (code, detail), with code 0 if no DWN answered.
        awaited: requests that are under way.
    """

    tenant: str
    endpoint: str
    listed: int = 0
    pulled: int = 0
    pushed: int = 0
    unsettled: int = 0
    refused: int = 0
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    error: tuple[int, str] | None = None
    awaited: int = 0

    @property
    def progress(self) -> float:
        """Return the seconds for which the work done up to now was worth waiting (`web5.patience`)."""
        return (self.requests + self.pulled) / ANSWERS + (self.bytes_in + self.bytes_out) / BYTES


@dataclass(slots=True)
class SyncReport:
    """The work of one run: a call of `now`, or one interval.

    Parameters:
        did_errors: why the DID document of a tenant could not be resolved, or nothing be signed for it, by tenant.
        without_endpoints: tenants of whom no endpoint is known, so that what is here is nowhere else.
        delivered, undelivered: messages that somebody else's nodes have taken meanwhile, and those that are still kept
            for them; `ok` and `complete` are about the tenants' own.
    """

    endpoints: list[EndpointReport] = field(default_factory=list)
    did_errors: dict[str, str] = field(default_factory=dict)
    stopped: bool = False
    without_endpoints: list[str] = field(default_factory=list)
    delivered: int = 0
    undelivered: int = 0

    @property
    def pulled(self) -> int:
        """The number of messages that were applied here."""
        return sum(endpoint.pulled for endpoint in self.endpoints)

    @property
    def pushed(self) -> int:
        """The number of messages that an endpoint took or had, counted for each."""
        return sum(endpoint.pushed for endpoint in self.endpoints)

    @property
    def ok(self) -> bool:
        """True if it ran to its end, no tenant and no endpoint failed, and no message is left that was refused.

        Messages may still wait for others, and a tenant may have no endpoint: see `complete`.
        """
        failed = any(end.error is not None or end.refused for end in self.endpoints)
        return not (self.stopped or self.did_errors or failed)

    @property
    def complete(self) -> bool:
        """True if every message of every tenant is now at every endpoint, and each tenant has one."""
        return self.ok and not self.without_endpoints and not any(end.unsettled for end in self.endpoints)


@dataclass(frozen=True, slots=True)
class SendResult:
    """The answer of one endpoint to `send`: `code` is the DWN's status, or 0 if no DWN answered.

    Parameters:
        endpoint: its URL; "" where the target's DID document is not at hand.
        pending: it is kept, and tried again; what is refused for good is kept too, but then this is False.
    """

    endpoint: str
    accepted: bool
    code: int
    detail: str
    pending: bool = False


@dataclass(frozen=True, slots=True)
class SyncEvent:
    """A change worth showing.

    Parameters:
        kind: "started", "finished" (a run; `report` is set), "endpoint" (its state changed; ask `status`), "progress",
            "added" (the endpoint came into the DID document beside others), "removed" (it left it), "refilled" (it was
            found to have lost messages, and gets them again), "registration" (it changed; ask `status`), "displaced"
            (it has lost a record to a variant), "restored" (that record was written anew), "damaged" (a message here,
            or its data, cannot be read; ask `unsettled`), "mended" (it can again, since somebody gave it), "delivered"
            (an endpoint of somebody else, the target, has a message that was sent there), "undelivered" (it has not,
            for another reason than before; ask `unsettled`), "withdrawn" (nobody tries to deliver it any more),
            "sending" (more of a message's large data has gone out to the endpoint: `bytes` of them).
        done, total: messages of one direction in the visit that is under way; `total` grows if more is found. Both are
            0 where only bytes have moved.
        bytes: record data that this visit moved in this direction; of "sending", those of this message.
        target, message_cid: of a delivery to somebody else; `message_cid` of "sending", too.
    """

    kind: Literal[
        "started",
        "finished",
        "endpoint",
        "progress",
        "added",
        "removed",
        "refilled",
        "registration",
        "displaced",
        "restored",
        "damaged",
        "mended",
        "delivered",
        "undelivered",
        "withdrawn",
        "sending",
    ]
    tenant: str = ""
    endpoint: str = ""
    direction: Direction | None = None
    done: int = 0
    total: int = 0
    bytes: int = 0
    report: SyncReport | None = None
    target: str | None = None
    message_cid: str | None = None
