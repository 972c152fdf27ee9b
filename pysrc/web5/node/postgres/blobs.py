"""Large data in PostgreSQL, beside the messages, so that every process that has the one has the other.

Invariants:
1. A blob can be seen only once all of it is there, committed and durable.
2. No process deletes what another is putting: what nothing names is swept once it is `KEPT` old, whoever left it.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable
from typing import Any

from web5.chunks import reading
from web5.errors import BlobMissing, StorageError
from web5.node.postgres.database import PostgresDatabase

PIECE = 512 * 1024
"""Bytes of a row."""

KEPT = "1 day"
"""Age from which on a blob that nothing names is taken for left behind: by then its message came, or never will."""

_SWEEP = f"""
    DELETE FROM blob WHERE changed < now() - interval '{KEPT}'
    AND NOT (whole AND EXISTS (SELECT 1 FROM dwn_blob WHERE dwn_blob.key = blob.key))
"""


class PostgresBlobs:
    """The `Blobs` port on the tables of a DWN's schema.

    Parameters:
        database: opened, and closed, by the caller.
    """

    def __init__(self, database: PostgresDatabase) -> None:
        database.migrate("blobs", ())
        self._database = database
        self._connections = database.connections
        self._closed = False

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        id: int | None = None
        number = size = 0
        try:
            [(id,)] = await self._do("INSERT INTO blob (key) VALUES (?) RETURNING id", key)
            async with reading(_pieces(chunks)) as pieces:
                async for piece in pieces:
                    await self._add(id, number, size, piece)
                    number, size = number + 1, size + len(piece)
            await self._publish(id, key, number)
        except BaseException:
            if id is not None:
                await self._drop(id)
            raise
        return size

    async def _add(self, id: int, number: int, start: int, piece: bytes) -> None:
        # It becomes durable with what follows it.
        def add() -> None:
            with self._connections.held("BEGIN; SET LOCAL synchronous_commit = off") as connection:
                self._connections.execute("UPDATE blob SET changed = now() WHERE id = ?", (id,))
                self._connections.execute("INSERT INTO blob_piece VALUES (?, ?, ?, ?)", (id, number, start, piece))
                connection.execute("COMMIT")

        self._check_open()
        await self._database.off_the_loop(add)

    async def _publish(self, id: int, key: str, pieces: int) -> None:
        def publish() -> None:
            count = "SELECT count(*) FROM blob_piece WHERE blob = ?"
            [(there,)] = self._connections.execute(count, (id,)).fetchall()
            if there != pieces:  # PostgreSQL has crashed meanwhile, and what it had not made durable is gone
                raise StorageError(f"the database has lost {pieces - there} of {pieces} pieces of blob {key}")
            self._connections.execute("DELETE FROM blob WHERE whole AND key = ?", (key,))
            self._connections.execute("UPDATE blob SET whole = true, changed = now() WHERE id = ?", (id,))

        self._check_open()
        await self._database.commit(publish, of=f"blob {key}")

    async def _drop(self, id: int) -> None:
        try:
            await self._do("DELETE FROM blob WHERE id = ? AND NOT whole", id)
        except StorageError:  # it is swept
            return

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        found = await self._do("SELECT id FROM blob WHERE whole AND key = ?", key)
        if not found:
            raise BlobMissing(f"there is no blob {key!r}")
        [(id,)] = found
        before = await self._do(
            "SELECT number FROM blob_piece WHERE blob = ? AND start <= ? ORDER BY number DESC LIMIT 1", id, start
        )
        number = before[0][0] if before else 0
        query = "SELECT start, data FROM blob_piece WHERE blob = ? AND number = ?"
        while rows := await self._do(query, id, number):
            [(begin, data)] = rows
            if start < begin + len(data):
                yield data[max(0, start - begin) :]
            number += 1

    async def delete(self, keys: Iterable[str]) -> None:
        for key in keys:
            await self._do("DELETE FROM blob WHERE whole AND key = ?", key)

    async def keys(self) -> set[str]:
        return {key for (key,) in await self._do("SELECT key FROM blob WHERE whole")}

    async def sweep(self) -> None:
        """Delete what processes that ended have left behind."""
        await self._do(_SWEEP)

    async def close(self) -> None:
        self._closed = True

    async def _do(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        self._check_open()
        return await self._database.off_the_loop(lambda: self._connections.execute(sql, values).fetchall())

    def _check_open(self) -> None:
        if self._closed:
            raise StorageError("the blob store is closed")


async def _pieces(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    buffer = bytearray()
    async with reading(chunks) as incoming:
        async for chunk in incoming:
            buffer += chunk
            while len(buffer) >= PIECE:
                yield bytes(buffer[:PIECE])
                del buffer[:PIECE]
    if buffer:
        yield bytes(buffer)
