"""Record data on its way in and out.

What comes with a write is hashed as it passes, then kept in memory, or in a blob before the transaction.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from web5.chunks import reading
from web5.dwn.values.cid import DataCid, data_cid
from web5.errors import BadReply, StorageError, StorageUnsure
from web5.ports.blobs import Blobs

MAX_INLINE_BYTES = 30_000
"""Data up to this size lies with its message and goes into query replies as `encodedData` (`dwn-constant.ts`)."""

_CHUNK = 256 * 1024

DataSource = bytes | AsyncIterable[bytes]


class DataStream:
    """Record data in a reply: an async iterable of chunks.

    Parameters:
        source: the bytes, or a function that opens a fresh iteration over their chunks; it may be called with the first
            byte to begin at.
        size: the number of bytes, if it is known.
        close: gives up what was not read.
    """

    def __init__(
        self,
        source: bytes | Callable[..., AsyncIterator[bytes]],
        size: int | None = None,
        *,
        close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self._source = source
        self._close = close
        self.size = len(source) if isinstance(source, bytes) else size

    def __aiter__(self) -> AsyncIterator[bytes]:
        return _chunks(self._source) if isinstance(self._source, bytes) else self._source()

    def chunks_from(self, start: int) -> AsyncIterator[bytes]:
        """Iterate over the data from a byte on, of a stored record: a remote's come from the first."""
        return _chunks(self._source[start:]) if isinstance(self._source, bytes) else self._source(start)

    async def read(self) -> bytes:
        """Read all of the data.

        Raises:
            StorageError: it cannot be read; BlobMissing if it was replaced or deleted meanwhile.
            BadReply: it is more than `size`; a remote is not trusted to end.
        """
        if isinstance(self._source, bytes):
            return self._source
        whole = bytearray()
        async for chunk in self:
            whole += chunk
            if self.size is not None and len(whole) > self.size:
                await self.close()
                raise BadReply(f"The data of the record is more than the {self.size} bytes that its message declares.")
        return bytes(whole)

    async def close(self) -> None:
        """Give up what was not read: a remote's data holds a connection until its end. Safe to call twice."""
        if self._close is not None:
            await self._close()


def verified(data: DataStream, cid: str, size: int) -> DataStream:
    """Return somebody else's data as a stream that does not end well unless they have this CID and size.

    The last chunk is given only when that is known; else reading raises BadReply in its place.
    """

    async def chunks() -> AsyncIterator[bytes]:
        found, last = DataCid(), b""
        async with reading(data) as incoming:
            async for chunk in incoming:
                found.update(chunk)
                if found.size > size:
                    break
                if last:
                    yield last
                last = chunk
        if found.finish() != (cid, size):
            await data.close()
            raise BadReply(f"The data of the record are not the {size} bytes that its message names ({cid}).")
        if last:
            yield last

    return DataStream(chunks, size, close=data.close)


def data_of(reply: Any) -> DataStream | None:
    """Return the record data that a reply brings as a stream, or None."""
    entry = reply.get("entry") if isinstance(reply, dict) else None
    data = entry.get("data") if isinstance(entry, dict) else None
    return data if isinstance(data, DataStream) else None


@dataclass(frozen=True, slots=True)
class Incoming:
    """Data that came with a write: `inline` if it is small, else in the blob `key`."""

    cid: str
    size: int
    inline: bytes | None = None
    key: str | None = None

    @staticmethod
    def of(data: bytes) -> Incoming:
        return Incoming(data_cid(data), len(data), inline=data)


async def receive(data: DataSource, declared_size: float, blobs: Blobs, *, prefix: str = "") -> Incoming:
    """Hash and keep data, at most a chunk more than was declared: its CID is wrong then, whatever follows.

    Parameters:
        declared_size: `dataSize` of the message; it decides where the data goes.
        prefix: the beginning of a blob's key.

    Raises:
        StorageError: there is no room, or the blob store failed; nothing stays behind.
        Whatever `data` raises.
    """
    if isinstance(data, bytes) and len(data) <= MAX_INLINE_BYTES:
        return Incoming.of(data)
    cid = DataCid()
    async with reading(_hashed(data, cid, declared_size)) as chunks:
        if declared_size <= MAX_INLINE_BYTES:
            inline = b"".join([chunk async for chunk in chunks])
            return Incoming(*cid.finish(), inline=inline)
        key = prefix + secrets.token_hex(16)
        await blobs.put(key, chunks)
        return Incoming(*cid.finish(), key=key)


@asynccontextmanager
async def kept_if_stored(incoming: Incoming | None, blobs: Blobs) -> AsyncIterator[None]:
    """Keep what came in if the block, which stores what it is for, does not fail; else its blob is deleted.

    Where nobody can say whether it has failed, it is kept; if nothing names it, the next opening deletes it.
    """
    try:
        yield
    except StorageUnsure:
        raise
    except Exception:
        if incoming is not None and incoming.key is not None:
            with suppress(StorageError):  # the next opening tries again
                await blobs.delete([incoming.key])
        raise


async def _hashed(data: DataSource, cid: DataCid, declared_size: float) -> AsyncIterator[bytes]:
    async with reading(_chunks(data) if isinstance(data, bytes) else data) as chunks:
        async for chunk in chunks:
            chunk = bytes(chunk)
            cid.update(chunk)
            yield chunk
            if cid.size > declared_size:
                return


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(data), _CHUNK):
        yield data[start : start + _CHUNK]
