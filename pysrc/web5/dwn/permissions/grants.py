"""A permission grant as what it says (`src/protocols/permission-grant.ts`), and where it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_decode
from web5.dwn.codes import Code
from web5.dwn.javascript import parse_json
from web5.dwn.jws import message_signer
from web5.dwn.permissions import protocol
from web5.dwn.store.store import Store
from web5.errors import BadRequest, CryptoError, Unauthorized

Message = Mapping[str, Any]

_NEVER = "~"
"""After every timestamp."""


@dataclass(frozen=True, slots=True)
class Grant:
    """
    Parameters:
        id: the record ID of the grant.
        grantor: who signed it. A grant that a delegate signed is the delegate's.
        date_granted: from when it holds, inclusive.
        date_expires: until when it holds, exclusive.
        scope: None if the grant has none.

    A grant that came along with a message may have been accepted by no DWN, and so may say anything until
    `delegation.check_genuine` has passed it; until then it is read as JavaScript would read it.
    """

    id: str
    grantor: str
    grantee: str | None
    date_granted: str
    date_expires: str
    scope: Mapping[str, Any] | None
    conditions: Mapping[str, Any]

    @staticmethod
    def of(message: Message, data: bytes) -> Grant:
        """The grant that a RecordsWrite with this data is.

        Raises:
            BadRequest: the data cannot be read, or nobody signed it.
        """
        says = permission_data(data)
        date_expires, scope = says.get("dateExpires"), says.get("scope")
        return Grant(
            id=message["recordId"],
            grantor=message_signer(message),
            grantee=message["descriptor"].get("recipient"),
            date_granted=message["descriptor"]["dateCreated"],
            date_expires=date_expires if type(date_expires) is str else _NEVER,
            scope=None if scope is None else _properties(scope),
            conditions=_properties(says.get("conditions")),
        )

    @staticmethod
    def within(message: Message) -> Grant:
        """The grant that came along with a message (its `encodedData` is the data).

        Raises:
            BadRequest: as `of` does, or the data cannot be decoded.
        """
        return Grant.of(message, encoded_data(message))


def _properties(value: Any) -> dict[str, Any]:
    return value if type(value) is dict else {}


def permission_data(data: bytes | None) -> dict[str, Any]:
    """The JSON object in a permission record; any other value has no properties.

    Raises:
        BadRequest: the data are missing, no JSON, or null.
    """
    try:
        value = None if data is None else parse_json(data)
    except (ValueError, RecursionError):
        value = None
    if value is None:
        raise BadRequest("", "the permission record has no data that can be read")
    return _properties(value)


def encoded_data(message: Message) -> bytes:
    """
    Raises:
        BadRequest: `encodedData` is not base64url.
    """
    try:
        return b64url_decode(message["encodedData"].rstrip("="))
    except CryptoError as error:
        raise BadRequest("", f"the data of the grant cannot be decoded: {error}") from error


def fetch_grant(store: Store, tenant: int, grant_id: str) -> Grant:
    """The grant with this record ID, in its latest state.

    Raises:
        Unauthorized: `GrantAuthorizationGrantMissing`: there is none, or it was deleted.
    """
    row = next((row for row in store.record(tenant, grant_id) if row.latest), None)
    message = row.message if row is not None and row.method == "Write" else None
    descriptor = message["descriptor"] if message is not None else {}
    if message is None or row is None or row.data is None or not is_grant(descriptor):
        raise Unauthorized(
            Code.GrantAuthorizationGrantMissing, f"Could not find permission grant with record ID {grant_id}."
        )
    return Grant.of(message, row.data)


def is_grant(descriptor: Mapping[str, Any]) -> bool:
    """True of the descriptor of a grant.

    The reference looks at the path only; but what another protocol has at a path `grant` was never checked as a grant.
    """
    return descriptor.get("protocol") == protocol.URI and descriptor.get("protocolPath") == protocol.GRANT
