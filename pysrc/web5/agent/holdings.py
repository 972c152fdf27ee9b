"""Looks into the local DWN, for those parts of its own agent that need no signature for that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web5.dwn import Dwn, compose
from web5.dwn.store.protocols import configurations
from web5.dwn.types import Message


class Holdings:
    """Looks into the local DWN of any tenant. All of it is asynchronous, since another tab may be the node."""

    def __init__(self, dwn: Dwn) -> None:
        self._dwn = dwn

    async def has(self, tenant: str, message_cid: str) -> bool:
        """Return True if the tenant has this message."""
        return self._dwn.store.has(tenant, message_cid)

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
