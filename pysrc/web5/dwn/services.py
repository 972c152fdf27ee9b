"""What the handlers of all message kinds work with."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from web5.dwn.authentication import Verifier
from web5.dwn.codes import Code
from web5.dwn.data import DataSource, DataStream
from web5.dwn.events import Applied, EventStream, Handler, Hook
from web5.dwn.store.database import Database
from web5.dwn.store.store import Store
from web5.errors import NotImplementedByDwn
from web5.ports.blobs import Blobs
from web5.tasks import notify

Message = dict[str, Any]
Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One message to process, with what came along.

    Parameters:
        cid: the message's, if whoever hands it in has computed it.
    """

    tenant: str
    message: Message
    data: DataSource | None = None
    source: str | None = None
    subscription_handler: Handler | None = None
    cid: str | None = None

    def require_handler(self, code: Code) -> Handler:
        """Return the subscription handler.

        Raises:
            NotImplementedByDwn: there is none, so that a subscription would be of no use; the reference says this where
                it has no event stream.
        """
        if self.subscription_handler is None:
            raise NotImplementedByDwn(code, "Subscriptions are not supported")
        return self.subscription_handler


@dataclass(slots=True)
class Services:
    database: Database
    store: Store
    blobs: Blobs
    verifier: Verifier
    in_transaction: list[Hook] = field(default_factory=list)
    after_commit: list[Hook] = field(default_factory=list)
    events: EventStream = field(default_factory=EventStream)
    _untold: deque[Applied] = field(default_factory=deque)

    async def settle(self, applied: Sequence[Applied], garbage: Iterable[str]) -> None:
        """Make the messages of a transaction durable, tell the hooks and the subscribers, then delete the blobs that
        nothing names any more. Call it right after the transaction, without an await between.

        Parameters:
            applied: at least one.

        Raises:
            StorageError: they are committed but not durable; they are told once a later flush succeeds.
        """
        self._untold.extend(applied)
        await self.database.flush()
        self._tell(applied[-1].seq)
        keys = list(garbage)
        if keys:
            await self.blobs.delete(keys)

    def _tell(self, durable: int) -> None:
        """Tell what is durable in the order of the event log, whichever call waits for it first."""
        while self._untold and self._untold[0].seq <= durable:
            applied = self._untold.popleft()
            # The message is stored whatever a hook makes of it.
            notify(f"a hook failed on {applied.message_cid}", (*self.after_commit, self.events.emit), applied)

    def data_of(self, tenant: int, write: Message, inline: bytes | None) -> DataStream | None:
        """The data of a stored RecordsWrite, if it is held."""
        if inline is not None:
            return DataStream(inline)
        blob = self.store.blob(tenant, write["recordId"], write["descriptor"]["dataCid"])
        if blob is None:
            return None
        return DataStream(lambda: self.blobs.get(blob.key), blob.size)


def reply(code: int, detail: str, **more: Any) -> Reply:
    """A reply in the wire's shape, without the properties that are None."""
    return {"status": {"code": code, "detail": detail}} | {
        name: value for name, value in more.items() if value is not None
    }
