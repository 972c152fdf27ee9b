"""A look at whether the large data of a DWN that are in S3 are all there, and whole. It reads, and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import apsw

from web5.chunks import reading
from web5.dwn.values.cid import DataCid
from web5.errors import BlobMissing
from web5.node.s3.address import S3Address
from web5.node.stores import Postgres, open_s3, stores_of

if TYPE_CHECKING:
    from web5.node.s3.blobs import S3Blobs

_NAMED = "SELECT 1 FROM dwn_blob WHERE key = ?"


async def faults_beside_postgres(
    place: Postgres, paths: Sequence[str], s3: S3Address, note: Callable[[str], None]
) -> list[str]:
    """Look at the large data of a node whose messages are in PostgreSQL, which looks at those itself.

    Raises:
        StorageError: the database, or the place in S3, cannot be read.
    """
    found: list[str] = []
    for path in paths:
        async with stores_of(place, path, make=False, s3=s3) as stores:
            assert stores.remote is not None
            found += [f"{path}: {line}" for line in await faults_of(stores.messages.connection, stores.remote, note)]
    return found


async def faults_in_s3(db: apsw.Connection, address: S3Address, note: Callable[[str], None]) -> list[str]:
    """Look at the large data that a DWN's database names; return a line for each thing that is not whole.

    Raises:
        StorageError: the place in S3 cannot be read.
    """
    blobs = open_s3(address)
    try:
        return await faults_of(db, blobs, note)
    finally:
        await blobs.close()


async def faults_of(db: apsw.Connection, blobs: S3Blobs, note: Callable[[str], None]) -> list[str]:
    """Do the same with a place that is open.

    Parameters:
        note: is given a line about objects that no message names.
    """
    there = {key for key in await blobs.keys() if "-" not in key}  # listed first: what is put meanwhile is named later
    rows = list(db.execute("SELECT record_id, data_cid, size, key FROM dwn_blob"))
    [(identity,)] = db.execute("SELECT id FROM dwn_store")
    owner = await blobs.owner()
    if owner is None and not rows:
        return []
    if owner != identity:
        return [f"{blobs.shown} is {'nobody' if owner is None else 'another node'}'s: is it the right place?"]
    faults: list[str] = []
    for record_id, expected, size, key in rows:
        found = DataCid()
        try:
            async with reading(blobs.get(key)) as pieces:
                async for piece in pieces:
                    found.update(piece)
        except BlobMissing:
            if db.execute(_NAMED, (key,)).fetchone() is not None:  # else it was replaced meanwhile
                faults.append(f"the data of record {record_id} are not in {blobs.shown}")
            continue
        if found.finish() != (expected, size):
            faults.append(f"the data of record {record_id} are others, or not all, in {blobs.shown}")
    if left := there - {row[3] for row in rows}:
        note(
            f"{blobs.shown}: {len(left)} objects that no message names: an upload is under way, or was cut off; what"
            " was cut off is deleted at the next start, or, on PostgreSQL, once it is a day old"
        )
    return faults
