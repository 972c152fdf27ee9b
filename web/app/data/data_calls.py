"""The calls of the page about its data: records, messages, protocols, and who may do what with them."""

from __future__ import annotations

from typing import Any

from app.data import access, data

from web5 import Web5
from web5.agent.delegation.connect.wallet import ConnectRequest
from web5.errors import InvalidArgument

SHARED = frozenset(
    {
        "data_message",
        "data_messages",
        "data_records",
        "delete_record",
        "export_message",
        "grants",
        "protocols",
        "verify_message",
    }
)
"""Those of `app.service.SHARED`: they give nobody access to anything, nor let anybody write."""

OWN = frozenset({"give_access", "grant_request", "install_protocol", "read_request", "revoke_grants"})
"""The others of `app.service.METHODS`."""


class DataCalls:
    """A part of the service, for whoever looks at what the DWN holds."""

    _linked: tuple[str, ConnectRequest] | None = None
    """The link that was read last, and the request that it led to, which cannot be fetched again."""

    @property
    def web5(self) -> Web5:
        """The API for the identity in use."""
        raise NotImplementedError

    async def data_records(
        self,
        order: data.Order,
        limit: int,
        protocol: str | None = None,
        published: bool | None = None,
        cursor: data.Cursor | None = None,
    ) -> dict[str, Any]:
        """Return a page of the records, and the cursor of the next."""
        return await data.records(
            self.web5, order=order, protocol=protocol, published=published, cursor=cursor, limit=limit
        )

    async def data_messages(
        self, newest_first: bool, limit: int, method: data.Method | None = None, cursor: data.Cursor | None = None
    ) -> dict[str, Any]:
        """Return a page of the messages, and the cursor of the next."""
        return await data.messages(self.web5, method=method, newest_first=newest_first, cursor=cursor, limit=limit)

    async def data_message(self, cid: str) -> dict[str, Any]:
        """Return everything about one message."""
        return await data.message(self.web5, cid)

    async def verify_message(self, cid: str, data_too: bool = False) -> list[dict[str, str]]:
        """Check a message: its CID, what was signed, by whom, and its data."""
        return await data.verify(self.web5, cid, data=data_too)

    async def export_message(self, cid: str) -> str:
        """Return a message with its data as the text of a JSON file."""
        return await data.exported(self.web5, cid)

    async def delete_record(self, id: str) -> None:
        """Delete a record; one that is not here is no error."""
        await data.delete(self.web5, id)

    async def protocols(self) -> list[dict[str, Any]]:
        """Return the configured protocols."""
        return await access.protocols(self.web5)

    async def install_protocol(self, text: str) -> str:
        """Configure a protocol, and return its URI."""
        return await access.install(self.web5, text)

    async def grants(self) -> dict[str, Any]:
        """Return who may do what, and who asks for it."""
        return await access.grants(self.web5)

    async def revoke_grants(self, ids: list[str]) -> None:
        """End grants."""
        await access.revoke(self.web5, ids)

    async def grant_request(self, id: str, days: int) -> None:
        """Grant what a request that came here asks for."""
        await access.grant_request(self.web5, id, days)

    async def read_request(self, text: str) -> dict[str, Any]:
        """Return what an app's request, or the one that its link leads to, asks for."""
        if not access.is_link(text):
            return await access.shown(self.web5, access.read_request(text))
        if self._linked is None or self._linked[0] != text:
            self._linked = text, await access.read_link(self.web5, text)
        return await access.shown(self.web5, self._linked[1])

    async def give_access(self, text: str, days: int) -> str:
        """Grant what an app's request asks for, and return the delegation; where a link led to it, the PIN."""
        if not access.is_link(text):
            return await access.give_access(self.web5, text, days)
        if self._linked is None or self._linked[0] != text:
            raise InvalidArgument("Look at what the link leads to first.")
        pin = await access.connect_app(self.web5, self._linked[1], days)
        self._linked = None
        return pin
