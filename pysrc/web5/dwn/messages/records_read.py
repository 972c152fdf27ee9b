"""RecordsRead: one record with its data (`src/handlers/records-read.ts`)."""

from __future__ import annotations

import json
from typing import Literal

from web5.dwn.codes import Code
from web5.dwn.jws import message_author
from web5.dwn.messages.parsing import Parties, check_delegations, check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Closed, DelegatedAuthorization, MaybeSigned, RecordsFilter, Timestamp
from web5.dwn.permissions.authorization import authorize_delegates, invokes_grant
from web5.dwn.protocols.authorization import Place, authorize_on_record
from web5.dwn.services import Call, Reply, Services, reply
from web5.dwn.store.search import search
from web5.dwn.store.terms import record_terms
from web5.dwn.types import Message
from web5.errors import BadRequest, NotFound, Unauthorized


class _Descriptor(Closed):
    interface: Literal["Records"]
    method: Literal["Read"]
    messageTimestamp: Timestamp
    filter: RecordsFilter


SCHEMA = Schema("RecordsRead", MaybeSigned[DelegatedAuthorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """Reply 200 with `entry`: `recordsWrite`, `data`, and `initialWrite` where that is another message.

    A record that was deleted gives 404 with `recordsDelete` and `initialWrite`.
    """
    message = SCHEMA.check(call.message)
    claims = claims_of(message)
    check_delegations(claims)
    check_moment(message["descriptor"]["messageTimestamp"])
    parties = claims.parties()
    if parties.author is not None:
        await services.verifier.authenticate(message["authorization"])
    return _read(services, call.tenant, message, parties)


def _read(services: Services, tenant_did: str, message: Message, parties: Parties) -> Reply:
    store, filter = services.store, message["descriptor"]["filter"]
    tenant = store.tenant(tenant_did)
    found = search(store.connection, tenant, [list(record_terms(filter, tenant_did))], limit=2)
    if not found:
        raise NotFound("", "Not Found")
    if len(found) > 1:
        raise BadRequest(Code.RecordsReadReturnedMultiple, "Multiple records exist for the RecordsRead filter")
    one = found[0]
    body: Message = json.loads(one.body)
    initial = None if one.initial else store.initial_write(tenant, one.record_id)
    if one.method == "Delete":
        if initial is not None:
            _authorize(Place(store, tenant, tenant_did), message, parties, initial)
        return reply(404, "Not Found", entry={"recordsDelete": body, "initialWrite": initial})
    _authorize(Place(store, tenant, tenant_did), message, parties, body)
    data = services.data_of(tenant, body, one.data)
    if data is None:
        raise NotFound("", "Not Found")
    entry = {"recordsWrite": body, "data": data}
    if initial is not None:
        entry["initialWrite"] = initial
    return reply(200, "OK", entry=entry)


def _authorize(place: Place, message: Message, parties: Parties, write: Message) -> None:
    authorize_delegates(place.store, message, parties, record=write)
    descriptor, reader = write["descriptor"], parties.author
    if reader == place.tenant_did or descriptor.get("published") is True:
        return
    if reader is not None:
        if reader in (descriptor.get("recipient"), message_author(write)):
            return
        if invokes_grant(place.store, place.tenant_did, message, parties, record=write):
            return
    if "protocol" in descriptor:
        return authorize_on_record(place, parties, write, "a read")
    raise Unauthorized(Code.RecordsReadAuthorizationFailed, "message failed authorization")
