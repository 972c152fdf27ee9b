"""The parts of the engine that all handlers use, and the messages that they are called with."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Any

from web5.dwn.authentication import Verifier
from web5.dwn.codes import Code
from web5.dwn.data import DataSource, DataStream
from web5.dwn.events import Applied, EventStream, Handler, Hook
from web5.dwn.store.database import Database
from web5.dwn.store.store import Store
from web5.dwn.time_window import SUBSCRIPTION_SECONDS, check_date
from web5.dwn.timestamps import format_timestamp
from web5.dwn.types import Message
from web5.errors import DwnError, NotImplementedByDwn
from web5.ports.blobs import Blobs
from web5.ports.clock import Clock
from web5.tasks import notify

Reply = dict[str, Any]
Change = tuple[Applied, list[str]]
"""A message that was stored, and the keys of blobs to delete once that is durable."""


@dataclass(frozen=True, slots=True)
class Call:
    """One message to process, with what came along, such as its CID if that was computed already."""

    tenant: str
    message: Message
    data: DataSource | None = None
    source: str | None = None
    subscription_handler: Handler | None = None
    cid: str | None = None
    room: Callable[[], int] | None = None

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
    events: EventStream = field(default_factory=EventStream)
    _unpublished: deque[Applied] = field(default_factory=deque)

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

    def commit(self, change: Callable[[], Change]) -> Change:
        """Store one message in a transaction of its own. `publish` must follow, without an await between."""
        with self.database.transaction():
            found = change()
            self.run_hooks(found[0])
        return found

    def run_hooks(self, applied: Applied) -> None:
        """Call the hooks of the transaction under way."""
        for hook in self.in_transaction:
            hook(applied)

    async def publish(self, changes: Sequence[Change]) -> None:
        """Make a transaction durable, call the hooks and notify the subscribers, then delete blobs without a message.

        Parameters:
            changes: of the transaction, at least one.

        Raises:
            StorageError: they are committed but not durable; they are published once a later flush succeeds.
        """
        self._unpublished.extend(applied for applied, _ in changes)
        await self.database.flush()
        self._publish_until(changes[-1][0].seq)
        if keys := [key for _, garbage in changes for key in garbage]:
            await self.blobs.delete(keys)

    def _publish_until(self, durable: int) -> None:
        # In the order of the event log, whichever call waits for it first.
        while self._unpublished and self._unpublished[0].seq <= durable:
            applied = self._unpublished.popleft()
            # The message is stored whatever a hook makes of it.
            notify(f"a hook failed on {applied.message_cid}", (*self.after_commit, self.events.emit), applied)

    def data_of(self, tenant: int, write: Message, inline: bytes | None) -> DataStream | None:
        """Return the data of a stored RecordsWrite, if it is held."""
        if inline is not None:
            return DataStream(inline)
        blob = self.store.blob(tenant, write["recordId"], write["descriptor"]["dataCid"])
        return None if blob is None else DataStream(lambda: self.blobs.get(blob.key), blob.size)


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
