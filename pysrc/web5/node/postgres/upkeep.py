"""The work of each process while it serves a DWN in PostgreSQL."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from web5.dwn.engine import Dwn
from web5.errors import StorageError
from web5.node.postgres.blobs import PostgresBlobs
from web5.node.postgres.changes import Changes
from web5.node.postgres.database import PostgresDatabase
from web5.tasks import report

if TYPE_CHECKING:
    from web5.node.s3.blobs import S3Blobs

SWEEP_SECONDS = 60 * 60.0
"""Time between two looks for data that nothing names."""


@asynccontextmanager
async def attending(database: PostgresDatabase, dwn: Dwn, remote: S3Blobs | None = None) -> AsyncIterator[Changes]:
    """Exchange what is new with other processes, and remove what those that ended have left, during the block.

    Parameters:
        remote: where large data are, if that is not the database.
    """
    log = dwn.shared_log
    assert log is not None
    changes = Changes(database, log)
    sweeping = PostgresBlobs(database).sweep if remote is None else partial(remote.sweep, partial(named, database))
    tasks = [asyncio.create_task(work) for work in (changes.run(), _sweep(sweeping))]
    try:
        yield changes
    finally:
        for task in tasks:
            task.cancel()
        log.close()
        await asyncio.wait(tasks)


def named(database: PostgresDatabase, keys: list[str]) -> set[str]:
    """Return those of some keys of large data that a message names."""
    query = "SELECT key FROM dwn_blob WHERE key IN (SELECT value FROM json_each(?))"
    return {key for (key,) in database.connections.execute(query, (json.dumps(keys),))}


async def _sweep(sweeping: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await sweeping()
        except StorageError as error:
            report("data that nothing names could not be removed", error)
        await asyncio.sleep(SWEEP_SECONDS)
