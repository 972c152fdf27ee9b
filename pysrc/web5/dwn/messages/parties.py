"""Who a message says it is from, and what it was signed for (`src/core/abstract-message.ts`, `src/utils/records.ts`).

Until `Verifier.authenticate` has passed, this is only a claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import BadRequest, NotImplementedByDwn, Unauthorized
from ..cid import dag_cbor_cid
from ..codes import Code
from ..jws import GENERIC_PAYLOAD, signed_claims, signer_of
from ..timestamps import is_moment
from ..urls import is_normalized
from .schema import Schema

_GRANTS = {
    "authorDelegatedGrant": Code.RecordsAuthorDelegatedGrantAndIdExistenceMismatch,
    "ownerDelegatedGrant": Code.RecordsOwnerDelegatedGrantAndIdExistenceMismatch,
}


@dataclass(frozen=True, slots=True)
class Parties:
    """The author and the owner that a message names, None where it names none, and what they signed."""

    author: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None
    owner_claims: Mapping[str, Any] = field(default_factory=dict)


def parties_of(message: Mapping[str, Any], schema: Schema = GENERIC_PAYLOAD) -> Parties:
    """The parties of a message whose shape is right; its signatures are about its descriptor.

    Raises:
        BadRequest: with the reference's code.
        NotImplementedByDwn: the message comes with a delegated grant.
    """
    authorization = message.get("authorization")
    if authorization is None:
        return Parties()
    descriptor_cid = dag_cbor_cid(message["descriptor"])
    claims = signed_claims(authorization.get("signature"), descriptor_cid, schema)
    owner, owner_claims = None, {}
    if "ownerSignature" in authorization:
        owner_claims = signed_claims(authorization["ownerSignature"], descriptor_cid)
        owner = signer_of(authorization["ownerSignature"])
    for name in _GRANTS:
        if name in authorization:
            raise NotImplementedByDwn("", f"{name}: delegated grants are not supported yet")
    return Parties(signer_of(authorization["signature"]), claims, owner, owner_claims)


def refuse_missing_grants(parties: Parties) -> None:
    """A signature that invokes a delegated grant comes with it (`validateDelegatedGrantReferentialIntegrity`).

    Raises:
        BadRequest: it does not.
    """
    for claims, name in ((parties.claims, "authorDelegatedGrant"), (parties.owner_claims, "ownerDelegatedGrant")):
        if "delegatedGrantId" in claims:
            raise BadRequest(_GRANTS[name], f"the signature names a delegated grant, but there is no {name}")


def refuse_grant(parties: Parties) -> None:
    """No grant can be stored yet, so the answer to a message that invokes one is that of a DWN without it.

    Raises:
        Unauthorized: the message invokes a grant.
    """
    if "permissionGrantId" in parties.claims:
        raise Unauthorized(
            Code.GrantAuthorizationGrantMissing,
            f"Could not find permission grant with record ID {parties.claims['permissionGrantId']}.",
        )


def check_urls(carrier: Mapping[str, Any]) -> None:
    """`protocol` and `schema` are in their normal form.

    Raises:
        BadRequest: one is not.
    """
    if "protocol" in carrier and not is_normalized(carrier["protocol"]):
        raise BadRequest(Code.UrlProtocolNotNormalized, f"Protocol URI {carrier['protocol']} must be normalized.")
    if "schema" in carrier and not is_normalized(carrier["schema"]):
        raise BadRequest(Code.UrlSchemaNotNormalized, f"Schema URI {carrier['schema']} must be normalized.")


def check_moment(timestamp: str) -> None:
    """
    Raises:
        BadRequest: there is no such moment, for instance no such day.
    """
    if not is_moment(timestamp):
        raise BadRequest(Code.TimestampInvalid, f"Invalid timestamp: {timestamp}")
