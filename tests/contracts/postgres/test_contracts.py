"""The contracts of the stores on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.contracts import blobs_contract, database_contract
from web5.dwn.store.database import Database
from web5.errors import StorageError
from web5.node.postgres.blobs import PIECE, PostgresBlobs
from web5.node.postgres.database import PostgresDatabase
from web5.node.postgres.opening import open_postgres


def _id(case: Any) -> str:
    return str(case.__name__).partition("case_")[2]


@pytest.mark.parametrize("case", [*database_contract.CASES, *database_contract.DURABLE_CASES], ids=_id)
async def test_postgres_database(case: database_contract.Case, url: str, schema: str) -> None:
    async def open_database(name: str) -> Database:
        return PostgresDatabase(url, schema, {}, 2)

    await open_postgres(url, schema, {}, 2).close()
    await case(open_database)


@pytest.mark.parametrize("case", blobs_contract.CASES, ids=_id)
async def test_postgres_blobs(case: blobs_contract.Case, url: str, schema: str) -> None:
    async def open_store(name: str) -> PostgresBlobs:
        return PostgresBlobs(database)

    database = open_postgres(url, schema, most=2)
    await case(open_store)
    await database.close()


async def test_a_blob_of_which_pieces_are_lost_in_a_crash_is_refused(url: str, schema: str) -> None:
    """They become durable with the last step, which a database that was started anew would take without them."""
    database = open_postgres(url, schema, most=2)
    blobs = PostgresBlobs(database)

    async def crashing() -> AsyncIterator[bytes]:
        yield bytes(PIECE)
        yield bytes(PIECE)
        await database.off_the_loop(lambda: database.connections.execute("DELETE FROM blob_piece WHERE number = 0"))
        yield b"the last"

    with pytest.raises(StorageError, match="has lost 1 of 3 pieces"):
        await blobs.put("new", crashing())
    assert await blobs.keys() == set()
    await database.close()
