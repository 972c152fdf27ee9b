"""The Decentralized Web Node: one entry for every message.

Invariants:
1. What a message is refused for never changes what is stored.
2. Everything asynchronous that depends on the message alone (resolution, signatures, hashing, spooling) comes first;
   then reading, checking and writing happen in one synchronous transaction.
3. A success of a write is replied only after the database has flushed it.
4. A blob is put before the transaction that names it and deleted after the one that gives it up is durable, so a crash
   leaves at most blobs that nothing names; `open` drops those.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from web5.dids.resolver import DidResolver
from web5.dwn.codes import Code
from web5.dwn.data import DataSource, DataStream
from web5.dwn.events import Handler, Hook, Subscription
from web5.dwn.mending import is_whole, mend
from web5.dwn.messages import (
    messages_history,
    messages_interface,
    protocols_interface,
    records_delete,
    records_query,
    records_read,
    records_write,
)
from web5.dwn.services import Call, DamageHook, Reply, Services, reply
from web5.dwn.shared_log import SharedLog
from web5.dwn.signatures.authentication import Verifier
from web5.dwn.store.database import Database
from web5.dwn.store.protocols import configured
from web5.dwn.store.store import Store
from web5.dwn.store.whole import erase
from web5.dwn.values.faults import shown
from web5.dwn.values.javascript import as_javascript
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url
from web5.errors import DwnError, MessageDamaged
from web5.ports.blobs import Blobs
from web5.ports.clock import Clock
from web5.ports.crypto import Signatures

_HANDLERS: dict[str, Callable[[Services, Call], Awaitable[Reply]]] = {
    "RecordsWrite": records_write.handle,
    "RecordsRead": records_read.handle,
    "RecordsQuery": records_query.handle_query,
    "RecordsSubscribe": records_query.handle_subscribe,
    "RecordsDelete": records_delete.handle,
    "MessagesQuery": messages_interface.handle_query,
    "MessagesRead": messages_interface.handle_read,
    "MessagesSubscribe": messages_interface.handle_subscribe,
    "MessagesHistory": messages_history.handle_history,
    "MessagesReplicate": messages_history.handle_replicate,
    "ProtocolsConfigure": protocols_interface.handle_configure,
    "ProtocolsQuery": protocols_interface.handle_query,
}

METHODS = frozenset(_HANDLERS)
"""The kinds of messages that there are, as interface and method in one word."""


class TenantGate(Protocol):
    async def refusal(self, tenant: str) -> str | None:
        """Return the reason why a tenant is not served here ("" for the usual one), or None if it is served."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored message, with its data if that is held."""

    message: Message
    data: DataStream | None


class Delivery(NamedTuple):
    """A RecordsWrite with its computed CID, and its data of at most `data.MAX_INLINE_BYTES` if that came along."""

    message: Any
    data: bytes | None
    cid: str


@dataclass(frozen=True, slots=True)
class CheckedWrites:
    """RecordsWrites that were checked, for `Dwn.store_writes`.

    Parameters:
        refused: the replies, if the tenant is not served.
    """

    tenant: str
    writes: Sequence[records_write.Checked]
    refused: list[Reply] | None = None


