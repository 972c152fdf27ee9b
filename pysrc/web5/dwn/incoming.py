"""Data that comes with a write: hashed as it passes, then kept in memory, or in a blob before the transaction."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

from web5.chunks import reading
from web5.dwn.cid import DataCid, data_cid
from web5.dwn.data import MAX_INLINE_BYTES, DataSource
from web5.ports.blobs import Blobs

_CHUNK = 256 * 1024


@dataclass(frozen=True, slots=True)
class Incoming:
    """Data that arrived: `inline` holds it if it is small, else the blob `key` does."""

    cid: str
    size: int
    inline: bytes | None = None
    key: str | None = None


def received(data: bytes) -> Incoming:
    """Small data that is all there."""
    return Incoming(data_cid(data), len(data), inline=data)


async def receive(data: DataSource, declared_size: float, blobs: Blobs) -> Incoming:
    """Take data in, at most a chunk more than was declared: then its CID is wrong whatever follows.

    Parameters:
        declared_size: `dataSize` of the message; it decides where the data goes.

    Raises:
        StorageError: there is no room, or the blob store failed; nothing stays behind.
        Whatever `data` raises.
    """
    if isinstance(data, bytes) and len(data) <= MAX_INLINE_BYTES:
        return received(data)
    cid = DataCid()
    if declared_size <= MAX_INLINE_BYTES:
        kept = bytearray()
        async with reading(_hashed(data, cid, declared_size)) as chunks:
            async for chunk in chunks:
                kept += chunk
        return Incoming(*cid.finish(), inline=bytes(kept))
    key = secrets.token_hex(16)
    async with reading(_hashed(data, cid, declared_size)) as chunks:
        await blobs.put(key, chunks)
    return Incoming(*cid.finish(), key=key)


async def _hashed(data: DataSource, cid: DataCid, declared_size: float) -> AsyncIterator[bytes]:
    async with reading(_chunks(data)) as chunks:
        async for chunk in chunks:
            cid.update(chunk)
            yield chunk
            if cid.size > declared_size:
                return


async def _chunks(data: DataSource) -> AsyncIterator[bytes]:
    if isinstance(data, bytes):
        for start in range(0, len(data), _CHUNK):
            yield data[start : start + _CHUNK]
        return
    async with reading(data) as chunks:
        async for chunk in chunks:
            yield bytes(chunk)
