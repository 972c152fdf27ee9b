"""The messages of a DWN on their way into an archive, one by one, in memory that does not grow with their number."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from functools import partial

from web5.archive.format import (
    MOST_LINE,
    PART_BYTES,
    PART_MESSAGES,
    File,
    Keys,
    Manifest,
    data_name,
    file_of,
    line,
    part_name,
    program,
)
from web5.archive.zip_reader import MOST_ENTRIES
from web5.archive.zip_writer import ZipWriter
from web5.chunks import reading
from web5.dwn import Dwn
from web5.dwn.data import verified
from web5.dwn.store.store import MessageRow
from web5.dwn.store.whole import extent, replayable
from web5.dwn.values.types import Message
from web5.errors import ArchiveError, BadReply, BlobMissing, StorageCorrupt
from web5.ports.files import ByteSink
from web5.settings import Progress, ignore_progress

RACES = 3
"""The number of times that a record may be changed while its data is being written."""


class MessagesWriter:
    """Writes the messages of a tenant, and other files, into an archive.

    Parameters:
        sink: is the caller's to close.
        on_progress: called with ("messages", done, of how many) and ("data", bytes, of how many).

    Attributes:
        zip: the archive.
        files: those that were added.
        messages: their number so far.
        data: the CIDs of large data so far.
        bytes: their bytes.
        left_out: the CIDs of messages that cannot be read here, or whose data cannot.
    """

    def __init__(self, dwn: Dwn, did: str, sink: ByteSink, on_progress: Progress = ignore_progress) -> None:
        self._did = did
        self._dwn, self._store = dwn, dwn.store
        self.zip = ZipWriter(sink)
        self._on_progress = on_progress
        self.files: list[File] = []
        self._part, self._in_part, self._parts = bytearray(), 0, 0
        self.messages = self.bytes = 0
        self._total, self._total_bytes = extent(self._store, self._store.tenant(did))
        self.data: set[str] = set()
        self.left_out: dict[str, None] = {}

    async def add(self, name: str, content: bytes, messages: int = 0) -> None:
        """Add a file that the manifest names.

        Parameters:
            messages: their number in it.
        """
        await self.zip.add(name, content)
        self.files.append(file_of(name, content, messages))

    async def write(self) -> None:
        """Add all messages of the tenant, and their data."""
        for rows in replayable(self._store, self._did):
            await self._record(rows)
            if len(self._part) >= PART_BYTES or self._in_part >= PART_MESSAGES:
                await self._end_part()
        await self._end_part()

    def tell(self) -> None:
        """Tell how far it is."""
        self._on_progress("messages", self.messages, max(self.messages, self._total))

    async def _end_part(self) -> None:
        if self._in_part:
            self._parts += 1
            await self.add(part_name(self._parts), bytes(self._part), self._in_part)
            self._part, self._in_part = bytearray(), 0
            self.tell()

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
            self.left_out.update(dict.fromkeys(row.cid for row in rows))
        for one in filter(None, lines):
            self._part += one
            self._in_part += 1
            self.messages += 1

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
        self.left_out[row.cid] = None
        return None

    async def _add_data(self, cid: str, message: Message) -> None:
        data_cid, size = message["descriptor"]["dataCid"], message["descriptor"]["dataSize"]
        if data_cid in self.data:
            return
        if len(self.data) >= MOST_ENTRIES // 2:
            raise ArchiveError("", f"it would have more than {MOST_ENTRIES // 2} files of data, which no archive has")
        stored = await self._dwn.read_stored(self._did, cid)
        if stored is None or stored.data is None:
            raise BlobMissing(f"the data of message {cid} was replaced meanwhile")
        chunks = partial(self._counted, verified(stored.data, data_cid, size))
        await self.zip.stream(data_name(data_cid), chunks(), size)
        self.data.add(data_cid)
        self.bytes += size

    async def _counted(self, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        done = self.bytes
        async with reading(chunks) as incoming:
            async for chunk in incoming:
                done += len(chunk)
                self._on_progress("data", done, max(done, self._total_bytes))
                yield chunk


def manifest_of(writer: MessagesWriter, did: str, created: str, keys: Keys) -> bytes:
    """Return the manifest of what was written."""
    manifest = Manifest(
        program=program(),
        did=did,
        created=created,
        keys=keys,
        messages=writer.messages,
        data=len(writer.data),
        data_bytes=writer.bytes,
        left_out=list(writer.left_out),
        files=writer.files,
    )
    return manifest.model_dump_json(indent=1).encode() + b"\n"
