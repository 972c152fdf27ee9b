"""Permission requests, grants and revocations, made as dwn-sdk-js makes them (`src/protocols/permissions.ts`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from web5.crypto.encoding import b64url_encode
from web5.crypto.jws import MessageSigner
from web5.dwn.codes import Code
from web5.dwn.compose import Message, records_write
from web5.dwn.permissions import protocol
from web5.dwn.permissions.grants import encoded_data, permission_data
from web5.dwn.signing import as_json, sign_as_owner, sign_as_owner_delegate, without_none
from web5.dwn.urls import normalize_url
from web5.errors import BadRequest
from web5.ports.clock import Clock

__all__ = [
    "PermissionRecord",
    "permission_grant",
    "permission_request",
    "permission_revocation",
    "sign_as_owner",
    "sign_as_owner_delegate",
]


@dataclass(frozen=True, slots=True)
class PermissionRecord:
    """A RecordsWrite of the permissions protocol, and its data, to be sent together."""

    message: Message
    data: bytes

    @property
    def encoded(self) -> Message:
        """The message with its data in it, as it goes along with what a delegate signs (`delegated_grant`)."""
        return {**self.message, "encodedData": b64url_encode(self.data)}


async def permission_request(
    signer: MessageSigner,
    clock: Clock,
    *,
    scope: Mapping[str, Any],
    delegated: bool = False,
    description: str | None = None,
    conditions: Mapping[str, Any] | None = None,
    date_requested: str | None = None,
) -> PermissionRecord:
    """A request for a grant, to be sent to the DWN of the one who is asked.

    Parameters:
        scope: `interface`, `method`, and what narrows them: `protocol`, and of records `contextId` or `protocolPath`.
        delegated: whether to act as the grantor is asked for.
        conditions: `{"publication": "Required" or "Prohibited"}`.

    Raises:
        BadRequest: a scope for records without a protocol, or one whose URL cannot be normalized.
    """
    scope = _scope(scope, Code.PermissionsProtocolCreateRequestRecordsScopeMissingProtocol)
    says = without_none(description=description, delegated=delegated, scope=scope, conditions=conditions)
    return await _record(signer, clock, protocol.REQUEST, says, tags=_tags(scope), date=date_requested)


async def permission_grant(
    signer: MessageSigner,
    clock: Clock,
    *,
    granted_to: str,
    date_expires: str,
    scope: Mapping[str, Any],
    delegated: bool | None = None,
    description: str | None = None,
    request_id: str | None = None,
    conditions: Mapping[str, Any] | None = None,
    date_granted: str | None = None,
) -> PermissionRecord:
    """A grant, to be sent to the DWN of the grantor.

    Parameters:
        granted_to: the DID of the grantee.
        date_expires: the first moment at which it no longer holds, such as "2030-01-01T00:00:00.000000Z".
        scope, conditions: as of a request.
        delegated: True lets the grantee sign for the grantor; the grant then comes along with the message.
        request_id: the record ID of the request that it answers.

    Raises:
        BadRequest: as of a request.
    """
    scope = _scope(scope, Code.PermissionsProtocolCreateGrantRecordsScopeMissingProtocol)
    says = without_none(
        dateExpires=date_expires,
        requestId=request_id,
        description=description,
        delegated=delegated,
        scope=scope,
        conditions=conditions,
    )
    return await _record(
        signer, clock, protocol.GRANT, says, tags=_tags(scope), recipient=granted_to, date=date_granted
    )


async def permission_revocation(
    signer: MessageSigner,
    clock: Clock,
    *,
    grant: PermissionRecord | Mapping[str, Any],
    description: str | None = None,
) -> PermissionRecord:
    """The end of a grant, from the moment of this message on.

    Parameters:
        grant: as it was made, or the RecordsWrite with its `encodedData`, as queries give it.

    Raises:
        BadRequest: the data of the grant cannot be read.
    """
    if isinstance(grant, PermissionRecord):
        grant = grant.encoded
    scope = permission_data(encoded_data(grant)).get("scope", {})
    return await _record(
        signer,
        clock,
        protocol.REVOCATION,
        without_none(description=description),
        tags=_tags(scope),
        parent_context_id=grant["recordId"],
    )


async def _record(
    signer: MessageSigner,
    clock: Clock,
    path: str,
    says: Mapping[str, Any],
    *,
    date: str | None = None,
    **options: Any,
) -> PermissionRecord:
    data = as_json(says)
    message = await records_write(
        signer,
        clock,
        data=data,
        data_format="application/json",
        protocol=protocol.URI,
        protocol_path=path,
        date_created=date,
        **options,
    )
    return PermissionRecord(message, data)


def _scope(scope: Mapping[str, Any], missing: Code) -> dict[str, Any]:
    if scope["interface"] == "Records" and "protocol" not in scope:
        raise BadRequest(missing, "a scope for records has a protocol")
    return {name: normalize_url(value) if name == "protocol" else value for name, value in scope.items()}


def _tags(scope: Mapping[str, Any]) -> dict[str, Any] | None:
    """A record about one protocol has it as a tag too, so that what queries for that protocol finds it."""
    return {"protocol": scope["protocol"]} if "protocol" in scope else None
