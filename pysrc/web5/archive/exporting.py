"""The export of an identity into an archive, message by message, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from web5.agent.agent import Agent
from web5.archive.format import (
    DOCUMENT,
    MANIFEST,
    MOST_LINE,
    PART_BYTES,
    PART_MESSAGES,
    SIGNATURE,
    File,
    Keys,
    Manifest,
    data_name,
    file_of,
    line,
    part_name,
    program,
)
from web5.archive.identity_files import check_keys, identity_files, manifest_signature
from web5.archive.zip_reader import MOST_ENTRIES
from web5.archive.zip_writer import ZipWriter
from web5.chunks import reading
from web5.dwn.data import verified
from web5.dwn.store.store import MessageRow
from web5.dwn.store.whole import extent, replayable
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message
from web5.errors import ArchiveError, BadReply, BlobMissing, IdentityError, StorageCorrupt
from web5.ports.files import ByteSink
from web5.settings import Progress, ignore_progress

RACES = 3
"""The number of times that a record may be changed while its data is being written."""


@dataclass(frozen=True)
class ExportReport:
    """The contents of an archive that was written.

    Parameters:
        did: the identity.
        messages: their number.
        data, data_bytes: the number of large data, and their bytes.
        left_out: CIDs of messages that cannot be read here, or whose data cannot (`web5.sync.damaged`).
        blob: the archive as a JavaScript Blob, where no target was given; else None.
    """

    did: str
    messages: int
    data: int
    data_bytes: int
    left_out: tuple[str, ...] = ()
    blob: Any = field(default=None, compare=False)


async def export_archive(
    agent: Agent,
    did: str,
    sink: ByteSink,
    *,
    keys: Keys = "encrypted",
    password: str | None = None,
    on_progress: Progress = ignore_progress,
) -> ExportReport:
    """Export an identity of the agent with everything that it has here.

    Parameters:
        sink: is closed when the archive is whole, and given up whatever goes wrong.
        keys, password: see `check_keys`.
        on_progress: called with ("messages", done, of how many) and ("data", bytes, of how many).

    Raises:
        InvalidArgument: the keys cannot be exported so.
        IdentityError: it is not on this agent, or acts for somebody else.
        VaultLocked: the vault is locked.
        StorageFull, StorageError: the archive cannot be written.
    """
    try:
        check_keys(keys, password)
        if agent.identities.get(did).connected_did is not None:
            raise IdentityError(f"{did} acts for somebody else, whose data are for that one's own agent to export.")
        report = await _Export(agent, did, sink, on_progress).run(keys, password)
        blob = await sink.close()
    except BaseException:
        await sink.abort()
        raise
    return report if blob is None else replace(report, blob=blob)


class _Export:
    def __init__(self, agent: Agent, did: str, sink: ByteSink, on_progress: Progress) -> None:
        self._agent, self._did = agent, did
        self._dwn, self._store = agent.dwn, agent.dwn.store
        self._zip = ZipWriter(sink)
        self._on_progress = on_progress
        self._files: list[File] = []
        self._part, self._in_part, self._parts = bytearray(), 0, 0
        self._messages = self._bytes = 0
        self._total, self._total_bytes = extent(self._store, self._store.tenant(did))
        self._data: set[str] = set()
        self._left_out: dict[str, None] = {}

    async def run(self, keys: Keys, password: str | None) -> ExportReport:
        try:
            return await self._run(keys, password)
        except BaseException:
            self._zip.give_up()
            raise

    async def _run(self, keys: Keys, password: str | None) -> ExportReport:
        agent, created = self._agent, format_timestamp(self._agent.clock.now())
        signer, portable_did = await agent.signer(self._did), await agent.identities.portable_did(self._did)
        name = agent.identities.get(self._did).name
        files = await identity_files(portable_did, name, keys=keys, password=password, crypto=agent.crypto)
        document = portable_did.document.model_dump_json(by_alias=True, indent=2).encode() + b"\n"
        for name, content in {**files, DOCUMENT: document}.items():
            await self._add(name, content)
        for rows in replayable(self._store, self._did):
            await self._record(rows)
            if len(self._part) >= PART_BYTES or self._in_part >= PART_MESSAGES:
                await self._end_part()
        await self._end_part()
        manifest = Manifest(
            program=program(),
            did=self._did,
            created=created,
            keys=keys,
            messages=self._messages,
            data=len(self._data),
            data_bytes=self._bytes,
            left_out=list(self._left_out),
            files=self._files,
        )
        content = manifest.model_dump_json(indent=1).encode() + b"\n"
        await self._zip.add(MANIFEST, content)
        await self._zip.add(SIGNATURE, await manifest_signature(content, signer))
        await self._zip.close()
        self._tell()
        return ExportReport(self._did, self._messages, len(self._data), self._bytes, tuple(self._left_out))

    async def _add(self, name: str, content: bytes, messages: int = 0) -> None:
        await self._zip.add(name, content)
        self._files.append(file_of(name, content, messages))

    async def _end_part(self) -> None:
        if self._in_part:
            self._parts += 1
            await self._add(part_name(self._parts), bytes(self._part), self._in_part)
            self._part, self._in_part = bytearray(), 0
            self._tell()

    def _tell(self) -> None:
        self._on_progress("messages", self._messages, max(self._messages, self._total))

    # -- records

    async def _record(self, rows: list[MessageRow]) -> None:
        """Add the messages of a record, or a definition; again, as it is by then, if it was changed meanwhile."""
        for _ in range(RACES):
            try:
                lines = [await self._line(row) for row in rows]
                break
            except BlobMissing:
                rows = self._store.record(self._store.tenant(self._did), rows[0].record_id)
        else:
            lines = []
            self._left_out.update(dict.fromkeys(row.cid for row in rows))
        for one in filter(None, lines):
            self._part += one
            self._in_part += 1
            self._messages += 1

    async def _line(self, row: MessageRow) -> bytes | None:
        """Return the line of a message, after its data if they are large; None if it cannot be read."""
        try:
            message = row.message
            if row.method == "Write" and row.latest and row.data is None:
                await self._add_data(row.cid, message)
            found = line(row.cid, row.body, row.data)
            if len(found) <= MOST_LINE:
                return found
        except BlobMissing:
            raise
        except (BadReply, StorageCorrupt):
            pass
        self._left_out[row.cid] = None
        return None

    async def _add_data(self, cid: str, message: Message) -> None:
        data_cid, size = message["descriptor"]["dataCid"], message["descriptor"]["dataSize"]
        if data_cid in self._data:
            return
        if len(self._data) >= MOST_ENTRIES // 2:
            raise ArchiveError("", f"it would have more than {MOST_ENTRIES // 2} files of data, which no archive has")
        stored = await self._dwn.read_stored(self._did, cid)
        if stored is None or stored.data is None:
            raise BlobMissing(f"the data of message {cid} was replaced meanwhile")
        chunks = partial(self._counted, verified(stored.data, data_cid, size))
        await self._zip.stream(data_name(data_cid), chunks(), size)
        self._data.add(data_cid)
        self._bytes += size

    async def _counted(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        done = self._bytes
        async with reading(chunks) as incoming:
            async for chunk in incoming:
                done += len(chunk)
                self._on_progress("data", done, max(done, self._total_bytes))
                yield chunk
