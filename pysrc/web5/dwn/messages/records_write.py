"""RecordsWrite: a new record, or the next state of one.

Sources: `src/handlers/records-write.ts`, `src/interfaces/records-write.ts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NoReturn

from web5.dwn.codes import Code
from web5.dwn.data import MAX_INLINE_BYTES, Incoming, kept_if_stored, receive
from web5.dwn.events import Applied
from web5.dwn.history import judged
from web5.dwn.messages.parsing import ParsedWrite, check_coverage, parse_write, says_nothing_new
from web5.dwn.messages.schema import Schema
from web5.dwn.messages.shapes import RecordsWrite
from web5.dwn.permissions.authorization import authorize_delegates, invokes_grant
from web5.dwn.permissions.grants import is_grant
from web5.dwn.permissions.records import check_permission_data, check_revocation
from web5.dwn.protocols.authorization import authorize_write
from web5.dwn.protocols.integrity import validate_referential_integrity
from web5.dwn.protocols.place import Place
from web5.dwn.services import Call, Change, Reply, Services, reply
from web5.dwn.store.schema import columns_of, tag_values
from web5.dwn.store.store import BlobRow, MessageRow, Store
from web5.dwn.values.faults import shown
from web5.dwn.values.javascript import as_javascript
from web5.dwn.values.types import Message
from web5.errors import BadRequest, Conflict, DwnError, MessageDamaged, Unauthorized

SCHEMA = Schema("RecordsWrite", RecordsWrite, is_write=True)

MUTABLE = frozenset({"dataCid", "dataSize", "dataFormat", "datePublished", "published", "messageTimestamp", "tags"})
"""The properties of the descriptor that an update may change; all others stay as the initial write has them."""


async def handle(services: Services, call: Call) -> Reply:
    """Reply 202 if the write was stored, 204 if it is an initial write without data (stored, but not queryable)."""
    write = parse_write(SCHEMA.check(call.message))
    try:
        await services.verifier.authenticate(write.message)
    except Unauthorized as error:
        refusal = error
        await services.database.read(lambda: _refuse(services.store, call, write, refusal))

    incoming = None
    if call.data is not None:
        if not (isinstance(call.data, bytes) and len(call.data) <= MAX_INLINE_BYTES):
            # So that a message that is refused does not make us take in all of its data.
            await services.database.read(lambda: _admit_now(services.store, call, write))
        incoming = await receive(call.data, write.descriptor["dataSize"], services.blobs)
    async with kept_if_stored(incoming, services.blobs):
        applied = await services.put(call.tenant, lambda: _change(services.store, call, write, incoming))
    return _accepted(applied)


@dataclass(frozen=True, slots=True)
class Checked:
    """A call that was checked as far as its message alone goes: how it was parsed, and why it is refused, if it is."""

    call: Call
    write: ParsedWrite | DwnError
    refusal: Unauthorized | None = None


async def check_each(services: Services, calls: Sequence[Call]) -> list[Checked]:
    """Check several calls with small data in memory as far as nothing that is stored counts.

    Their signatures are verified together.
    """
    writes = [_parse(services, call) for call in calls]
    signed = [write.message for write in writes if isinstance(write, ParsedWrite)]
    refusals = iter(await services.verifier.authenticate_each(signed))
    return [
        Checked(call, write, next(refusals) if isinstance(write, ParsedWrite) else None)
        for call, write in zip(calls, writes, strict=True)
    ]


async def store_each(services: Services, checked: Sequence[Checked]) -> list[Reply | DwnError]:
    """Handle calls for one tenant one after the other, and return each reply or refusal.

    Those that may be stored share one transaction and one flush.

    Raises:
        StorageError, or what a hook raises: none of them is stored.
    """
    if not checked:
        return []
    tenant = checked[0].call.tenant
    outcomes = await services.put_each(tenant, lambda: (_store(services.store, one) for one in checked))
    return [one if isinstance(one, DwnError) else _accepted(one) for one in outcomes]


def _parse(services: Services, call: Call) -> ParsedWrite | DwnError:
    try:
        message = SCHEMA.check(as_javascript(call.message))
        services.check_date(message)
        return parse_write(message, call.cid)
    except DwnError as error:
        return error


def _store(store: Store, checked: Checked) -> Change | DwnError:
    call, write = checked.call, checked.write
    if isinstance(write, DwnError):
        return write
    try:
        if checked.refusal is not None:
            _refuse(store, call, write, checked.refusal)
        return _change(store, call, write, Incoming.of(call.data) if isinstance(call.data, bytes) else None)
    except DwnError as error:
        return error


def _refuse(store: Store, call: Call, write: ParsedWrite, refusal: Unauthorized) -> NoReturn:
    # Whether the protocol admits the record comes before who wrote it.
    place = Place(store, store.tenant(call.tenant), call.tenant)
    judged(lambda at: _check_protocol(replace(place, at=at), write), write.message, replicated=call.replicated)
    raise refusal


def _accepted(applied: Applied) -> Reply:
    return reply(202, "Accepted") if applied.is_latest_base_state else reply(204, "No Content")


def _admit_now(store: Store, call: Call, write: ParsedWrite) -> None:
    tenant = store.tenant(call.tenant)
    _admit(store, tenant, call, write, store.record(tenant, write.record_id))


def _admit(store: Store, tenant: int, call: Call, write: ParsedWrite, existing: list[MessageRow]) -> Message | None:
    """Check all but the data of a write, and return the record's initial write if that is another."""
    return judged(
        lambda at: _admit_at(Place(store, tenant, call.tenant, at), write, existing),
        write.message,
        replicated=call.replicated,
    )


