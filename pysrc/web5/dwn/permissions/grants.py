"""A permission grant as what it says (`src/protocols/permission-grant.ts`), and where it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.dwn.codes import Code
from web5.dwn.permissions import protocol
from web5.dwn.signatures.jws import message_signer
from web5.dwn.store.store import Store
from web5.dwn.values.cid import bare_message
from web5.dwn.values.javascript import parse_json
from web5.dwn.values.types import Message
from web5.errors import BadRequest, CryptoError, Unauthorized

_NEVER = "~"
"""After every timestamp."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission grant.

    One that came along with a message may have been accepted by no DWN, and so may say anything until
    `records.check_genuine` has passed it; until then it is read as JavaScript would read it.

    Parameters:
        message: the RecordsWrite with its `encodedData`, as it goes along with what a delegate signs.
        id: the record ID.
        grantor: who signed it. A grant that a delegate signed is the delegate's.
        date_granted: from when it holds, inclusive.
        date_expires: until when it holds, exclusive.
        scope: None if the grant has none.
        delegated: True if the grantee may sign for the grantor.
        date_revoked: from when it no longer holds, if a revocation was looked up and found.
    """

    message: Message
    id: str
    grantor: str
    grantee: str | None
    date_granted: str
    date_expires: str
    scope: Mapping[str, Any] | None
    conditions: Mapping[str, Any]
    delegated: bool
    date_revoked: str | None = None

    @staticmethod
    def parse(message: Message, date_revoked: str | None = None) -> Grant:
        """Read a RecordsWrite with its `encodedData` as a grant.

        Raises:
            BadRequest: the data cannot be read, or nobody signed it.
        """
        says = permission_data(message)
        date_expires, scope = says.get("dateExpires"), says.get("scope")
        return Grant(
            message=message,
            id=message["recordId"],
            grantor=message_signer(message),
            grantee=message["descriptor"].get("recipient"),
            date_granted=message["descriptor"]["dateCreated"],
            date_expires=date_expires if type(date_expires) is str else _NEVER,
            scope=None if scope is None else _properties(scope),
            conditions=_properties(says.get("conditions")),
            delegated=says.get("delegated") is True,
            date_revoked=date_revoked,
        )

    @property
    def date_ends(self) -> str:
        """The first moment at which it no longer holds."""
        return self.date_expires if self.date_revoked is None else min(self.date_revoked, self.date_expires)


def fetch_grant(store: Store, tenant: int, grant_id: str, at: str | None = None) -> Grant:
    """Return the grant with this record ID, in its latest state.

    Parameters:
        at: the date of a message from the past (`dwn.history`): the state in which the grant was then.

    Raises:
        Unauthorized: `GrantAuthorizationGrantMissing`: there is none, or it was deleted.
    """
    rows = store.record(tenant, grant_id)
    row = next((row for row in rows if row.latest and row.method == "Write"), None)
    if at is not None and rows and rows[-1].message_timestamp > at:
        row = rows[0]  # which has its data as long as nothing but its end is known of what came after
    message = None if row is None else row.message
    if row is None or row.data is None or message is None or not is_grant(message["descriptor"]):
        raise Unauthorized(
            Code.GrantAuthorizationGrantMissing, f"Could not find permission grant with record ID {grant_id}."
        )
    return Grant.parse(with_encoded_data(message, row.data))


def is_grant(descriptor: Mapping[str, Any]) -> bool:
    """Return True if the descriptor is that of a grant.

    The reference looks at the path only; but what another protocol has at a path `grant` was never checked as a grant.
    """
    return descriptor.get("protocol") == protocol.URI and descriptor.get("protocolPath") == protocol.GRANT


def permission_data(message: Message) -> dict[str, Any]:
    """Return the JSON object in the `encodedData` of a permission record; any other value has no properties.

    Raises:
        BadRequest: the data are missing, not base64url, no JSON, or null.
    """
    try:
        value = parse_json(encoded_data(message)) if "encodedData" in message else None
    except (ValueError, RecursionError):
        value = None
    if value is None:
        raise BadRequest("", "the permission record has no data that can be read")
    return _properties(value)


def with_encoded_data(message: Message, data: bytes) -> Message:
    """Return a RecordsWrite with its data in it, as queries give it and as it goes along with other messages."""
    return {**message, "encodedData": b64url_encode(data)}


def split_encoded_data(message: Message) -> tuple[Message, bytes]:
    """Return a RecordsWrite as it is sent, and apart from it the data that its `encodedData` holds.

    Raises:
        BadRequest: `encodedData` is not base64url.
    """
    return bare_message(message), encoded_data(message)


def encoded_data(message: Message) -> bytes:
    """Return the data that the `encodedData` of a RecordsWrite holds.

    Raises:
        BadRequest: it is not base64url.
    """
    try:
        return b64url_decode(message["encodedData"])
    except CryptoError as error:
        raise BadRequest("", f"the data of the grant cannot be decoded: {error}") from error


def _properties(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}
