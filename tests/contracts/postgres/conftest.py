"""One PostgreSQL server for a session; a schema for all engines, whose tenants are others in each test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.postgres import PostgresServer
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import SteppingClock, our_dwn, person
from web5.node.postgres.blobs import PostgresBlobs
from web5.node.postgres.database import PostgresDatabase
from web5.node.postgres.opening import open_postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[PostgresServer]:
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture(scope="session")
def url(server: PostgresServer) -> str:
    """The URL of a database."""
    return server.database()


@pytest.fixture
def schema() -> str:
    """The name of a schema that is not there yet."""
    return f"web5_test{next(_numbers)}"


@pytest.fixture(scope="session")
def shared(url: str) -> Iterator[PostgresDatabase]:
    database = open_postgres(url, "web5_shared", most=3)
    yield database
    database.connections.close()


@pytest.fixture
async def world(shared: PostgresDatabase) -> AsyncIterator[World]:
    """As the engine's own tests have it, in PostgreSQL."""
    clock = SteppingClock()
    dwn = our_dwn(clock, database=shared, blobs=PostgresBlobs(shared))
    await dwn.open()
    yield World(dwn, clock, await person(), await person(), await person())
    assert dwn.shared_log is not None
    dwn.shared_log.close()
