"""MessagesQuery and MessagesSubscribe: the event log of a tenant, so far or as it grows. MessagesRead: one message.

Sources: `src/handlers/messages-query.ts`, `messages-subscribe.ts`, `messages-read.ts`.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from web5.dwn.codes import Code
from web5.dwn.messages.parsing import Parties, check_moment, check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Authorization, Closed, Cursor, MessagesFilters, Signed, Timestamp
from web5.dwn.permissions.authorization import invokes_grant
from web5.dwn.services import Call, Reply, Services, allows, reply
from web5.dwn.store.schema import SUPERSEDED
from web5.dwn.store.search import query_events
from web5.dwn.store.terms import message_terms
from web5.dwn.values.cid import is_message_cid, message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, NotFound, Unauthorized


class _QueryDescriptor(Closed):
    interface: Literal["Messages"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filters: MessagesFilters
    cursor: NotRequired[Cursor]


class _SubscribeDescriptor(Closed):
    interface: Literal["Messages"]
    method: Literal["Subscribe"]
    messageTimestamp: str
    filters: MessagesFilters


class _ReadDescriptor(Closed):
    interface: Literal["Messages"]
    method: Literal["Read"]
    messageTimestamp: Timestamp
    messageCid: NotRequired[str]


QUERY = Schema("MessagesQuery", Signed[Authorization, _QueryDescriptor])
SUBSCRIBE = Schema("MessagesSubscribe", Signed[Authorization, _SubscribeDescriptor])
READ = Schema("MessagesRead", Signed[Authorization, _ReadDescriptor])


async def handle_query(services: Services, call: Call) -> Reply:
    """Reply 200 with `entries`, CIDs in the order they came, and with a `cursor` after the last of them, if any."""
    message = QUERY.check(call.message)
    parties = _parse(message)
    await services.verifier.authenticate(message)
    cids, cursor = await services.database.read(lambda: _find(services, call, message, parties))
    return reply(200, "OK", entries=cids, cursor=cursor)


def _find(services: Services, call: Call, message: Message, parties: Parties) -> tuple[list[str], Any]:
    _check_grant(services, call, message, parties, Code.MessagesQueryAuthorizationFailed)
    descriptor = message["descriptor"]
    filters, cursor = descriptor["filters"], descriptor.get("cursor")
    return query_events(services.store, call.tenant, filters, cursor, call.room_left())


async def handle_subscribe(services: Services, call: Call) -> Reply:
    """Reply 200 with `subscription`, an `events.Subscription`."""
    message = SUBSCRIBE.check(call.message)
    parties = _parse(message)
    code = Code.MessagesSubscribeAuthorizationFailed
    await services.verifier.authenticate(message)
    await services.database.read(lambda: _check_grant(services, call, message, parties, code))
    handler = call.require_handler(Code.MessagesSubscribeEventStreamUnimplemented)
    is_tenants, is_allowed = parties.author == call.tenant, None
    if not is_tenants:
        is_allowed = allows(lambda: _check_grant(services, call, message, parties, code))
    alternatives = message_terms(message["descriptor"]["filters"])
    is_allowed = services.in_time(message, is_allowed)
    cid = message_cid(message)
    subscription = await services.subscribe(
        call.tenant, cid, alternatives, handler, is_tenants=is_tenants, is_allowed=is_allowed
    )
    return reply(200, "OK", subscription=subscription)


async def handle_read(services: Services, call: Call) -> Reply:
    """Reply 200 with `entry`: `message`, `messageCid`, and `data` if it is held."""
    message = READ.check(call.message)
    descriptor: dict[str, Any] = message["descriptor"]
    cid = descriptor.get("messageCid", "")
    if not is_message_cid(cid):
        raise BadRequest(Code.MessagesReadInvalidCid, f"{cid} is not a valid CID")
    claims = claims_of(message)
    check_moment(descriptor["messageTimestamp"])
    parties = claims.parties()
    await services.verifier.authenticate(message)
    return await services.database.read(lambda: _read(services, call, message, parties, cid))


def _read(services: Services, call: Call, message: Message, parties: Parties, cid: str) -> Reply:
    store, tenant = services.store, services.store.tenant(call.tenant)
    row = store.message(tenant, cid)
    if parties.author != call.tenant:
        # A grant that does not hold is said to; what it does not show is as if it were not there.
        if not invokes_grant(store, call.tenant, message, parties, now=services.now):
            raise NotFound("", "Not Found")
        try:
            invokes_grant(store, call.tenant, message, parties, read=row, now=services.now)
        except Unauthorized:
            row = None
    if row is None or row.method == SUPERSEDED:
        raise NotFound("", "Not Found")
    found = row.message
    entry: dict[str, Any] = {"message": found, "messageCid": cid}
    data = None
    if row.method == "Write":
        # The data of a grant that ended are kept for MessagesHistory alone.
        inline = row.data if row.latest else None
        data = services.data_of(tenant, call.tenant, cid, found, inline, is_latest=row.latest)
    if data is not None:
        entry["data"] = data
    return reply(200, "OK", entry=entry)


def _parse(message: Message) -> Parties:
    descriptor: dict[str, Any] = message["descriptor"]
    claims = claims_of(message)
    for filter in descriptor["filters"]:
        check_urls(filter)
    if descriptor["method"] == "Subscribe":
        check_moment(descriptor["messageTimestamp"])
    return claims.parties()


def _check_grant(services: Services, call: Call, message: Message, parties: Parties, code: Code) -> None:
    if parties.author != call.tenant and not invokes_grant(
        services.store, call.tenant, message, parties, now=services.now
    ):
        raise Unauthorized(code, "message failed authorization")
