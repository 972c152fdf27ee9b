"""RecordsSubscribe: to be told of records as they come (`src/handlers/records-subscribe.ts`).

Where the reference would tell a stranger everything, because no part of what he may see fits his filter, we tell
nothing.
"""

from __future__ import annotations

from typing import Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from web5.dwn.cid import message_cid
from web5.dwn.codes import Code
from web5.dwn.messages.filters import RecordsFilter
from web5.dwn.messages.parties import Parties, check_delegations, check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, DelegatedAuthorization, Timestamp
from web5.dwn.messages.subscribing import handler_of
from web5.dwn.permissions.authorization import authorize_delegates
from web5.dwn.protocols.authorization import Place, authorize_subscribe
from web5.dwn.services import Call, Message, Reply, Services, reply
from web5.dwn.store.terms import OF_RECORDS, record_terms, seen_by
from web5.errors import BadRequest


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Records"]
    method: Literal["Subscribe"]
    messageTimestamp: Timestamp
    filter: RecordsFilter


@with_config(CLOSED)
class _RecordsSubscribe(TypedDict):
    authorization: NotRequired[DelegatedAuthorization]
    descriptor: _Descriptor


SCHEMA = Schema("RecordsSubscribe", _RecordsSubscribe)


async def handle(services: Services, call: Call) -> Reply:
    """200 with `subscription`, an `events.Subscription`.

    Raises:
        DwnError: 400, 401 or 501.
    """
    message = SCHEMA.check(call.message)
    handler = handler_of(call, Code.RecordsSubscribeEventStreamUnimplemented)
    parties = _parse(message)
    filter = message["descriptor"]["filter"]
    # Whoever does not sign is told of what is published, unless the filter asks for what is not.
    if parties.author is not None or filter.get("published") is False:
        await services.verifier.authenticate(message.get("authorization"))
        authorize_delegates(services.store, message, parties)
        if "protocolRole" in parties.claims:
            authorize_subscribe(Place(services.store, services.store.tenant(call.tenant), call.tenant), parties, filter)
    terms = [OF_RECORDS, *record_terms(filter, call.tenant)]
    alternatives = seen_by(parties.author, call.tenant, terms, has_role="protocolRole" in parties.claims)
    subscription = services.events.subscribe(call.tenant, message_cid(message), alternatives, handler)
    return reply(200, "OK", subscription=subscription)


def _parse(message: Message) -> Parties:
    descriptor = message["descriptor"]
    claims = claims_of(message)
    check_delegations(claims)
    if "protocolRole" in claims.author and "protocolPath" not in descriptor["filter"]:
        raise BadRequest(
            Code.RecordsSubscribeFilterMissingRequiredProperties,
            "Role-authorized subscriptions must include `protocolPath` in the filter",
        )
    check_urls(descriptor["filter"])
    check_moment(descriptor["messageTimestamp"])
    return claims.parties()