def _admit_at(place: Place, write: ParsedWrite, existing: list[MessageRow]) -> Message | None:
    _check_protocol(place, write)
    _authorize(place, write)
    initial = _check_against_record(write, existing)
    check_revocation(place.store, place.tenant, write.descriptor, place.at)
    return initial


def _check_protocol(place: Place, write: ParsedWrite) -> None:
    if "protocol" in write.descriptor:
        is_tenants = place.tenant_did in (write.author, write.parties.owner)
        validate_referential_integrity(place, write.message, is_tenants=is_tenants)


def _authorize(place: Place, write: ParsedWrite) -> None:
    # The tenant may write, and may keep what others wrote by signing it as its owner.
    store, did, owner = place.store, place.tenant_did, write.parties.owner
    if owner is not None and owner != did:
        raise Unauthorized(Code.RecordsWriteOwnerAndTenantMismatch, f"Owner {owner} must be the same as tenant {did}")
    authorize_delegates(store, write.message, write.parties, record=write.message)
    if did in (owner, write.author):
        return
    if invokes_grant(store, did, write.message, write.parties, record=write.message, at=place.at):
        return
    if "protocol" in write.descriptor:
        return authorize_write(place, write)
    raise Unauthorized(Code.RecordsWriteAuthorizationFailed, "message failed authorization")


def _check_against_record(write: ParsedWrite, existing: list[MessageRow]) -> Message | None:
    initial = None
    if not write.is_initial:
        initial = next((row.message for row in existing if row.initial), None)
        if initial is None:
            raise BadRequest(Code.RecordsWriteGetInitialWriteNotFound, "Initial write is not found.")
        _check_immutable(initial["descriptor"], write.descriptor)
    if existing:
        newest = existing[-1]
        if (write.descriptor["messageTimestamp"], write.cid) <= newest.age or _repeats(write, newest):
            raise Conflict("", "Conflict")
        if newest.method == "Delete":
            raise BadRequest(
                Code.RecordsWriteNotAllowedAfterDelete, "RecordsWrite is not allowed after a RecordsDelete."
            )
    return initial


def _repeats(write: ParsedWrite, newest: MessageRow) -> bool:
    try:
        return says_nothing_new(write.message, newest.message)
    except MessageDamaged:  # what cannot be read any more is replaced by what is newer
        return False


def _check_immutable(old: dict[str, Any], new: dict[str, Any]) -> None:
    for name in (*old, *new):
        if name not in MUTABLE and old.get(name) != new.get(name):
            raise BadRequest(
                Code.RecordsWriteImmutablePropertyChanged,
                f"{name} is an immutable property: cannot change '{shown(old.get(name))}' to '{shown(new.get(name))}'",
            )


