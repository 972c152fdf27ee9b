"""The contracts of the stores on PostgreSQL."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contracts import blobs_contract, database_contract
from web5.dwn.store.database import Database
from web5.node.postgres.blobs import PostgresBlobs
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
