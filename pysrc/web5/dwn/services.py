"""The parts of the engine that all handlers use, and the messages that they are called with."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import Any

from web5.chunks import reading
from web5.dwn.codes import Code
from web5.dwn.data import DataSource, DataStream
from web5.dwn.events import Applied, EventStream, Handler, Hook, Past, Subscription, tags_of
from web5.dwn.shared_log import SharedLog
from web5.dwn.signatures.authentication import Verifier
from web5.dwn.store.database import Database
from web5.dwn.store.store import BlobRow, Store, parse_stored
from web5.dwn.store.terms import Term
from web5.dwn.time_window import SUBSCRIPTION_SECONDS, check_date
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message
from web5.errors import BlobMissing, DwnError, MessageDamaged, NotImplementedByDwn, StorageCorrupt, StorageError
from web5.ports.blobs import Blobs
from web5.ports.clock import Clock
from web5.tasks import notify, report

Reply = dict[str, Any]
Change = tuple[Applied, list[str]]
"""A message that was stored, and the keys of blobs to delete once that is durable."""
DamageHook = Callable[[str, str, Exception], None]


@dataclass(frozen=True, slots=True)
class Call:
    """One message to process, with what came along, such as its CID if that was computed already.

    Parameters:
        replicated: one of the tenant's DWNs had it already, so that it may be from the past (`dwn.history`).
    """

    tenant: str
    message: Message
    data: DataSource | None = None
    source: str | None = None
    subscription_handler: Handler | None = None
    cid: str | None = None
    room: Callable[[], int] | None = None
    replicated: bool = False

    def room_left(self) -> float:
        """Return the bytes of entries that the reply may have now."""
        return inf if self.room is None else self.room()

    def require_handler(self, code: Code) -> Handler:
        """Return the subscription handler, or raise NotImplementedByDwn, as the reference without an event stream."""
        if self.subscription_handler is None:
            raise NotImplementedByDwn(code, "Subscriptions are not supported")
        return self.subscription_handler


@dataclass(slots=True)
class Services:
    database: Database
    store: Store
    blobs: Blobs
    verifier: Verifier
    clock: Clock
    window_seconds: float | None = None
    in_transaction: list[Hook] = field(default_factory=list)
    after_commit: list[Hook] = field(default_factory=list)
    on_damage: list[DamageHook] = field(default_factory=list)
    events: EventStream = field(default_factory=EventStream)
    shared_log: SharedLog | None = None
    _unpublished: deque[Applied] = field(default_factory=deque)

    def __post_init__(self) -> None:
        self.database.health.on_undone.append(self._retract_undone)
        if self.database.is_shared:
            self.shared_log = SharedLog(self.database, self.store, self.events, self.past)

    def now(self) -> str:
        """Return the time of this node, as messages write it."""
        return format_timestamp(self.clock.now())

    def check_date(self, message: Message) -> None:
        """Check that a message is dated within the time window, if there is one; raises as `time_window.check_date`."""
        if self.window_seconds is not None:
            check_date(message, self.clock.now(), self.window_seconds)

    def in_time(self, subscribe: Message, is_allowed: Callable[[], bool] | None) -> Callable[[], bool] | None:
        """Return the condition of a subscription; with a time window, a signed one does not go on for ever."""
        if self.window_seconds is None or "authorization" not in subscribe:
            return is_allowed
        end = self.clock.monotonic() + SUBSCRIPTION_SECONDS
        return lambda: self.clock.monotonic() < end and (is_allowed is None or is_allowed())

    async def subscribe(
        self,
        tenant: str,
        id: str,
        alternatives: Iterable[Sequence[Term]],
        handler: Handler,
        *,
        is_tenants: bool,
        is_allowed: Callable[[], bool] | None = None,
    ) -> Subscription:
        """Call a handler with what is stored from now on, as `EventStream.subscribe` has it."""
        after = 0 if self.shared_log is None else await self.shared_log.follow(tenant)
        return self.events.subscribe(
            tenant, id, alternatives, handler, is_tenants=is_tenants, is_allowed=is_allowed, after=after
        )

    async def put(self, tenant: str, change: Callable[[], Change], *, makes_room: bool = False) -> Applied:
        """Store one message. As `put_each`; a refusal is raised."""
        [applied] = await self.put_each(tenant, lambda: [change()], makes_room=makes_room)
        assert isinstance(applied, Applied)
        return applied

    async def put_each(
        self, tenant: str, changes: Callable[[], Iterable[Change | DwnError]], *, makes_room: bool = False
    ) -> list[Applied | DwnError]:
        """Store messages of a tenant in one transaction.

        It returns once that is durable, hooks are called and subscribers notified.

        Parameters:
            changes: gives a change for each message that is stored, and the refusal of each that is not. It may be
                called once more (`Database.commit`).
            makes_room: as `Database.commit` has it.

        Raises:
            StorageError, or what `changes` or a hook raises: nothing is stored.
        """
        stored: list[Applied] = []
        garbage: list[str] = []

        def run() -> list[Applied | DwnError]:
            self._retract(stored)
            garbage.clear()
            outcomes: list[Applied | DwnError] = []
            for one in changes():
                if isinstance(one, DwnError):
                    outcomes.append(one)
                    continue
                applied, blobs = one
                for hook in self.in_transaction:
                    hook(applied)
                outcomes.append(applied)
                stored.append(applied)
                garbage.extend(blobs)
            if self.shared_log is None:
                self._unpublished.extend(stored)
            return outcomes

        try:
            outcomes = await self.database.commit(run, makes_room=makes_room, of=tenant)
        except Exception:
            self._retract(stored)
            raise
        if self.shared_log is not None:
            for one in stored:
                notify(f"a hook failed on {one.message_cid}", self.after_commit, one)
            await self.shared_log.stored(tenant, stored)
        elif stored:
            self._publish_until(stored[-1].seq)
        if garbage:
            try:
                await self.blobs.delete(garbage)
            except StorageError as error:  # the next opening deletes them
                report("blobs that no message names are left", error)
        return outcomes

    def _retract(self, applied: list[Applied]) -> None:
        for one in applied:
            with suppress(ValueError):
                self._unpublished.remove(one)
        applied.clear()

    def _retract_undone(self) -> None:
        if self._unpublished:  # else the tables themselves may be undone
            last = self.store.last_seq()
            self._unpublished = deque(one for one in self._unpublished if one.seq <= last)

    def _publish_until(self, durable: int) -> None:
        # In the order of the event log, whichever call waits for it first.
        while self._unpublished and self._unpublished[0].seq <= durable:
            applied = self._unpublished.popleft()
            # The message is stored whatever a hook makes of it.
            notify(f"a hook failed on {applied.message_cid}", (*self.after_commit, self.events.emit), applied)

    @property
    def last_published(self) -> int:
        """The number in the event log up to which hooks and subscribers were told of all that is stored."""
        return self._unpublished[0].seq - 1 if self._unpublished else self.store.last_seq()

    def catch_up(self, subscription: Subscription, tenant: str, after: int) -> None:
        """Notify a subscription of the states that were published after a number in the log, and are there still."""
        self.events.emit_again(subscription, tenant, self.past(tenant, after, self.last_published))

    def past(self, tenant: str, after: int, until: int) -> Iterator[Past]:
        """Give what subscribers would have been told of a part of the log, as it is stored now."""
        for seq, columns in self.store.states_between(tenant, after, until):
            try:
                message = parse_stored(columns.message, columns.cid)
                initial = None if columns.initial else self.store.initial_write(columns.tenant, columns.record_id or "")
            except MessageDamaged as error:
                self.tell_damage(tenant, error.cid, error)
                continue
            yield columns, tags_of(message), message, initial, seq

    def data_of(
        self, tenant: int, did: str, cid: str, write: Message, inline: bytes | None, *, is_latest: bool
    ) -> DataStream | None:
        """Return the data of a stored RecordsWrite; None if a later state of its record has taken its place.

        Parameters:
            did, cid: the tenant's DID, and the message's CID.

        Raises:
            MessageDamaged: it is missing. What is wrong with it otherwise is found, and raised so, when it is read.
        """
        if inline is not None:
            return DataStream(inline)
        blob = self.store.blob(tenant, write["recordId"], write["descriptor"]["dataCid"])
        if blob is None and is_latest:
            missing = MessageDamaged(cid, f"the data of message {cid} is missing")
            self.tell_damage(did, cid, missing)
            raise missing
        return None if blob is None else DataStream(partial(self._read, tenant, did, cid, blob), blob.size)

    async def _read(self, tenant: int, did: str, cid: str, blob: BlobRow, start: int = 0) -> AsyncIterator[bytes]:
        size = start
        try:
            async with reading(self.blobs.get(blob.key, start)) as chunks:
                async for chunk in chunks:
                    size += len(chunk)
                    if size > blob.size:
                        break
                    yield chunk
            if size != blob.size:
                raise StorageCorrupt(f"it has {size} bytes, not {blob.size}")
        except (BlobMissing, StorageCorrupt) as error:
            if not self.store.has_blob(tenant, blob.key):
                raise  # it was replaced or deleted meanwhile
            damage = MessageDamaged(cid, f"the data of message {cid} cannot be read: {error}")
            self.tell_damage(did, cid, damage)
            raise damage from error

    def tell_damage(self, did: str, cid: str, error: Exception) -> None:
        """Tell that a stored message, or its data, cannot be read."""
        notify(f"a hook failed on {cid}, which is damaged", self.on_damage, did, cid, error)


def reply(code: int, detail: str, **more: Any) -> Reply:
    """Return a reply in the wire's shape, without the properties that are None."""
    return {"status": {"code": code, "detail": detail}} | {
        name: value for name, value in more.items() if value is not None
    }


def json_size(body: str) -> int:
    """Return the bytes of a stored message on the wire, which is ASCII."""
    return len(body) if body.isascii() else len(json.dumps(body))


def allows(check: Callable[[], None]) -> Callable[[], bool]:
    """Return a function that tells whether a check passes."""

    def passes() -> bool:
        try:
            check()
        except DwnError:
            return False
        return True

    return passes
