"""What the handlers of all message kinds work with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from ..ports.blobs import Blobs
from .authentication import Verifier
from .data import DataSource, DataStream
from .store.database import Database
from .store.store import Store

Message = dict[str, Any]
Reply = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One message to process, with what came along."""

    tenant: str
    message: Message
    data: DataSource | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """A message that was stored.

    Parameters:
        seq: its number in the event log; numbers of one database only grow.
        is_latest_base_state: False for an initial write without data, which queries do not see.
        source: who brought the message, such as an endpoint's URL; None if it was made here.
        initial_write: the record's first write, where the message itself is not it.
    """

    tenant: str
    message_cid: str
    seq: int
    message: Message
    is_latest_base_state: bool
    source: str | None
    initial_write: Message | None


Hook = Callable[[Applied], None]


@dataclass(slots=True)
class Services:
    database: Database
    store: Store
    blobs: Blobs
    verifier: Verifier
    in_transaction: list[Hook] = field(default_factory=list)
    after_commit: list[Hook] = field(default_factory=list)

    async def settle(self, applied: Applied, garbage: Iterable[str]) -> None:
        """Make a committed message durable, then delete the blobs that nothing names any more, and tell the hooks.

        Raises:
            StorageError: it is committed but not durable.
        """
        await self.database.flush()
        keys = list(garbage)
        if keys:
            await self.blobs.delete(keys)
        for hook in self.after_commit:
            hook(applied)

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
