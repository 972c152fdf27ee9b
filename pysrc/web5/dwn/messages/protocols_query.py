"""ProtocolsQuery: the protocols of a DWN (`src/handlers/protocols-query.ts`).

A requester who may not see all of them gets those that are published.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired

from pydantic import AfterValidator, with_config
from typing_extensions import TypedDict

from web5.dwn.codes import Code
from web5.dwn.messages import rules
from web5.dwn.messages.parsing import Parties, check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Authorization, Did, MaybeSigned, Timestamp
from web5.dwn.permissions.authorization import invokes_grant
from web5.dwn.services import Call, Message, Reply, Services, reply
from web5.dwn.store.protocols import configurations
from web5.errors import BadRequest, Unauthorized

PUBLISHED_ONLY = frozenset(
    {
        Code.AuthenticateJwsMissing,
        Code.ProtocolsQueryUnauthorized,
        Code.ProtocolsGrantAuthorizationQueryProtocolScopeMismatch,
    }
)
"""Refusals after which published protocols are given; after any other, none."""


@with_config(CLOSED)
class _Filter(TypedDict):
    protocol: NotRequired[str]
    recipient: NotRequired[Did]


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Protocols"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filter: NotRequired[Annotated[_Filter, AfterValidator(rules.not_empty)]]


SCHEMA = Schema("ProtocolsQuery", MaybeSigned[Authorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """Reply 200 with `entries`: ProtocolsConfigure messages, oldest first."""
    message = SCHEMA.check(call.message)
    descriptor: dict[str, Any] = message["descriptor"]
    claims = claims_of(message)
    filter: dict[str, Any] = descriptor.get("filter", {})
    if "filter" in descriptor and "protocol" not in filter:
        raise BadRequest(Code.UrlProtocolNotNormalized, "a filter names a protocol")
    check_urls(filter)
    check_moment(descriptor["messageTimestamp"])
    parties = claims.parties()
    published = None
    try:
        await services.verifier.authenticate(message.get("authorization"))
        _authorize(services, call.tenant, message, parties)
    except Unauthorized as error:
        if error.code not in PUBLISHED_ONLY:
            raise
        published = True
    # No protocol has a recipient.
    if "recipient" in filter:
        return reply(200, "OK", entries=[])
    tenant = services.store.tenant(call.tenant)
    entries = configurations(services.store, tenant, protocol=filter.get("protocol"), published=published)
    return reply(200, "OK", entries=entries)


def _authorize(services: Services, tenant: str, message: Message, parties: Parties) -> None:
    if parties.author == tenant:
        return
    if parties.claims.get("permissionGrantId") and invokes_grant(services.store, tenant, message, parties):
        return
    raise Unauthorized(Code.ProtocolsQueryUnauthorized, "The ProtocolsQuery failed authorization")
