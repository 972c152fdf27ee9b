"""Delegated grants, which come along with a message that a delegate signed (`src/utils/records.ts`).

The signature names the grant, and the grant names the signer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from web5.dwn.codes import Code
from web5.dwn.permissions.grants import permission_data
from web5.dwn.signatures.jws import message_signer
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest


@dataclass(frozen=True, slots=True)
class DelegateSignature:
    """A signature that a delegate may make: the property that has its grant, and the codes of what can be wrong."""

    property: str
    alone: Code
    not_delegated: Code
    other_grantee: Code
    other_grant: Code


AUTHOR = DelegateSignature(
    "authorDelegatedGrant",
    Code.RecordsAuthorDelegatedGrantAndIdExistenceMismatch,
    Code.RecordsAuthorDelegatedGrantNotADelegatedGrant,
    Code.RecordsAuthorDelegatedGrantGrantedToAndOwnerSignatureMismatch,
    Code.RecordsAuthorDelegatedGrantCidMismatch,
)
OWNER = DelegateSignature(
    "ownerDelegatedGrant",
    Code.RecordsOwnerDelegatedGrantAndIdExistenceMismatch,
    Code.RecordsOwnerDelegatedGrantNotADelegatedGrant,
    Code.RecordsOwnerDelegatedGrantGrantedToAndOwnerSignatureMismatch,
    Code.RecordsOwnerDelegatedGrantCidMismatch,
)


def check_delegation(
    kind: DelegateSignature, grant: Message | None, claims: Mapping[str, Any], signer: Callable[[], str]
) -> None:
    """Check that a grant and the signature that names it fit together, or that there is neither.

    Parameters:
        signer: reads who signed.

    Raises:
        BadRequest: with one of the codes of `kind`.
    """
    if ("delegatedGrantId" in claims) != (grant is not None):
        present, absent = (kind.property, "delegatedGrantId")[:: 1 if grant is not None else -1]
        raise BadRequest(
            kind.alone,
            f"a signature with a delegatedGrantId and {kind.property} must both be there or both be absent:"
            f" {present} is there, {absent} is not",
        )
    if grant is None:
        return
    message_signer(grant)  # its grantor can be read at all; the reference looks at that first
    if permission_data(grant).get("delegated") is not True:
        raise BadRequest(kind.not_delegated, f"the {kind.property} is not a delegated grant")
    grantee, signed_by = grant["descriptor"].get("recipient"), signer()
    if grantee != signed_by:
        raise BadRequest(kind.other_grantee, f"the {kind.property} is for {grantee}, but {signed_by} signed")
    cid = message_cid(grant)
    if cid != claims["delegatedGrantId"]:
        raise BadRequest(
            kind.other_grant,
            f"the CID of the {kind.property} is {cid}, but the signed delegatedGrantId is {claims['delegatedGrantId']}",
        )
