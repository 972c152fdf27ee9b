"""The quotas of a tenant at an endpoint, as servers have them: counted by what is really stored there."""

from __future__ import annotations

from dataclasses import dataclass

from web5.dwn import Dwn
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import ErrorCode, reply_in

STORED = (
    "SELECT count(*), coalesce(sum(length(message) + coalesce(length(data), 0)), 0) FROM dwn_message WHERE tenant = ?"
)
BLOBS = "SELECT coalesce(sum(size), 0) FROM dwn_blob WHERE tenant = ?"


@dataclass(frozen=True, slots=True)
class Quota:
    """The most that a tenant may have at an endpoint, and the most data of one record.

    Parameters:
        bytes, messages, data: None: as much as there is.
        words: how it is said: "507", as a status; "code", by a data code, as today's servers do.
    """

    bytes: int | None = None
    messages: int | None = None
    data: int | None = None
    words: str = "code"

    def refusal(self, dwn: Dwn, tenant: str, message: Message, body: bytes | None) -> Message | None:
        """Return the reply to a message for which there is no room; None if there is. A delete makes room."""
        descriptor = message["descriptor"]
        if f"{descriptor['interface']}{descriptor['method']}" not in ("RecordsWrite", "ProtocolsConfigure"):
            return None
        if self.data is not None and len(body or b"") > self.data:
            if self.words == "507":
                return {"status": {"code": 413, "detail": "ContentTooLarge: too much"}}
            return _error(ErrorCode.INVALID_PARAMS, "RecordDataSizeLimitExceeded")
        count, size = stored(dwn, tenant)
        if self.messages is not None and count >= self.messages:
            code = "TenantMessageQuotaExceeded"
        elif self.bytes is not None and size + len(str(message)) + len(body or b"") > self.bytes:
            code = "TenantStorageQuotaExceeded"
        else:
            return None
        if self.words == "507":
            return {"status": {"code": 507, "detail": "InsufficientStorage: quota is full"}}
        return _error(ErrorCode.INTERNAL_ERROR, code)


NO_QUOTA = Quota()


def stored(dwn: Dwn, tenant: str) -> tuple[int, int]:
    """Return the number of a tenant's messages that a node has, and their bytes."""
    db, number = dwn.database.connection, dwn.store.tenant(tenant)
    [(count, size)] = db.execute(STORED, (number,))
    [(blobs,)] = db.execute(BLOBS, (number,))
    return count, size + blobs


def _error(code: ErrorCode, name: str) -> Message:
    return reply_in({"error": {"code": int(code), "message": "it is full", "data": {"code": name}}}, "")


STORE_FAILED = {"status": {"code": 500, "detail": "StorageError: this node's store failed"}}
"""The reply where data cannot be read (`web5.node.dwn.endpoint`)."""
