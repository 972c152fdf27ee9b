"""The messages of deliveries: taken over to be kept, and read again when they are sent."""

from __future__ import annotations

from collections.abc import Sequence

from web5.crypto.encoding import b64url_decode
from web5.dwn.data import MAX_INLINE_BYTES, DataSource, DataStream, receive
from web5.dwn.values.cid import bare_message, message_cid
from web5.dwn.values.types import Message
from web5.dwn.wire.rpc import method_of
from web5.errors import InvalidArgument, StorageError
from web5.sync.exchange.context import SyncContext
from web5.sync.ledger.deliveries import BLOB_PREFIX, Carried, Letter, Row
from web5.sync.plan.delivery import DELETED, REPLACED, replaces
from web5.sync.plan.dependencies import NO_RECORD, ordering_key
from web5.sync.plan.policy import Outcome

Part = tuple[Message, bytes | DataStream | None]


async def carried_letters(context: SyncContext, messages: Sequence[tuple[Message, DataSource | None]]) -> list[Letter]:
    """Take over messages that are not held here, with their data.

    Raises:
        InvalidArgument: one has data that are not its own.
        StorageError: there is no room for the data; nothing stays behind.
        Whatever the data raise.
    """
    letters: list[Letter] = []
    try:
        for message, data in messages:
            letters.append(await _carried(context, message, data))
    except BaseException:
        await context.dwn.blobs.delete(needless(letters))
        raise
    return letters


async def _carried(context: SyncContext, message: Message, data: DataSource | None) -> Letter:
    bare, descriptor = bare_message(message), message["descriptor"]
    cid, record = message_cid(bare), ordering_key(bare)
    if data is None and "encodedData" in message:
        data = b64url_decode(message["encodedData"])
    if data is None:
        return Letter(cid, record, Carried(bare))
    size = descriptor.get("dataSize")
    incoming = await receive(data, size if isinstance(size, int) else 0, context.dwn.blobs, prefix=BLOB_PREFIX)
    letter = Letter(cid, record, Carried(bare, incoming.inline, incoming.key))
    if (incoming.cid, incoming.size) != (descriptor.get("dataCid"), size):
        await context.dwn.blobs.delete(needless([letter]))
        raise InvalidArgument(f"the data of message {cid} are not the {size} bytes that it names")
    return letter


async def held_letter(context: SyncContext, author: str, cid: str, record: str) -> Letter:
    """Return a message that is held here as it is sent; with a copy if its data are small.

    The engine forgets a write when another takes its place; what was sent arrives all the same.
    """
    try:
        stored = await context.dwn.read_stored(author, cid)
        if stored is not None and stored.data is not None and (stored.data.size or 0) <= MAX_INLINE_BYTES:
            return Letter(cid, record, Carried(stored.message, await stored.data.read(), held=True))
    except StorageError:
        pass  # it is found again, and told, when it is sent
    return Letter(cid, record)


def needless(letters: Sequence[Letter]) -> list[str]:
    """Return the keys of blobs of letters that are not kept."""
    return [one.carried.blob for one in letters if one.carried is not None and one.carried.blob is not None]


def keep(context: SyncContext, author: str, target: str, letters: Sequence[Letter]) -> list[str]:
    """Keep deliveries in the place of those that they make needless; return the keys of needless blobs.

    Inside a transaction.
    """
    table, new = context.ledger.deliveries, {letter.cid for letter in letters}
    blobs = table.add(author, target, letters, context.clock.now())
    for letter in letters:
        newer = _message(context, author, letter.cid)
        if newer is None or letter.record == NO_RECORD:
            continue
        for cid in {row.cid for row in table.rows(author, target, record=letter.record)} - new:
            older = _message(context, author, cid)
            carries_initial = letter.carried is None or letter.carried.held
            if older is None or replaces(newer, older, carries_initial=carries_initial):
                blobs += table.drop(author, target, cid)
    return blobs


def _message(context: SyncContext, author: str, cid: str) -> Message | None:
    if (carried := context.ledger.deliveries.carried(author, cid)) is not None:
        return carried.message
    row = context.dwn.store.message(context.dwn.store.tenant(author), cid)
    return row.message if row is not None and row.is_readable else None


async def parts_of(context: SyncContext, row: Row) -> Sequence[Part] | Outcome:
    """Return the message, and before it the initial write of its record if that is held here; or why there is none.

    Raises:
        StorageError: it cannot be read.
    """
    carried = context.ledger.deliveries.carried(row.author, row.cid)
    if carried is not None and not carried.held:
        data = carried.data if carried.blob is None else _kept(context, carried.blob, carried.message)
        return [(carried.message, data)]
    if carried is not None:
        gone = _gone(context, row)
        return gone if gone is DELETED else [*await _initial(context, row), (carried.message, carried.data)]
    parts: list[Part] = []
    for item in context.held.with_initial(row.author, row.cid):
        stored = await context.dwn.read_stored(row.author, item.cid)
        parts += [] if stored is None else [(stored.message, stored.data)]
    if not parts or message_cid(parts[-1][0]) != row.cid or _is_outdated(context, row, parts[-1]):
        return _gone(context, row)
    return parts


async def _initial(context: SyncContext, row: Row) -> Sequence[Part]:
    """Return the initial write of a message's record, if it is another message and held here."""
    store = context.dwn.store
    cids = [one.cid for one in store.record(store.tenant(row.author), row.record) if one.initial and one.cid != row.cid]
    found = [await context.dwn.read_stored(row.author, cid) for cid in cids]
    return [(stored.message, stored.data) for stored in found if stored is not None]


def _kept(context: SyncContext, key: str, message: Message) -> DataStream:
    return DataStream(lambda: context.dwn.blobs.get(key), message["descriptor"]["dataSize"])


def _is_outdated(context: SyncContext, row: Row, part: Part) -> bool:
    """Return True for a write whose data went when another took its place."""
    message, data = part
    if data is not None or method_of(message) != "Records.Write":
        return False
    held = context.dwn.store.message(context.dwn.store.tenant(row.author), row.cid)
    return held is None or not held.latest


def _gone(context: SyncContext, row: Row) -> Outcome:
    """Return the outcome of a message that cannot be sent any more."""
    store = context.dwn.store
    held = [] if row.record == NO_RECORD else store.record(store.tenant(row.author), row.record)
    is_deleted = row.record != NO_RECORD and (not held or held[-1].method == "Delete")
    return DELETED if is_deleted else REPLACED
