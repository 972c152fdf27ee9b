"""Looks into the local DWN, for those parts of its own agent that need no signature for that."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from web5.dwn import Dwn, compose
from web5.dwn.store.protocols import configurations
from web5.dwn.store.schema import SUPERSEDED
from web5.dwn.store.search import page_of_log
from web5.dwn.store.store import parse_stored
from web5.dwn.values.types import Message
from web5.errors import MessageDamaged


class Holdings:
    """Looks into the local DWN of any tenant. All of it is asynchronous, since another tab may be the node."""

    def __init__(self, dwn: Dwn) -> None:
        self._dwn = dwn

    async def has(self, tenant: str, message_cid: str) -> bool:
        """Return True if the tenant has this message."""
        return self._dwn.store.has(tenant, message_cid)

    async def message(self, tenant: str, message_cid: str) -> Message | None:
        """Return a message, without its data; None if it is not here."""
        store = self._dwn.store
        row = store.message(store.tenant(tenant), message_cid)
        return None if row is None or row.method == SUPERSEDED else row.message

    async def log(
        self, tenant: str, method: str | None, cursor: dict[str, str] | None, limit: int, newest_first: bool
    ) -> tuple[list[tuple[str, Message]], dict[str, str] | None]:
        """Return some messages of the event log by their CIDs, without their data, and the cursor of what follows.

        A message that cannot be read is left out: `SyncEngine.damaged` has it.

        Parameters:
            method: only messages of this one: "Write", "Delete" or "Configure".
            cursor: that of the page before, in the same order.
        """
        found, following = page_of_log(
            self._dwn.store, tenant, method=method, cursor=cursor, limit=limit, newest_first=newest_first
        )
        page: list[tuple[str, Message]] = []
        for cid, body in found:
            with suppress(MessageDamaged):
                page.append((cid, parse_stored(body, cid)))
        return page, None if following is None else dict(following)

    async def record(self, tenant: str, record_id: str) -> list[Message]:
        """Return the messages of a record, the oldest first, without their data."""
        store = self._dwn.store
        return [row.message for row in store.record(store.tenant(tenant), record_id)]

    async def initial_write(self, tenant: str, record_id: str) -> Message | None:
        """Return the first write of a record, without its data."""
        store = self._dwn.store
        return store.initial_write(store.tenant(tenant), record_id)

    async def definition(self, tenant: str, protocol: str) -> dict[str, Any] | None:
        """Return a protocol's definition as the tenant has it configured, or None."""
        return self._dwn.protocol_definition(tenant, protocol)

    async def configured(self, tenant: str, definition: Mapping[str, Any]) -> Message | None:
        """Return the ProtocolsConfigure that is in force for a protocol, if that is by this very definition."""
        store, wanted = self._dwn.store, compose.normalized_definition(definition)
        number, protocol = store.tenant(tenant), wanted["protocol"]
        for one in configurations(store, number, protocol=protocol, published_only=False):
            if one.definition == wanted:
                return one.message
        return None

    async def newest_date(self, tenant: str, message: Message) -> str | None:
        """Return the date of the newest message here of the record, or the protocol, that a message is about."""
        return self._dwn.newest_date(tenant, message)
