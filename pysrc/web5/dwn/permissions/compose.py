"""Permission requests, grants and revocations, made as dwn-sdk-js makes them (`src/protocols/permissions.ts`).

Each is a RecordsWrite with its `encodedData`; `grants.split_encoded_data` parts the two, to send them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from web5.crypto.jose.jws import MessageSigner
from web5.dwn.codes import Code
from web5.dwn.compose import WriteOptions, records_write
from web5.dwn.permissions import protocol
from web5.dwn.permissions.grants import permission_data, with_encoded_data
from web5.dwn.signatures.signing import as_json, without_none
from web5.dwn.values.types import Message
from web5.dwn.values.urls import normalize_url
from web5.errors import BadRequest
from web5.ports.clock import Clock


async def permission_request(
    signer: MessageSigner,
    clock: Clock,
    *,
    scope: Mapping[str, Any],
    delegated: bool = False,
    description: str | None = None,
    conditions: Mapping[str, Any] | None = None,
) -> Message:
    """Make a request for a grant, to be sent to the DWN of the one who is asked.

    Parameters are those of `PermissionsApi.request`.

    Raises:
        BadRequest: a scope for records without a protocol, or one whose URL cannot be normalized.
    """
    scope = _scope(scope, Code.PermissionsProtocolCreateRequestRecordsScopeMissingProtocol)
    says = without_none(description=description, delegated=delegated, scope=scope, conditions=conditions)
    return await _record(signer, clock, protocol.REQUEST, says, scope)


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
) -> Message:
    """Make a grant, to be sent to the DWN of the grantor.

    Parameters are those of `PermissionsApi.grant`. A delegated grant comes along with the messages of the grantee.

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
    return await _record(signer, clock, protocol.GRANT, says, scope, recipient=granted_to)


async def permission_revocation(
    signer: MessageSigner, clock: Clock, *, grant: Message, description: str | None = None
) -> Message:
    """Make a revocation, which ends a grant from the moment of this message on.

    Raises:
        BadRequest: the data of the grant cannot be read.
    """
    scope, says = permission_data(grant).get("scope", {}), without_none(description=description)
    return await _record(signer, clock, protocol.REVOCATION, says, scope, parent_context_id=grant["recordId"])


async def _record(
    signer: MessageSigner,
    clock: Clock,
    path: str,
    says: Mapping[str, Any],
    scope: Mapping[str, Any],
    **options: Unpack[WriteOptions],
) -> Message:
    data = as_json(says)
    options |= {"data": data, "data_format": "application/json", "protocol": protocol.URI, "protocol_path": path}
    if "protocol" in scope:
        # It is a tag too, so that what queries for that protocol finds the record.
        options["tags"] = {"protocol": scope["protocol"]}
    return with_encoded_data(await records_write(signer, clock, **options), data)


def _scope(scope: Mapping[str, Any], missing: Code) -> dict[str, Any]:
    if scope["interface"] == "Records" and "protocol" not in scope:
        raise BadRequest(missing, "a scope for records has a protocol")
    return {name: normalize_url(value) if name == "protocol" else value for name, value in scope.items()}
