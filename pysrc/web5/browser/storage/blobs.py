"""Record data in IndexedDB.

Invariants:
1. A blob is its row in `whole`; chunks without one do not exist for readers. The row is written last, in the
   transaction that drops the put's row in `unfinished`.
2. A put writes its row in `unfinished` together with its first chunk. What a killed tab left is found there at the
   next opening, and removed.
3. Chunks are keyed [blob key, id of the put, number of the chunk], so that a put never touches another's chunks.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterable, AsyncIterator, Iterable
from contextlib import suppress
from typing import Any

from web5.browser.storage.indexeddb import IndexedDb, WriteTransaction, open_database
from web5.errors import BlobMissing, StorageError, StorageLost

_WHOLE, _CHUNKS, _UNFINISHED = "whole", "chunks", "unfinished"
_CHUNK = 1 << 20  # bytes a record; small pieces cost a transaction each, large ones memory


class IndexedDbBlobs:
    """A `Blobs` store in the IndexedDB database `<db_name>.blobs`. It has one owner at a time. Use `open`."""

    def __init__(self, database: IndexedDb) -> None:
        self._database = database

    @classmethod
    async def open(cls, db_name: str) -> IndexedDbBlobs:
        """Open the blobs of a node, and remove unfinished ones.

        Parameters:
            db_name: the node's name on this origin.

        Raises:
            StorageError: IndexedDB refused.
        """
        database = await open_database(f"{db_name}.blobs", [_WHOLE, _CHUNKS, _UNFINISHED])
        for key, put_id in await database.read_keys(_UNFINISHED, "looking for unfinished blobs"):
            await _discard(database, key, put_id)
        return cls(database)

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        database = self._database
        put_id = uuid.uuid4().hex
        size = count = 0
        try:
            async for chunk in _regrouped(chunks):
                write = WriteTransaction(database, f"storing blob {key}", _CHUNKS, _UNFINISHED)
                if count == 0:
                    write.put(_UNFINISHED, [key, put_id], True)
                write.put(_CHUNKS, [key, put_id, count], chunk)
                await self._commit(write, whole=count == 0)
                size, count = size + len(chunk), count + 1
            write = WriteTransaction(database, f"storing blob {key}", _WHOLE, _CHUNKS, _UNFINISHED)
            write.put(_WHOLE, key, [put_id, count])
            write.delete(_UNFINISHED, key=[key, put_id])
            write.delete_range(_CHUNKS, [key], [key, put_id])  # what the key held before
            write.delete_range(_CHUNKS, [key, put_id, []], [key, []])
            await self._commit(write, whole=count == 0)
        except BaseException:
            with suppress(StorageError):  # the next opening tries again
                await _discard(database, key, put_id)
            raise
        return size

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        js_row = await self._read(_WHOLE, key, key)
        if js_row is None:
            raise BlobMissing(f"there is no blob {key}")
        put_id, count = js_row.to_py()
        first, before = divmod(start, _CHUNK)
        for number in range(first, count):
            js_chunk = await self._read(_CHUNKS, [key, put_id, number], key)
            if js_chunk is None:
                raise BlobMissing(f"chunk {number} of blob {key} is gone: it was removed while it was read")
            if chunk := js_chunk.to_bytes()[before:]:
                yield chunk
            before = 0

    async def delete(self, keys: Iterable[str]) -> None:
        write = WriteTransaction(self._database, "deleting blobs", _WHOLE, _CHUNKS)
        for key in keys:
            write.delete(_WHOLE, key=key)
            write.delete_range(_CHUNKS, [key], [key, []])
        await self._commit(write, whole=True)

    async def keys(self) -> set[str]:
        return set(await self._database.again(lambda: self._database.read_keys(_WHOLE, "listing blobs")))

    async def _read(self, store: str, at: Any, key: str) -> Any:
        return await self._database.again(lambda: self._database.read(store, at, f"reading blob {key}"))

    async def _commit(self, write: WriteTransaction, *, whole: bool) -> None:
        """Commit a transaction, once more where somebody closes the connection meanwhile.

        Parameters:
            whole: False: it follows others, without which it is worth nothing.
        """
        for _ in range(2):
            if await self._database.connect() and not whole:
                break
            try:
                return await write.commit()
            except StorageError:
                if self._database.is_connected:
                    raise
        raise StorageLost(f"{self._database.name} was closed, or removed, while a blob was being stored")

    async def close(self) -> None:
        self._database.close()


async def _discard(database: IndexedDb, key: str, put_id: str) -> None:
    write = WriteTransaction(database, f"discarding unfinished blob {key}", _CHUNKS, _UNFINISHED)
    write.delete_range(_CHUNKS, [key, put_id], [key, put_id, []])
    write.delete(_UNFINISHED, key=[key, put_id])
    await write.commit()


async def _regrouped(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Give the same bytes in pieces of `_CHUNK`; only the last may be shorter."""
    held = bytearray()
    async for chunk in chunks:
        held += chunk
        while len(held) >= _CHUNK:
            yield bytes(held[:_CHUNK])
            del held[:_CHUNK]
    if held:
        yield bytes(held)
