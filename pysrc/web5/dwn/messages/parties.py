"""Who a message says it is from, and what it was signed for (`src/core/abstract-message.ts`, `src/utils/records.ts`).

Until `Verifier.authenticate` has passed, this is only a claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...errors import BadRequest
from ..cid import dag_cbor_cid
from ..codes import Code
from ..jws import GENERIC_PAYLOAD, message_signer, signed_claims, signer_of
from ..permissions.delegation import AUTHOR, OWNER, check_delegation
from ..timestamps import is_moment
from ..urls import is_normalized
from .schema import Schema

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parties:
    """The author and the owner that a message names, None where it names none, and what they signed.

    Parameters:
        author: on whose behalf the message was made: the signer, or who granted the signer that.
        claims: what the author's signature says.
        author_grant: the grant under which the signer signed for the author.
        owner: who keeps the message in the own DWN; `owner_signer` may be a delegate again.
    """

    author: str | None = None
    signer: str | None = None
    claims: Mapping[str, Any] = field(default_factory=dict)
    author_grant: Message | None = None
    owner: str | None = None
    owner_signer: str | None = None
    owner_claims: Mapping[str, Any] = field(default_factory=dict)
    owner_grant: Message | None = None


def parties_of(message: Message, schema: Schema = GENERIC_PAYLOAD) -> Parties:
    """The parties of a message whose shape is right; its signatures are about its descriptor.

    Raises:
        BadRequest: with the reference's code.
    """
    authorization = message.get("authorization")
    if authorization is None:
        return Parties()
    descriptor_cid = dag_cbor_cid(message["descriptor"])
    claims = signed_claims(authorization.get("signature"), descriptor_cid, schema)
    owner_signer, owner_claims = None, {}
    if "ownerSignature" in authorization:
        owner_claims = signed_claims(authorization["ownerSignature"], descriptor_cid)
        owner_signer = signer_of(authorization["ownerSignature"])
    signer = signer_of(authorization["signature"])
    author_grant, owner_grant = authorization.get("authorDelegatedGrant"), authorization.get("ownerDelegatedGrant")
    return Parties(
        author=signer if author_grant is None else message_signer(author_grant),
        signer=signer,
        claims=claims,
        author_grant=author_grant,
        # A grant alone makes no owner: somebody must have signed as one.
        owner=owner_signer if owner_grant is None or owner_signer is None else message_signer(owner_grant),
        owner_signer=owner_signer,
        owner_claims=owner_claims,
        owner_grant=owner_grant,
    )


def check_delegations(parties: Parties) -> None:
    """What delegates signed comes with the grants that they name (`validateDelegatedGrantReferentialIntegrity`).

    Raises:
        BadRequest: with the reference's code, in the order of its checks.
    """
    check_delegation(AUTHOR, parties.author_grant, parties.claims, parties.signer)
    check_delegation(OWNER, parties.owner_grant, parties.owner_claims, parties.owner_signer)


def check_urls(carrier: Message) -> None:
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
