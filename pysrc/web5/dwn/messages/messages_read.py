"""MessagesRead: one message of any kind, with its data if that is held (`src/handlers/messages-read.ts`)."""

from __future__ import annotations

from typing import Any, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from web5.dwn.cid import is_message_cid
from web5.dwn.codes import Code
from web5.dwn.messages.parsing import check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, Authorization, Signed, Timestamp
from web5.dwn.permissions.authorization import invokes_grant
from web5.dwn.services import Call, Reply, Services, reply
from web5.errors import BadRequest, NotFound, Unauthorized


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Messages"]
    method: Literal["Read"]
    messageTimestamp: Timestamp
    messageCid: NotRequired[str]


SCHEMA = Schema("MessagesRead", Signed[Authorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """Reply 200 with `entry`: `message`, `messageCid`, and `data` if it is held."""
    message = SCHEMA.check(call.message)
    descriptor: dict[str, Any] = message["descriptor"]
    cid = descriptor.get("messageCid", "")
    if not is_message_cid(cid):
        raise BadRequest(Code.MessagesReadInvalidCid, f"{cid} is not a valid CID")
    claims = claims_of(message)
    check_moment(descriptor["messageTimestamp"])
    parties = claims.parties()
    await services.verifier.authenticate(message["authorization"])
    tenant = services.store.tenant(call.tenant)
    row = services.store.message(tenant, cid)
    if row is None:
        raise NotFound("", "Not Found")
    if parties.author != call.tenant and not invokes_grant(services.store, call.tenant, message, parties, read=row):
        raise Unauthorized(Code.MessagesReadAuthorizationFailed, "protocol message failed authorization")
    found = row.message
    entry = {"message": found, "messageCid": cid}
    data = services.data_of(tenant, found, row.data) if row.method == "Write" else None
    if data is not None:
        entry["data"] = data
    return reply(200, "OK", entry=entry)
