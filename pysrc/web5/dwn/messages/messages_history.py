"""MessagesHistory: what allowed messages once, and ended. MessagesReplicate: a message from the past, for another DWN.

Both are for the tenant alone, whose devices so learn what its nodes still know, and whose nodes take what its devices
hold (`dwn.history`). The reference has neither; its nodes forget what has ended.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Literal, NotRequired

from web5.dwn.codes import Code
from web5.dwn.messages import protocols_interface, records_delete, records_write
from web5.dwn.messages.parsing import check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Authorization, Closed, Cursor, Signed, Timestamp
from web5.dwn.permissions.grants import with_encoded_data
from web5.dwn.services import Call, Reply, Services, json_size, reply
from web5.dwn.store.protocols import history
from web5.dwn.store.search import cursor_at, position
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, InvalidArgument, Unauthorized


class _Descriptor(Closed):
    interface: Literal["Messages"]
    method: Literal["Replicate"]
    messageTimestamp: Timestamp
    messageCid: str


class _Replicate(Closed):
    authorization: Authorization
    descriptor: _Descriptor
    message: dict[str, Any]


class _HistoryDescriptor(Closed):
    interface: Literal["Messages"]
    method: Literal["History"]
    messageTimestamp: Timestamp
    cursor: NotRequired[Cursor]


HISTORY = Schema("MessagesHistory", Signed[Authorization, _HistoryDescriptor])
REPLICATE = Schema("MessagesReplicate", _Replicate)

_HANDLERS: dict[tuple[Any, Any], Callable[[Services, Call], Awaitable[Reply]]] = {
    ("Records", "Write"): records_write.handle,
    ("Records", "Delete"): records_delete.handle,
    ("Protocols", "Configure"): protocols_interface.handle_configure,
}


async def handle_history(services: Services, call: Call) -> Reply:
    """Reply 200 with `entries`, in the order they came: superseded definitions, and the first states of ended grants.

    The latter have `encodedData`. A `cursor` says that there are more.
    """
    message = HISTORY.check(call.message)
    await _authenticate(services, call, message, Code.MessagesHistoryAuthorizationFailed)
    return await services.database.read(lambda: _history(services, call, message))


def _history(services: Services, call: Call, message: Message) -> Reply:
    store, tenant = services.store, services.store.tenant(call.tenant)
    after = position(store, message["descriptor"].get("cursor"))
    room, entries, last, cursor = call.room_left(), list[Message](), None, None
    for row in history(store, tenant, after):
        found = row.message if row.data is None else with_encoded_data(row.message, row.data)
        room -= json_size(row.body) + 2 * len(row.data or b"")
        if last is not None and room < 0:
            cursor = cursor_at(store, last.seq, last.cid)
            break
        entries.append(found)
        last = row
    return reply(200, "OK", entries=entries, cursor=cursor)


async def _authenticate(services: Services, call: Call, message: Message, code: Code) -> None:
    claims = claims_of(message)
    check_moment(message["descriptor"]["messageTimestamp"])
    author = claims.parties().author
    await services.verifier.authenticate(message)
    if author != call.tenant:
        raise Unauthorized(code, "what has ended is for the tenant alone")


async def handle_replicate(services: Services, call: Call) -> Reply:
    """Reply as to the message itself, which is judged by what held at its own time, too (`dwn.history`)."""
    message = REPLICATE.check(call.message)
    inner, descriptor = message["message"], message["descriptor"]
    await _authenticate(services, call, message, Code.MessagesReplicateAuthorizationFailed)
    try:
        cid = message_cid(inner)
    except InvalidArgument as error:
        raise BadRequest(Code.MessagesReplicateCidMismatch, str(error)) from error
    if cid != descriptor["messageCid"]:
        raise BadRequest(
            Code.MessagesReplicateCidMismatch,
            f"the CID of the message is {cid}, but {descriptor['messageCid']} is signed",
        )
    named = inner.get("descriptor")
    named = named if isinstance(named, dict) else {}
    handler = _HANDLERS.get((named.get("interface"), named.get("method")))
    if handler is None:
        raise BadRequest(Code.SchemaValidatorFailure, "MessagesReplicate: message: it is none that is stored")
    services.check_date(inner)
    return await handler(services, replace(call, message=inner, replicated=True))
