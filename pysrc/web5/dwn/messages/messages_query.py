"""MessagesQuery: the event log of a tenant, as CIDs in the order they came (`src/handlers/messages-query.ts`)."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from web5.dwn.codes import Code
from web5.dwn.messages.filters import MessagesFilter
from web5.dwn.messages.parties import check_urls, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Authorization, Cursor, Timestamp
from web5.dwn.permissions.authorization import invokes_grant
from web5.dwn.services import Call, Reply, Services, reply
from web5.dwn.store.events import query_events
from web5.errors import Unauthorized


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Messages"]
    method: Literal["Query"]
    messageTimestamp: Timestamp
    filters: list[MessagesFilter]
    cursor: NotRequired[Cursor]


@with_config(CLOSED)
class _MessagesQuery(TypedDict):
    authorization: Authorization
    descriptor: _Descriptor


SCHEMA = Schema("MessagesQuery", _MessagesQuery)


async def handle(services: Services, call: Call) -> Reply:
    """200 with `entries` (CIDs), and with a `cursor` after the last of them if there is any.

    Raises:
        DwnError: 400 or 401.
    """
    message = SCHEMA.check(call.message)
    descriptor: dict[str, Any] = message["descriptor"]
    claims = claims_of(message)
    for filter in descriptor["filters"]:
        check_urls(filter)
    parties = claims.parties()
    await services.verifier.authenticate(message["authorization"])
    if parties.author != call.tenant and not invokes_grant(services.store, call.tenant, message, parties):
        raise Unauthorized(Code.MessagesQueryAuthorizationFailed, "message failed authorization")
    cids, cursor = query_events(
        services.store, services.database.connection, call.tenant, descriptor["filters"], descriptor.get("cursor")
    )
    return reply(200, "OK", entries=cids, cursor=cursor)
