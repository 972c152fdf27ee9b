"""Everything of one tenant: into an archive and back (docs/archive.md), or erased.

Invariants:
1. An export changes nothing, and the node may run. What is written meanwhile is in it or not; each record is whole.
2. An import takes nothing from a part that is not whole. Every message goes through the engine, as a stranger's does:
   its signatures, its CIDs and those of its data are checked, and it is judged by what holds now; only where the
   operator says that the file is from a node that the tenant trusts, by what held at the message's own time, too.
3. What is here is skipped, and nothing that is here is lost. So an import that was cut off goes on when it is repeated.
4. What is erased is the tenant's alone: what it has written to others, as their guest, is theirs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from web5.archive.format import MANIFEST, SIGNED_DOCUMENT
from web5.archive.taking import ImportReport, MessagesImport, open_archive
from web5.archive.writing import MessagesWriter, manifest_of
from web5.cpython.blobs import READ_BYTES
from web5.dids.uri import parse_did
from web5.dwn import Delivery, Dwn
from web5.dwn.store.store import Store
from web5.dwn.store.whole import erase
from web5.dwn.values.timestamps import format_timestamp
from web5.errors import ArchiveError, BlobMissing, DwnError, StorageError, StorageFull
from web5.node import registration
from web5.node.stores import Stores
from web5.node.upkeep.backup import blob_file
from web5.ports.clock import Clock
from web5.ports.files import ByteSink, ByteSource
from web5.settings import Progress, ignore_progress
from web5.sync.plan.policy import Outcome, classify
from web5.sync.plan.pull import Candidate, RecordBatch
from web5.tasks import off_the_loop

_FULL = 507


@dataclass(frozen=True, slots=True)
class Exported:
    """The contents of an export.

    Parameters:
        left_out: CIDs of messages that cannot be read, or whose data cannot.
    """

    messages: int
    data: int
    bytes: int
    left_out: tuple[str, ...]


async def export_tenant(
    dwn: Dwn,
    did: str,
    sink: ByteSink,
    clock: Clock,
    on_progress: Progress = ignore_progress,
    *,
    document: bytes | None = None,
) -> Exported:
    """Write all messages and data of a tenant into an archive without keys, which nobody has signed.

    Parameters:
        dwn: need not be opened: what is in it is only read.
        sink: is closed when the archive is whole, and given up whatever goes wrong.
        document: the tenant's, as the gateway keeps it.

    Raises:
        StorageError: it cannot be read, or not be written.
    """
    try:
        writer = MessagesWriter(dwn, did, sink, on_progress)
        created = format_timestamp(clock.now())
        try:
            if document is not None:
                await writer.add(SIGNED_DOCUMENT, document)
            await writer.write()
            await writer.zip.add(MANIFEST, manifest_of(writer, did, created, "none"))
            await writer.zip.close()
        except BaseException:
            writer.zip.give_up()
            raise
        await sink.close()
    except BaseException:
        await sink.abort()
        raise
    return Exported(writer.messages, len(writer.data), writer.bytes, tuple(writer.left_out))


async def import_tenant(
    dwn: Dwn, source: ByteSource, *, history: bool = False, on_progress: Progress = ignore_progress
) -> ImportReport:
    """Take the messages and data of an archive: one of a node's, or a person's own, whose keys are not looked at.

    Parameters:
        source: is the caller's to close.
        history: judge messages by what held at their own time, too.

    Raises:
        ArchiveError, ArchiveNewer: it is none, or has too much. Nothing is changed.
        ArchiveDamaged: a file in it was changed, or is broken; what came before it stays.
        StorageFull: there is no room, or the tenant's quota is full; what was taken stays.
        StorageError: the store failed; likewise.
    """
    archive, manifest, _ = await open_archive(source)
    if (did := parse_did(manifest.did)) is None or did.uri != manifest.did:
        raise ArchiveError(MANIFEST, "it names no DID")
    report = ImportReport(manifest.did, manifest.messages)
    await MessagesImport(_Intake(dwn, manifest.did, history=history), archive, manifest, report, on_progress).run()
    return report


class _Intake:
    """The way of messages into the DWN of a tenant (`Taking`)."""

    def __init__(self, dwn: Dwn, tenant: str, *, history: bool) -> None:
        self._dwn, self._tenant, self._history = dwn, tenant, history

    def wanted(self, candidates: Collection[Candidate]) -> set[str]:
        return self._dwn.store.missing(self._tenant, [one.cid for one in candidates])

    async def take(self, batches: Sequence[RecordBatch]) -> list[list[Outcome]]:
        outcomes: list[list[Outcome]] = []
        for are_small, group in groupby(batches, lambda batch: all(one.is_small_write for one in batch)):
            some = list(group)
            outcomes += await self._together(some) if are_small else [await self._in_turn(batch) for batch in some]
        return outcomes

    async def _together(self, batches: Sequence[RecordBatch]) -> list[list[Outcome]]:
        writes = [one for batch in batches for one in batch]
        deliveries = [Delivery(one.message, one.inline, one.cid) for one in writes]
        try:
            replies = await self._dwn.process_writes(self._tenant, deliveries, replicated=self._history)
        except DwnError:  # one that has no room undoes all
            return [await self._in_turn(batch) for batch in batches]
        found = iter([_outcome(reply, one) for reply, one in zip(replies, writes, strict=True)])
        return [[next(found) for _ in batch] for batch in batches]

    async def _in_turn(self, batch: RecordBatch) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for one in batch:
            if outcomes and outcomes[-1].waits_for:
                outcomes.append(outcomes[-1])
                continue
            reply = await self._dwn.process_message(self._tenant, one.message, one.data, replicated=self._history)
            outcomes.append(_outcome(reply, one))
        return outcomes


def _outcome(reply: dict[str, object], candidate: Candidate) -> Outcome:
    outcome = classify(reply, candidate.message)
    if outcome.code == _FULL:
        raise StorageFull(f"{outcome.detail}; give it more with web5-node tenants quota, and import again")
    return outcome


async def erase_tenant(stores: Stores, did: str) -> None:
    """Erase all messages, data and the registration of a tenant; the tables are there.

    Raises:
        StorageError: it could not be erased.
    """
    database = stores.messages
    with database.erasing_transaction(makes_room=True, of=did):
        keys = erase(Store(database), did)
    await database.erase()
    await stores.blobs.delete(keys)
    registered = stores.registrations()
    registered.migrate("registrations", registration.SCHEMA)
    query = "DELETE FROM registered_tenant WHERE did = ?"
    await registered.commit(lambda: registered.connection.execute(query, (did,)), makes_room=True, of=did)


class BlobFiles:
    """The large data of a folder that another process has open (`Blobs`, as far as it is read)."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        path = blob_file(self._folder, key)
        try:
            with await off_the_loop(lambda: path.open("rb")) as file:
                file.seek(start)
                while piece := await off_the_loop(lambda: file.read(READ_BYTES)):
                    yield piece
        except FileNotFoundError as error:
            raise BlobMissing(f"there is no blob {key!r}") from error
        except OSError as error:
            raise StorageError(f"{path} cannot be read: {error.strerror}") from error
