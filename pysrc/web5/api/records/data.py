"""Record data on its way in, whole or as a source that is read twice (for its CID, then to be stored), and out.

The media types follow `dataToBlob` in `@web5/api` src/utils.ts.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from web5 import strict_json
from web5.agent.agent import Agent
from web5.api import arguments
from web5.api.arguments import keywords
from web5.api.records.progress import Teller, teller
from web5.chunks import reading
from web5.dwn.codes import Code
from web5.dwn.data import MAX_INLINE_BYTES, DataStream
from web5.dwn.values.cid import DataCid, data_cid
from web5.dwn.values.types import Message
from web5.errors import BadRequest, InvalidArgument, MalformedData, NodeGone
from web5.platform import from_javascript, js_blob
from web5.settings import ByteProgress
from web5.tasks import off_the_loop

CHUNK = 65_536
FILE_CHUNK = 1 << 20

NODES = 20
"""Times that data are read anew since the tab that was the node has gone."""

Source = Callable[[], AsyncIterator[bytes]]
"""Data that need not fit into memory: each call begins to read it anew. Its attribute `media_type`, if it has one, is
the media type."""

Transform = Callable[[AsyncIterable[bytes]], AsyncIterator[bytes]]
"""A change of the data before they are stored; the same, each time they are read."""


class RecordData:
    """The data of a record, fetched when it is asked for and not before.

    Each method reads it anew, and raises NotFound if the record is deleted or gone, KeyMissing if it is encrypted and
    no key for it is here, BlobMissing if the DWN has the record without its data, and RemoteError if the record is a
    remote DWN's and that cannot be reached.

    Where it is taken, `on_progress` is called with the bytes that have come and those of the whole, with each chunk and
    at the end. What it raises goes to the event loop's exception handler.
    """

    def __init__(
        self,
        open_stream: Callable[[], Awaitable[AsyncIterator[bytes]]],
        media_type: str | None = None,
        size: int | None = None,
    ) -> None:
        self._open_stream = open_stream
        self._media_type = media_type
        self._size = size

    def __repr__(self) -> str:
        return f"<RecordData {self._media_type}, {self._size} bytes>"

    @keywords
    async def stream(self, *, on_progress: ByteProgress | None = None) -> AsyncIterator[bytes]:
        """Return an iterator over the bytes in chunks, as they come from the store or the remote DWN."""
        told = teller(arguments.callback("on_progress", on_progress), self._size)
        chunks = await self._open_stream()
        return chunks if told is None else told.read(chunks)

    @keywords
    async def bytes(self, *, on_progress: ByteProgress | None = None) -> bytes:
        """Return all of the data."""
        return b"".join([chunk async for chunk in await self.stream(on_progress=on_progress)])

    async def text(self) -> str:
        """Return all of the data as UTF-8 text.

        Raises:
            MalformedData: it is not UTF-8.
        """
        try:
            return (await self.bytes()).decode()
        except UnicodeDecodeError as error:
            raise MalformedData(f"The record's data is not UTF-8 text: {error}.") from error

    async def json(self) -> Any:
        """Return the JSON value that the data holds.

        Raises:
            MalformedData: it is not JSON in UTF-8 (RFC 8259), or nested more than 500 levels deep.
        """
        try:
            return strict_json.parse((await self.bytes()).decode("utf-8-sig"))
        except ValueError as error:
            raise MalformedData(f"The record's data is not JSON: {error}.") from error

    @keywords
    async def blob(self, *, on_progress: ByteProgress | None = None) -> Any:
        """Return all of the data as a JavaScript Blob, in the browser's memory instead of Python's.

        Raises:
            InvalidArgument: this is no browser; use `bytes` or `stream`.
        """
        return await js_blob(await self.stream(on_progress=on_progress), self._media_type)


@dataclass(frozen=True, slots=True)
class Payload:
    """The data of a RecordsWrite: bytes, or a source of them.

    Parameters:
        cid, size: of the data as they are stored.
    """

    data_format: str
    cid: str
    size: int
    source: bytes | Source

    @property
    def in_memory(self) -> bytes | None:
        """The data, unless it is read from a source."""
        return self.source if isinstance(self.source, bytes) else None

    def stream(self) -> bytes | DataStream:
        """Return the data for a request to a remote DWN."""
        source = self.source
        return source if isinstance(source, bytes) else DataStream(lambda: _checked(source), self.size)

    async def write(self, agent: Agent, did: str, message: Message, on_progress: ByteProgress | None = None) -> None:
        """Have the local DWN of `did` store a RecordsWrite with this data; nothing is stored if anything is raised.

        Parameters:
            on_progress: told of the bytes that are stored.

        Raises:
            InvalidArgument: the source gave other data than the first time, or something else than bytes.
            DwnError: the DWN refused.
        """
        told = teller(on_progress, self.size)
        await self._write(agent, did, message, told)
        if told is not None:
            told.tell(self.size)

    async def _write(self, agent: Agent, did: str, message: Message, told: Teller | None) -> None:
        source = self.source
        if isinstance(source, bytes):
            if told is None or self.size <= MAX_INLINE_BYTES:
                await agent.messages.process(did, message, source)
                return
            source = partial(chunked, source)
        try:
            for _ in range(NODES):
                try:
                    given = _checked(source)
                    async with reading(given if told is None else told.storing(given)) as chunks:
                        await agent.messages.process(did, message, chunks)
                        return
                except NodeGone:
                    continue
            raise NodeGone("One tab after the other was the node, and went away before it had all of the data.")
        except BadRequest as error:
            if error.code in (Code.RecordsWriteDataCidMismatch, Code.RecordsWriteDataSizeMismatch):
                raise InvalidArgument(
                    "The data changed between the two times that it was read. Try again when nothing writes to it."
                ) from error
            raise


async def prepare(data: Any, data_format: str | None, transform: Transform | None = None) -> Payload:
    """Return the payload for an app's data; a source is read once, for its CID and size.

    Parameters and errors are those of `RecordsApi.create`; `transform` encrypts the data, if they are to be.
    """
    data = from_javascript(data)
    if isinstance(data, Path):
        data = _file(data)
    if not callable(data):
        whole, data_format = to_bytes(data, data_format)
        if transform is not None:
            whole = b"".join([chunk async for chunk in transform(chunked(whole))])
        return Payload(data_format, data_cid(whole), len(whole), whole)
    media_type = data_format or getattr(data, "media_type", None) or "application/octet-stream"
    source = data if transform is None else lambda: transform(_checked(data))
    cid = DataCid()
    async with reading(_checked(source)) as chunks:
        async for chunk in chunks:
            cid.update(chunk)
    return Payload(media_type, *cid.finish(), source)


def to_bytes(data: Any, data_format: str | None) -> tuple[bytes, str]:
    """Return the bytes of str, bytes-like or JSON data, and their media type: `data_format`, or the one that fits.

    Raises:
        InvalidArgument: JSON cannot hold `data`.
    """
    if isinstance(data, str):
        return arguments.text("data", data).encode(), data_format or "text/plain"
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), data_format or "application/octet-stream"
    try:
        encoded = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArgument(f"Record data must be str, bytes or JSON: {error}.") from error
    return encoded, data_format or "application/json"


async def chunked(data: bytes) -> AsyncIterator[bytes]:
    """Give data that is in memory as a stream."""
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]


async def _checked(source: Source) -> AsyncIterator[bytes]:
    chunks: Any = source()
    if not hasattr(chunks, "__aiter__"):
        if inspect.iscoroutine(chunks):
            chunks.close()
        raise InvalidArgument("A source of record data must give an async iterator of bytes when it is called.")
    async with reading(chunks) as iterator:
        async for chunk in iterator:
            if not isinstance(chunk, bytes | bytearray | memoryview):
                raise InvalidArgument(f"A source of record data must give bytes, not {type(chunk).__name__}.")
            yield bytes(chunk)


def _file(path: Path) -> Source:
    async def chunks() -> AsyncIterator[bytes]:
        try:
            with await off_the_loop(lambda: path.open("rb")) as file:
                while chunk := await off_the_loop(lambda: file.read(FILE_CHUNK)):
                    yield chunk
        except OSError as error:
            raise InvalidArgument(f"{path} cannot be read: {error.strerror or error}.") from error

    return chunks
