"""MessagesSubscribe: to be told of messages of all kinds as they come (`src/handlers/messages-subscribe.ts`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import with_config
from typing_extensions import TypedDict

from web5.dwn.cid import message_cid
from web5.dwn.codes import Code
from web5.dwn.messages.filters import MessagesFilter
from web5.dwn.messages.parties import check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Authorization
from web5.dwn.messages.subscribing import handler_of
from web5.dwn.permissions.authorization import invokes_grant
from web5.dwn.services import Call, Reply, Services, reply
from web5.dwn.store.terms import message_terms
from web5.errors import Unauthorized


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Messages"]
    method: Literal["Subscribe"]
    messageTimestamp: str
    filters: list[MessagesFilter]


@with_config(CLOSED)
class _MessagesSubscribe(TypedDict):
    authorization: Authorization
    descriptor: _Descriptor


SCHEMA = Schema("MessagesSubscribe", _MessagesSubscribe)


async def handle(services: Services, call: Call) -> Reply:
    """200 with `subscription`, an `events.Subscription`.

    Raises:
        DwnError: 400, 401 or 501.
    """
    message = SCHEMA.check(call.message)
    handler = handler_of(call, Code.MessagesSubscribeEventStreamUnimplemented)
    descriptor: dict[str, Any] = message["descriptor"]
    claims = claims_of(message)
    for filter in descriptor["filters"]:
        check_urls(filter)
    check_moment(descriptor["messageTimestamp"])
    parties = claims.parties()
    await services.verifier.authenticate(message["authorization"])
    if parties.author != call.tenant and not invokes_grant(services.store, call.tenant, message, parties):
        raise Unauthorized(Code.MessagesSubscribeAuthorizationFailed, "message failed authorization")
    alternatives = [terms for filter in descriptor["filters"] for terms in message_terms(filter)] or [[]]
    subscription = services.events.subscribe(call.tenant, message_cid(message), alternatives, handler)
    return reply(200, "OK", subscription=subscription)