class Dwn:
    """A DWN for any number of tenants.

    Parameters:
        database: may be shared with other components; the engine's tables are `dwn_…`.
        blobs: for data over 30,000 bytes. Others may keep blobs there under keys that begin with a word of their own
            and "-".
        clock: by which grants for reading end, whatever date the one who reads writes.
        window_seconds: for a remote node, the time that a signed question has, and the furthest that a message may be
            dated ahead (`time_window`); None: dates are not looked at.
        tenant_gate: without one, every tenant is served.

    Attributes:
        store: the tables, for those in the same process that need no signature (sync).
        blobs: where large data are, for them likewise.
        others_blobs: the keys of blobs that others kept there when this was opened.
        in_transaction: hooks that are called inside the transaction that stores a message; what one raises undoes the
            message and comes out of `process_message`.
        after_commit: hooks that are called once a message is durable.
        on_damage: called with the tenant, the CID and the error when a stored message, or its data, cannot be read.
    """

    def __init__(
        self,
        *,
        database: Database,
        blobs: Blobs,
        resolver: DidResolver,
        crypto: Signatures,
        clock: Clock,
        window_seconds: float | None = None,
        tenant_gate: TenantGate | None = None,
    ) -> None:
        self.database = database
        self.store = Store(database)
        self.blobs = blobs
        self.others_blobs: set[str] = set()
        self._services = Services(database, self.store, blobs, Verifier(resolver, crypto), clock, window_seconds)
        self._gate = tenant_gate
        self.in_transaction: list[Hook] = self._services.in_transaction
        self.after_commit: list[Hook] = self._services.after_commit
        self.on_damage: list[DamageHook] = self._services.on_damage

    async def open(self) -> None:
        """Bring the tables up to date and drop the blobs that a crash left behind, or raise StorageError."""
        self.store.open()
        if self.database.is_shared:  # another process may be putting a blob that nothing names yet
            return
        blobs = self._services.blobs
        keys = await blobs.keys()
        self.others_blobs = {key for key in keys if "-" in key}
        if orphans := keys - self.others_blobs - self.store.blob_keys():
            await blobs.delete(orphans)
        await self._services.database.flush()

    async def process_message(
        self,
        tenant: str,
        message: Any,
        data: DataSource | None = None,
        subscription_handler: Handler | None = None,
        *,
        source: str | None = None,
        room: Callable[[], int] | None = None,
        replicated: bool = False,
    ) -> Reply:
        """Process one message; the reply has the wire's shape, with a `DataStream` for data.

        Parameters:
            tenant: the DID whose DWN the message is for.
            message: any JSON value.
            data: the record's data, for a RecordsWrite.
            subscription_handler: is called with each event of a subscription; the reply's `subscription` ends it.
            source: who brought the message, passed on to the hooks; None if it was made here.
            room: asked when the entries of a query are gathered: the bytes of JSON that they may have. The reply then
                ends after fewer, at least one, and has a cursor. Without it, all that was asked for is given.
            replicated: one of the tenant's own DWNs had the message already, so that it may be from the past: it is
                judged by what held at its time, too (`dwn.history`). Never say so of what a stranger brings.

        Raises:
            StorageError: the store failed; nothing of a write is kept.
            Whatever `data` or a hook raises.
        """
        try:
            if self._gate is not None and (refusal := await self._gate.refusal(tenant)) is not None:
                return _not_served(tenant, refusal)
            message = as_javascript(message)
            handler = _handler(message)
            self._services.check_date(message)
            call = Call(tenant, message, data, source, subscription_handler, room=room, replicated=replicated)
            return await handler(self._services, call)
        except DwnError as error:
            return reply(error.status, error.detail)
        except MessageDamaged as error:
            self._services.tell_damage(tenant, error.cid, error)
            raise

    async def process_writes(
        self, tenant: str, deliveries: Sequence[Delivery], *, source: str | None = None, replicated: bool = False
    ) -> list[Reply]:
        """Process RecordsWrites in one transaction with one flush, and return their replies.

        Raises as `process_message` does; what a hook raises undoes all of them.
        """
        return await self.store_writes(
            await self.check_writes(tenant, deliveries, source=source, replicated=replicated)
        )

    async def check_writes(
        self, tenant: str, deliveries: Sequence[Delivery], *, source: str | None = None, replicated: bool = False
    ) -> CheckedWrites:
        """Do the part of `process_writes` that changes nothing, and depends on nothing that is stored.

        It may be done while others are stored.
        """
        if self._gate is not None and (refusal := await self._gate.refusal(tenant)) is not None:
            return CheckedWrites(tenant, [], [_not_served(tenant, refusal)] * len(deliveries))
        calls = [
            Call(tenant, message, data, source, cid=cid, replicated=replicated) for message, data, cid in deliveries
        ]
        return CheckedWrites(tenant, await records_write.check_each(self._services, calls))

    async def store_writes(self, checked: CheckedWrites) -> list[Reply]:
        """Do the rest of `process_writes`; raises as that does."""
        if checked.refused is not None:
            return checked.refused
        try:
            found = await records_write.store_each(self._services, checked.writes)
        except MessageDamaged as error:
            self._services.tell_damage(checked.tenant, error.cid, error)
            raise
        return [reply(one.status, one.detail) if isinstance(one, DwnError) else one for one in found]

    @property
    def shared_log(self) -> SharedLog | None:
        """The log of a database that other processes write to, too; None, if it is this one's alone."""
        return self._services.shared_log

    @property
    def last_published(self) -> int:
        """The number in the event log up to which all subscribers were told."""
        return self._services.last_published

    def catch_up(self, subscription: Subscription, tenant: str, after: int) -> None:
        """Notify a subscription of what it would have been told since a number in the event log.

        Of a record that changed several times, only the state that it has now; what is told already is not told again.
        """
        self._services.catch_up(subscription, tenant, after)

    async def review_subscriptions(self) -> None:
        """End the subscriptions that a grant, a role or the tenant gate allows no more; to be called now and then."""
        for tenant, subscriptions in self._services.events.by_tenant():
            is_served = self._gate is None or await self._gate.refusal(tenant) is None
            for subscription in subscriptions:
                subscription.review(is_served=is_served)
                await asyncio.sleep(0)

    async def read_stored(self, tenant: str, cid: str) -> Stored | None:
        """Return a message by its CID, without any authorization.

        Raises:
            MessageDamaged: it, or its data, cannot be read.
        """
        number = self.store.tenant(tenant)
        row = self.store.message(number, cid)
        if row is None:
            return None
        try:
            message, data = row.message, None
        except MessageDamaged as error:
            self._services.tell_damage(tenant, cid, error)
            raise
        if row.method == "Write":
            data = self._services.data_of(number, tenant, cid, message, row.data, is_latest=row.latest)
        return Stored(message, data)

    async def is_whole(self, tenant: str, cid: str) -> bool:
        """Read a stored message and its data, and return whether they are what its CID stands for."""
        return await is_whole(self._services, tenant, cid)

    async def mend(self, tenant: str, cid: str, message: Message, data: DataSource | None) -> Reply:
        """Put a message that somebody has given in the place of the same one, which cannot be read any more.

        Returns:
            202: it is as it was. 404: it is not held any more. 400: these are not its data.
        """
        try:
            await mend(self._services, tenant, cid, message, data)
        except DwnError as error:
            return reply(error.status, error.detail)
        return reply(202, "Accepted")

    async def erase(self, tenant: str) -> None:
        """Forget everything of a tenant; no other node hears of it. Nothing may be under way for it, or refer to it.

        Raises:
            StorageError: it could not be erased; what of its data is left then, the next opening deletes.
        """
        with self.database.erasing_transaction(makes_room=True, of=tenant):
            blobs = erase(self.store, tenant)
        await self.database.erase()
        await self.blobs.delete(blobs)

    def protocol_definition(self, tenant: str, protocol: str) -> dict[str, Any] | None:
        """Return a protocol's definition as the tenant has it configured, or None, without any authorization."""
        number = self.store.tenant(tenant)
        cid = configured(self.store, number, normalize_url(protocol))
        row = None if cid is None else self.store.message(number, cid)
        return None if row is None else row.message["descriptor"]["definition"]

    def newest_date(self, tenant: str, message: Message) -> str | None:
        """Return the date of the newest message here of the record, or the protocol, that a message is about."""
        number, descriptor = self.store.tenant(tenant), message["descriptor"]
        if "definition" in descriptor:
            cid = configured(self.store, number, descriptor["definition"]["protocol"])
            row = None if cid is None else self.store.message(number, cid)
        else:
            rows = self.store.record(number, message.get("recordId") or descriptor["recordId"])
            row = rows[-1] if rows else None
        return None if row is None else row.message_timestamp


def _not_served(tenant: str, refusal: str) -> Reply:
    return reply(401, refusal or f"DID {tenant} is not an active tenant.")


def _handler(message: Any) -> Callable[[Services, Call], Awaitable[Reply]]:
    descriptor = message.get("descriptor") if isinstance(message, dict) else None
    named = descriptor if isinstance(descriptor, dict) else {}
    interface, method = named.get("interface"), named.get("method")
    if "interface" not in named or "method" not in named:
        told = f"interface: {shown(interface)}, method: {shown(method)}"
        raise DwnError("", f"Both interface and method must be present, {told}")
    key = f"{interface}{method}"
    handler = _HANDLERS.get(key)
    if handler is None:
        raise DwnError(Code.SchemaValidatorSchemaNotFound, f"schema for {key} not found.")
    return handler
