"""Delegated grants, which come along with a message that a delegate signed (`src/utils/records.ts`).

Invariants:
1. The signature names the grant, and the grant names the signer.
2. What the grant allows is what the grantor signed. The reference does not compare the data of a grant with the
   CID that the grantor signed, so that there a delegate can write himself any scope: here the message is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from web5.dwn.cid import data_cid, message_cid
from web5.dwn.codes import Code
from web5.dwn.jws import message_signer
from web5.dwn.permissions.data import GRANT_DATA
from web5.dwn.permissions.grants import encoded_data, is_grant, permission_data
from web5.errors import BadRequest

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Delegation:
    """For whom a delegate signs: the property that has the grant, and the codes of what can be wrong."""

    property: str
    alone: Code
    not_delegated: Code
    other_grantee: Code
    other_grant: Code


AUTHOR = Delegation(
    "authorDelegatedGrant",
    Code.RecordsAuthorDelegatedGrantAndIdExistenceMismatch,
    Code.RecordsAuthorDelegatedGrantNotADelegatedGrant,
    Code.RecordsAuthorDelegatedGrantGrantedToAndOwnerSignatureMismatch,
    Code.RecordsAuthorDelegatedGrantCidMismatch,
)
OWNER = Delegation(
    "ownerDelegatedGrant",
    Code.RecordsOwnerDelegatedGrantAndIdExistenceMismatch,
    Code.RecordsOwnerDelegatedGrantNotADelegatedGrant,
    Code.RecordsOwnerDelegatedGrantGrantedToAndOwnerSignatureMismatch,
    Code.RecordsOwnerDelegatedGrantCidMismatch,
)


def check_delegation(
    kind: Delegation, grant: Message | None, claims: Mapping[str, Any], signer: Callable[[], str]
) -> None:
    """A grant and the signature that names it fit together, or there is neither.

    Parameters:
        signer: reads who signed.

    Raises:
        BadRequest: with one of the codes of `kind`.
    """
    if ("delegatedGrantId" in claims) != (grant is not None):
        raise BadRequest(
            kind.alone, f"a signature with a delegatedGrantId and {kind.property} must both be there or both be absent"
        )
    if grant is None:
        return
    message_signer(grant)  # its grantor can be read at all; the reference looks at that first
    if permission_data(encoded_data(grant)).get("delegated") is not True:
        raise BadRequest(kind.not_delegated, f"the {kind.property} is not a delegated grant")
    grantee, signed_by = grant["descriptor"].get("recipient"), signer()
    if grantee != signed_by:
        raise BadRequest(kind.other_grantee, f"the {kind.property} is for {grantee}, but {signed_by} signed")
    cid = message_cid(grant)
    if cid != claims["delegatedGrantId"]:
        raise BadRequest(
            kind.other_grant,
            f"the CID of the {kind.property} is {cid}, but {claims['delegatedGrantId']} was signed",
        )


def check_genuine(kind: Delegation, grant: Message) -> None:
    """A grant from a message is a delegated grant of the permissions protocol, with the data that its grantor signed.

    It is asked last, so that whatever the reference refuses is refused with its code.

    Raises:
        BadRequest: with one of the codes of `kind`, or with that of the grant's schema.
    """
    descriptor, data = grant["descriptor"], encoded_data(grant)
    if not is_grant(descriptor):
        raise BadRequest(kind.not_delegated, f"the {kind.property} is not a grant of the permissions protocol")
    if data_cid(data) != descriptor["dataCid"]:
        raise BadRequest(kind.other_grant, f"the data of the {kind.property} are not what its grantor signed")
    says = GRANT_DATA.check(permission_data(data))
    if says.get("delegated") is not True:
        raise BadRequest(kind.not_delegated, f"the {kind.property} is not a delegated grant")
