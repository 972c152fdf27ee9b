"""What a DWN asks of permission records beyond the rules of protocols (`src/handlers/records-write.ts`).

What the reference does after a revocation is stored, deleting what was written under the grant since, is not here: it
looks for a property that no message is filed under, and so never finds any.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from web5.dwn.codes import Code
from web5.dwn.permissions import protocol
from web5.dwn.permissions.data import check_data
from web5.dwn.permissions.grants import fetch_grant
from web5.dwn.store.store import Store
from web5.errors import BadRequest, DwnError

Descriptor = Mapping[str, Any]


def check_revocation(store: Store, tenant: int, descriptor: Descriptor) -> None:
    """A revocation has the protocol of its grant as a tag, so that a query for that protocol finds it.

    Parameters:
        descriptor: of any RecordsWrite whose parent is known to be there.

    Raises:
        BadRequest: `PermissionsProtocolValidateRevocationProtocolTagMismatch`, or the grant cannot be read.
    """
    if (descriptor.get("protocol"), descriptor.get("protocolPath")) != (protocol.URI, protocol.REVOCATION):
        return
    try:
        scope = fetch_grant(store, tenant, descriptor["parentId"]).scope
    except DwnError as error:
        raise BadRequest(error.code, error.message) from error
    granted = None if scope is None else scope.get("protocol")
    tagged = descriptor.get("tags", {}).get("protocol")
    if tagged != granted:
        raise BadRequest(
            Code.PermissionsProtocolValidateRevocationProtocolTagMismatch,
            f"Revocation protocol {tagged} does not match grant protocol {granted}",
        )


def check_permission_data(descriptor: Descriptor, data: bytes) -> None:
    """The data of a permission record are what `data.check_data` says; those of other records are not looked at.

    Raises:
        BadRequest: with the reference's code.
    """
    if descriptor.get("protocol") == protocol.URI:
        check_data(descriptor, data)
