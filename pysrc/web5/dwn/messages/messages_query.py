"""MessagesQuery and MessagesSubscribe: the event log of a tenant, so far or as it grows.

Sources: `src/handlers/messages-query.ts`, `src/handlers/messages-subscribe.ts`.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from web5.dwn.cid import message_cid
from web5.dwn.codes import Code
from web5.dwn.messages.parsing import Parties, check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Authorization, Cursor, MessagesFilter, Signed, Timestamp
from web5.dwn.permissions.authorization import invokes_grant
from web5.dwn.services import Call, Message, Reply, Services, reply
from web5.dwn.store.search import query_events
from web5.dwn.store.terms import message_terms
from web5.errors import Unauthorized


@with_config(CLOSED)
class _QueryDescriptor(TypedDict):
    interface: Literal["Messages"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filters: list[MessagesFilter]
    cursor: NotRequired[Cursor]


@with_config(CLOSED)
class _SubscribeDescriptor(TypedDict):
    interface: Literal["Messages"]
    method: Literal["Subscribe"]
    messageTimestamp: str
    filters: list[MessagesFilter]


QUERY = Schema("MessagesQuery", Signed[Authorization, _QueryDescriptor])
SUBSCRIBE = Schema("MessagesSubscribe", Signed[Authorization, _SubscribeDescriptor])


async def handle_query(services: Services, call: Call) -> Reply:
    """Reply 200 with `entries`, CIDs in the order they came, and with a `cursor` after the last of them, if any."""
    message = QUERY.check(call.message)
    parties = _parse(message)
    await _authorize(services, call, message, parties, Code.MessagesQueryAuthorizationFailed)
    descriptor = message["descriptor"]
    cids, cursor = query_events(services.store, call.tenant, descriptor["filters"], descriptor.get("cursor"))
    return reply(200, "OK", entries=cids, cursor=cursor)


async def handle_subscribe(services: Services, call: Call) -> Reply:
    """Reply 200 with `subscription`, an `events.Subscription`."""
    message = SUBSCRIBE.check(call.message)
    handler = call.require_handler(Code.MessagesSubscribeEventStreamUnimplemented)
    parties = _parse(message)
    await _authorize(services, call, message, parties, Code.MessagesSubscribeAuthorizationFailed)
    alternatives = message_terms(message["descriptor"]["filters"])
    subscription = services.events.subscribe(call.tenant, message_cid(message), alternatives, handler)
    return reply(200, "OK", subscription=subscription)


def _parse(message: Message) -> Parties:
    descriptor: dict[str, Any] = message["descriptor"]
    claims = claims_of(message)
    for filter in descriptor["filters"]:
        check_urls(filter)
    if descriptor["method"] == "Subscribe":
        check_moment(descriptor["messageTimestamp"])
    return claims.parties()


async def _authorize(services: Services, call: Call, message: Message, parties: Parties, code: Code) -> None:
    await services.verifier.authenticate(message["authorization"])
    if parties.author != call.tenant and not invokes_grant(services.store, call.tenant, message, parties):
        raise Unauthorized(code, "message failed authorization")
