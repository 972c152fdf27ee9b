"""The work of each process while it serves a DWN in PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from web5.dwn.engine import Dwn
from web5.errors import StorageError
from web5.node.postgres.blobs import PostgresBlobs
from web5.node.postgres.changes import Changes
from web5.node.postgres.database import PostgresDatabase
from web5.tasks import report

SWEEP_SECONDS = 60 * 60.0
"""Time between two looks for data that nothing names."""


@asynccontextmanager
async def attending(database: PostgresDatabase, dwn: Dwn) -> AsyncIterator[Changes]:
    """Exchange what is new with other processes, and remove what those that ended have left, during the block."""
    log = dwn.shared_log
    assert log is not None
    changes = Changes(database, log)
    tasks = [asyncio.create_task(work) for work in (changes.run(), _sweep(PostgresBlobs(database)))]
    try:
        yield changes
    finally:
        for task in tasks:
            task.cancel()
        log.close()
        await asyncio.wait(tasks)


async def _sweep(blobs: PostgresBlobs) -> None:
    while True:
        try:
            await blobs.sweep()
        except StorageError as error:
            report("data that nothing names could not be removed", error)
        await asyncio.sleep(SWEEP_SECONDS)
