"""RecordsDelete: the end of a record (`src/handlers/records-delete.ts`, `src/store/storage-controller.ts`)."""

from __future__ import annotations

from typing import Literal

from pydantic import with_config
from typing_extensions import TypedDict

from web5.dwn.cid import message_cid
from web5.dwn.codes import Code
from web5.dwn.events import Applied
from web5.dwn.messages.parsing import Parties, check_delegations, check_moment, claims_of
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import CLOSED, DelegatedAuthorization, Signed, Timestamp
from web5.dwn.permissions.authorization import authorize_delegates
from web5.dwn.protocols.authorization import Place, authorize_delete
from web5.dwn.services import Call, Message, Reply, Services, reply
from web5.dwn.store.indexes import delete_columns
from web5.dwn.store.protocols import purge_descendants
from web5.dwn.store.store import MessageRow
from web5.errors import BadRequest, Conflict, NotFound, Unauthorized


@with_config(CLOSED)
class _Descriptor(TypedDict):
    interface: Literal["Records"]
    method: Literal["Delete"]
    messageTimestamp: Timestamp
    recordId: str
    prune: bool


SCHEMA = Schema("RecordsDelete", Signed[DelegatedAuthorization, _Descriptor])


async def handle(services: Services, call: Call) -> Reply:
    """202 if the record was deleted; with `prune`, nothing is left of what was written below it.

    Raises:
        DwnError: 400, 401, 404, 409 or 501; nothing was changed.
        StorageError: the delete may be stored, but it is not durable.
    """
    message = SCHEMA.check(call.message)
    claims = claims_of(message)
    check_delegations(claims)
    check_moment(message["descriptor"]["messageTimestamp"])
    parties = claims.parties()
    cid = message_cid(message)
    await services.verifier.authenticate(message["authorization"])

    with services.database.transaction():
        applied, garbage = _apply(services, call, message, cid, parties)
        for hook in services.in_transaction:
            hook(applied)
    await services.settle([applied], garbage)
    return reply(202, "Accepted")


def _apply(services: Services, call: Call, message: Message, cid: str, parties: Parties) -> tuple[Applied, list[str]]:
    store, record_id = services.store, message["descriptor"]["recordId"]
    tenant = store.tenant(call.tenant)
    existing = store.record(tenant, record_id)
    _check_against_record(message, cid, existing)
    initial = next((row.message for row in existing if row.initial), None)
    if initial is None:
        raise BadRequest(Code.RecordsWriteGetInitialWriteNotFound, "Initial write is not found.")
    authorize_delegates(store, message, parties, record=initial)
    author = parties.author or ""
    if author != call.tenant:
        _authorize(Place(store, tenant, call.tenant), message, parties, initial)

    store.supersede(existing)
    garbage = store.drop_blobs(tenant, record_id, keep=None)
    if message["descriptor"]["prune"]:
        garbage += purge_descendants(store, tenant, record_id)
    values = delete_columns(tenant, call.tenant, cid, message, author=author, initial_write=initial)
    seq = store.put(values)
    return Applied(call.tenant, cid, seq, message, True, call.source, initial, values), garbage


def _authorize(place: Place, message: Message, parties: Parties, initial: Message) -> None:
    if "protocol" not in initial["descriptor"]:
        raise Unauthorized(Code.RecordsDeleteAuthorizationFailed, "RecordsDelete message failed authorization")
    authorize_delete(place, parties, initial, prune=message["descriptor"]["prune"])


def _check_against_record(message: Message, cid: str, existing: list[MessageRow]) -> None:
    """What is there can be deleted: a record, or a deleted one whose descendants are to go too."""
    newest = existing[-1] if existing else None
    if newest is None or (
        newest.method == "Delete" and (not message["descriptor"]["prune"] or newest.message["descriptor"]["prune"])
    ):
        raise NotFound("", "Not Found")
    if (message["descriptor"]["messageTimestamp"], cid) <= newest.age:
        raise Conflict("", "Conflict")
