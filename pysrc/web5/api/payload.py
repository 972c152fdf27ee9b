"""Record data on its way into the DWN, whole or as a source that is read twice: for its CID, then to be stored."""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from web5.agent.agent import Agent
from web5.api.data import chunked, to_bytes
from web5.chunks import reading
from web5.dwn.cid import DataCid, data_cid
from web5.dwn.codes import Code
from web5.errors import BadRequest, InvalidArgument

CHUNK = 1 << 20

Source = Callable[[], AsyncIterator[bytes]]
"""Data that need not fit into memory: each call begins to read it anew. Its attribute `media_type`, if it has one, says
what it is."""

Transform = Callable[[AsyncIterable[bytes]], AsyncIterator[bytes]]
"""What becomes of the data before they are stored; the same, each time they are read."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Payload:
    """What a RecordsWrite says of its data, and the data: bytes, or where to read them."""

    data_format: str
    cid: str
    size: int
    source: bytes | Source

    @property
    def at_hand(self) -> bytes | None:
        """The data if it is in memory."""
        return self.source if isinstance(self.source, bytes) else None

    async def write(self, agent: Agent, did: str, message: dict[str, Any]) -> None:
        """Have the local DWN of `did` store a RecordsWrite with this data.

        Raises:
            InvalidArgument: the source gave other data than the first time, or something else than bytes.
            DwnError: the DWN refused.
            Whatever the source raises. Nothing is stored in any of these cases.
        """
        if isinstance(self.source, bytes):
            await agent.messages.process(did, message, self.source)
            return
        try:
            async with reading(_opened(self.source)) as chunks:
                await agent.messages.process(did, message, chunks)
        except BadRequest as error:
            if error.code in (Code.RecordsWriteDataCidMismatch, Code.RecordsWriteDataSizeMismatch):
                raise InvalidArgument(
                    "The data changed between the two times that it was read. Try again when nothing writes to it."
                ) from error
            raise


async def prepare(data: Any, data_format: str | None, through: Transform | None = None) -> Payload:
    """Take what an app gave as a record's data; a source is read once, for its CID and size.

    Parameters:
        data: str, bytes-like, anything JSON can hold, a `Source`, or the path of a file.
        data_format: the media type; by default the one that fits `data`.
        through: encrypts the data, if they are to be.

    Raises:
        InvalidArgument: it is none of these, or the file cannot be read.
        Whatever the source raises.
    """
    if isinstance(data, Path):
        data = _file(data)
    if not callable(data):
        whole, data_format = to_bytes(data, data_format)
        if through is not None:
            whole = b"".join([chunk async for chunk in through(chunked(whole))])
        return Payload(data_format, data_cid(whole), len(whole), whole)
    media_type = data_format or getattr(data, "media_type", None) or "application/octet-stream"
    source = data if through is None else _transformed(data, through)
    cid = DataCid()
    async with reading(_opened(source)) as chunks:
        async for chunk in chunks:
            cid.update(chunk)
    return Payload(media_type, *cid.finish(), source)


def _transformed(source: Source, through: Transform) -> Source:
    return lambda: through(_opened(source))


async def _opened(source: Source) -> AsyncIterator[bytes]:
    chunks: Any = source()
    if not hasattr(chunks, "__aiter__"):
        if inspect.iscoroutine(chunks):
            chunks.close()
        raise InvalidArgument("A source of record data must give an async iterator of bytes when it is called.")
    async with reading(chunks) as checked:
        async for chunk in checked:
            if not isinstance(chunk, bytes | bytearray | memoryview):
                raise InvalidArgument(f"A source of record data must give bytes, not {type(chunk).__name__}.")
            yield bytes(chunk)


def _file(path: Path) -> Source:
    async def chunks() -> AsyncIterator[bytes]:
        try:
            with await _off_the_loop(lambda: path.open("rb")) as file:
                while chunk := await _off_the_loop(lambda: file.read(CHUNK)):
                    yield chunk
        except OSError as error:
            raise InvalidArgument(f"{path} cannot be read: {error.strerror or error}.") from error

    return chunks


async def _off_the_loop(work: Callable[[], T]) -> T:
    """The result of file work, in a thread where there are threads; a browser's files of this kind are in memory."""
    return work() if sys.platform == "emscripten" else await asyncio.to_thread(work)
