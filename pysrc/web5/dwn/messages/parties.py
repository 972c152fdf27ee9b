"""Who a message says it is from, and what it was signed for (`src/core/abstract-message.ts`, `src/utils/records.ts`).

Until `Verifier.authenticate` has passed, this is only a claim.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from web5.dwn.cid import dag_cbor_cid
from web5.dwn.codes import Code
from web5.dwn.jws import GENERIC_PAYLOAD, message_signer, signed_claims, signer_of
from web5.dwn.messages.schema import Schema
from web5.dwn.permissions.delegation import AUTHOR, OWNER, check_delegation
from web5.dwn.timestamps import is_moment
from web5.dwn.urls import is_normalized
from web5.errors import BadRequest

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


@dataclass(frozen=True, slots=True)
class Claims:
    """What the author and the owner of a message signed, before it is even read who they are.

    The reference reads that last (only for a RecordsWrite early), so that other faults go before an unreadable name.

    Parameters:
        author: what the author's signature says; nothing if there is none, as in `owner`.
    """

    authorization: Message
    author: Mapping[str, Any] = field(default_factory=dict)
    owner: Mapping[str, Any] = field(default_factory=dict)

    def parties(self) -> Parties:
        """
        Raises:
            BadRequest: a protected header cannot be read.
        """
        if not self.authorization:
            return Parties()
        signer, owner_signer = signer_of(self.authorization["signature"]), None
        if "ownerSignature" in self.authorization:
            owner_signer = signer_of(self.authorization["ownerSignature"])
        author_grant = self.authorization.get("authorDelegatedGrant")
        owner_grant = self.authorization.get("ownerDelegatedGrant")
        return Parties(
            author=signer if author_grant is None else message_signer(author_grant),
            signer=signer,
            claims=self.author,
            author_grant=author_grant,
            # A grant alone makes no owner: somebody must have signed as one.
            owner=owner_signer if owner_grant is None or owner_signer is None else message_signer(owner_grant),
            owner_signer=owner_signer,
            owner_claims=self.owner,
            owner_grant=owner_grant,
        )


def claims_of(message: Message, schema: Schema = GENERIC_PAYLOAD) -> Claims:
    """The claims of a message whose shape is right; its signatures are about its descriptor.

    Raises:
        BadRequest: with the reference's code.
    """
    authorization = message.get("authorization")
    if authorization is None:
        return Claims({})
    descriptor_cid = dag_cbor_cid(message["descriptor"])
    author = signed_claims(authorization.get("signature"), descriptor_cid, schema)
    if "ownerSignature" not in authorization:
        return Claims(authorization, author)
    return Claims(authorization, author, signed_claims(authorization["ownerSignature"], descriptor_cid))


def check_delegations(claims: Claims) -> None:
    """What delegates signed comes with the grants that they name (`validateDelegatedGrantReferentialIntegrity`).

    Raises:
        BadRequest: with the reference's code, in the order of its checks.
    """
    signed = claims.authorization
    check_delegation(AUTHOR, signed.get("authorDelegatedGrant"), claims.author, lambda: signer_of(signed["signature"]))
    check_delegation(
        OWNER, signed.get("ownerDelegatedGrant"), claims.owner, lambda: signer_of(signed["ownerSignature"])
    )


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