def _change(store: Store, call: Call, write: ParsedWrite, incoming: Incoming | None) -> Change:
    # In a transaction that may hold others: a write that is refused must have changed nothing.
    descriptor, record_id = write.descriptor, write.record_id
    tenant = store.tenant(call.tenant)
    existing = store.record(tenant, record_id)
    if call.replicated and (row := _bare_grant(write, existing)) is not None and incoming is not None:
        return _give_back(store, call, write, row, incoming), []
    initial = _admit(store, tenant, call, write, existing)
    latest, data = True, None
    if incoming is not None:
        _check_data(descriptor, incoming.cid, incoming.size)
        data = incoming.inline
        if data is not None:
            check_permission_data(descriptor, data)
    elif write.is_initial:
        if existing:
            raise Conflict("", "Conflict")  # with its data
        latest = False
    else:
        held = store.blob(tenant, record_id, descriptor["dataCid"])
        data = _data_of_previous(descriptor, existing[-1], has_blob=held is not None)

    check_coverage(write)
    # Nothing is refused from here on.
    tenant, garbage = tenant or store.enrol(call.tenant), []
    if incoming is not None and incoming.key is not None:
        # Also in the place of the same data: those that are held may be lost, which nobody has seen yet.
        garbage += store.drop_blobs(tenant, record_id, keep=None)
        store.add_blob(tenant, record_id, incoming.cid, BlobRow(incoming.key, incoming.size))
    if existing:
        store.supersede(existing)
        garbage += store.drop_blobs(tenant, record_id, keep=descriptor["dataCid"])
    columns = columns_of(
        *(tenant, call.tenant, write.cid, write.message, write.author, write.message),
        latest=latest,
        initial=write.is_initial,
        attester=write.attester,
        data=data,
    )
    seq = store.put(columns, tag_values(write.message) if latest else _tags_of_log(write.message))
    return Applied(call.tenant, write.cid, seq, write.message, latest, call.source, initial, columns), garbage


def _bare_grant(write: ParsedWrite, existing: list[MessageRow]) -> MessageRow | None:
    """Return the row of this very write, if it is of a grant that ended, and lacks its data."""
    if len(existing) != 2 or existing[0].cid != write.cid or existing[0].data is not None:
        return None
    return existing[0] if is_grant(write.descriptor) else None


def _give_back(store: Store, call: Call, write: ParsedWrite, row: MessageRow, incoming: Incoming) -> Applied:
    _check_data(write.descriptor, incoming.cid, incoming.size)
    check_permission_data(write.descriptor, incoming.inline or b"")
    columns = columns_of(
        *(store.tenant(call.tenant), call.tenant, write.cid, write.message, write.author, write.message),
        initial=True,
        data=incoming.inline,
    )
    seq = store.put_again(row, columns, _tags_of_log(write.message))
    return Applied(call.tenant, write.cid, seq, write.message, False, call.source, None, columns)


def _tags_of_log(message: Message) -> list[tuple[str, Any]]:
    """Return the tags by which the event log finds a write that is not its record's latest (`Store.supersede`)."""
    return [tag for tag in tag_values(message) if tag[0] == "protocol"]


def _check_data(descriptor: dict[str, Any], cid: str, size: float) -> None:
    if descriptor["dataCid"] != cid:
        raise BadRequest(
            Code.RecordsWriteDataCidMismatch,
            f"actual data CID {cid} does not match dataCid in descriptor: {descriptor['dataCid']}",
        )
    if descriptor["dataSize"] != size:
        raise BadRequest(
            Code.RecordsWriteDataSizeMismatch,
            f"actual data size {size} bytes does not match dataSize in descriptor: {descriptor['dataSize']}",
        )


def _data_of_previous(descriptor: dict[str, Any], previous: MessageRow, *, has_blob: bool) -> bytes | None:
    # What an update without data keeps, None if it is a blob (`processMessageWithoutDataStream`).
    old = previous.message["descriptor"]
    _check_data(descriptor, old["dataCid"], old["dataSize"])
    if descriptor["dataSize"] <= MAX_INLINE_BYTES:
        if previous.data is None:
            raise BadRequest(
                Code.RecordsWriteMissingEncodedDataInPrevious,
                "No data was provided, and the previous message has none",
            )
        return previous.data
    if not has_blob:
        raise BadRequest(
            Code.RecordsWriteMissingDataInPrevious, "No data was provided, and the previous message has none"
        )
    return None
