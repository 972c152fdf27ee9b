"""RecordsDelete: the end of a record (`src/handlers/records-delete.ts`, `src/store/storage-controller.ts`)."""

from __future__ import annotations

from typing import Literal

from web5.dwn.codes import Code
from web5.dwn.events import Applied
from web5.dwn.history import judged, weight
from web5.dwn.messages.parsing import Parties, check_delegations, check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import Closed, DelegatedAuthorization, Signed, Timestamp
from web5.dwn.permissions.authorization import authorize_delegates
from web5.dwn.protocols.authorization import authorize_on_record
from web5.dwn.protocols.place import Place
from web5.dwn.services import Call, Change, Reply, Services, reply
from web5.dwn.store.protocols import purge_descendants
from web5.dwn.store.schema import columns_of
from web5.dwn.store.store import MessageRow, Store
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Conflict, NotFound, Unauthorized


class _Descriptor(Closed):
    interface: Literal["Records"]
    method: Literal["Delete"]
    messageTimestamp: Timestamp
    recordId: str
    prune: bool


SCHEMA = Schema("RecordsDelete", Signed[DelegatedAuthorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """Reply 202 if the record was deleted; with `prune`, nothing is left of what was written below it."""
    message = SCHEMA.check(call.message)
    claims = claims_of(message)
    check_delegations(claims)
    check_moment(message["descriptor"]["messageTimestamp"])
    parties = claims.parties()
    cid = message_cid(message)
    await services.verifier.authenticate(message)
    await services.put(call.tenant, lambda: _change(services.store, call, message, cid, parties), makes_room=True)
    return reply(202, "Accepted")


def _change(store: Store, call: Call, message: Message, cid: str, parties: Parties) -> Change:
    record_id, prune = message["descriptor"]["recordId"], message["descriptor"]["prune"]
    tenant = store.tenant(call.tenant)
    existing = store.record(tenant, record_id)
    newest = existing[-1] if existing else None
    if newest is None:
        raise NotFound("", "Not Found")
    _check_newer(message, cid, newest, replicated=call.replicated)
    initial = next((row.message for row in existing if row.initial), None)
    if initial is None:
        raise BadRequest(Code.RecordsWriteGetInitialWriteNotFound, "Initial write is not found.")
    authorize_delegates(store, message, parties, record=initial)
    author = parties.author or ""
    if author != call.tenant:
        if "protocol" not in initial["descriptor"]:
            raise Unauthorized(Code.RecordsDeleteAuthorizationFailed, "RecordsDelete message failed authorization")
        judged(
            lambda at: authorize_on_record(
                Place(store, tenant, call.tenant, at), parties, initial, "a prune" if prune else "a delete"
            ),
            message,
            replicated=call.replicated,
        )

    store.supersede(existing)
    garbage = store.drop_blobs(tenant, record_id, keep=None)
    if prune:
        garbage += purge_descendants(store, tenant, record_id)
    columns = columns_of(tenant, call.tenant, cid, message, author, initial, latest=True)
    return Applied(call.tenant, cid, store.put(columns), message, True, call.source, initial, columns), garbage


def _check_newer(message: Message, cid: str, newest: MessageRow, *, replicated: bool) -> None:
    is_deleted = newest.method == "Delete"
    if replicated:
        # It ends the record, whatever the date of a write is; so all nodes come to the same end.
        if is_deleted and weight(message, cid) <= weight(newest.message, newest.cid):
            raise Conflict("", "Conflict")
        return
    # A record that was deleted can be deleted again, where its descendants are to go too.
    if is_deleted and (not message["descriptor"]["prune"] or newest.message["descriptor"]["prune"]):
        raise NotFound("", "Not Found")
    if (message["descriptor"]["messageTimestamp"], cid) <= newest.age:
        raise Conflict("", "Conflict")
