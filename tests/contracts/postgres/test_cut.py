"""The connection between a node and PostgreSQL is cut, broken and held up under load: nothing acknowledged is lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.contracts.postgres.test_processes import LARGE, LOST, Node, eventually
from tests.cut import Way
from tests.postgres import USER, PostgresServer
from tests.unit.dwn.persons import Person, person
from web5.cpython.http import HttpxHttp
from web5.errors import StorageError
from web5.node.postgres.blobs import PostgresBlobs
from web5.node.postgres.opening import open_postgres


@pytest.fixture
async def way(server: PostgresServer) -> AsyncIterator[Way]:
    way = Way(server.socket)
    await way.restore()
    yield way
    await way.cut()


@pytest.fixture
async def nodes(server: PostgresServer, way: Way) -> AsyncIterator[tuple[Node, Node]]:
    """One that reaches its database by the way, and one that has it to itself."""
    url = server.database()
    far, near = Node(f"postgresql://{USER}@127.0.0.1:{way.port}{urlsplit(url).path}"), Node(url)
    try:
        await asyncio.gather(far.server.start(), near.server.start())
        yield far, near
    finally:
        await asyncio.gather(far.close(), near.close())


class Load:
    """Clients that write to one node for as long as a block lasts, each again and again, also after no answer.

    Attributes:
        stored: what was acknowledged, in the order of each client's acknowledgements.
    """

    def __init__(self, node: Node, whose: Person, clients: int = 6) -> None:
        self._node, self._whose = node, whose
        self.stored: list[list[str]] = [[] for _ in range(clients)]
        self._over = False

    async def __aenter__(self) -> Load:
        self._writing = [asyncio.ensure_future(self._write(number)) for number in range(len(self.stored))]
        await self.more(10)
        return self

    async def __aexit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._over = True
        for writing in self._writing:
            if error is not None:
                writing.cancel()
        await asyncio.gather(*self._writing, return_exceptions=error is not None)

    async def _write(self, number: int) -> None:
        turn = 0
        while not self._over:
            turn += 1
            try:
                cid = await self._node.write(self._whose, LARGE if turn % 7 == 0 else f"{number} {turn}".encode())
            except LOST:
                cid = None
            if cid is None:
                await asyncio.sleep(0.01)
            else:
                self.stored[number].append(cid)

    async def more(self, count: int) -> None:
        wanted = sum(map(len, self.stored)) + count

        async def is_stored() -> bool:
            return sum(map(len, self.stored)) >= wanted

        await eventually(is_stored)


async def _check(nodes: tuple[Node, Node], whose: Person, load: Load, walked: list[str]) -> None:
    logs = [(await one.log(whose))[0] for one in nodes]
    assert logs[0] == logs[1]
    assert len(set(logs[0])) == len(logs[0])
    for cids in load.stored:
        assert [cid for cid in logs[0] if cid in set(cids)] == cids, (
            "whoever waits for an answer is before what follows"
        )
    assert walked == logs[0]


async def test_whatever_happens_to_the_connection(nodes: tuple[Node, Node], way: Way) -> None:
    far, near = nodes
    whose, other = await person(), await person()
    walked: list[str] = []
    writing = True

    async def walk() -> None:
        # As a device does, by its cursor: what is committed behind it would be missed.
        cursor: Any = None
        while True:
            was_writing = writing
            entries, cursor = await near.log(whose, cursor)
            walked.extend(entries)
            if not was_writing and not entries:
                return

    walking = asyncio.ensure_future(walk())
    async with Load(far, whose) as load:
        for _ in range(3):
            way.break_all()  # in the middle of whatever is on its way
            await load.more(10)
        await way.cut()
        assert await far_health(far) == 503
        await way.restore()
        await load.more(10)
        way.hold()
        assert await near.write(other, b"others go on") is not None
        await way.restore()
        await load.more(10)
        way.hold()
        await way.cut()  # what was held is lost
        await way.restore()
        await load.more(10)
    writing = False
    await walking
    await _check(nodes, whose, load, walked)
    assert await far_health(far) == 200


async def far_health(node: Node) -> int:
    http = HttpxHttp()
    try:
        return (await http.request("GET", f"{node.url}health", timeout=60)).status
    finally:
        await http.close()


async def test_a_transaction_that_a_crash_undid_is_not_taken_for_another_of_its_number(
    server: PostgresServer, schema: str
) -> None:
    """PostgreSQL gives numbers that it had not written down to others once it has crashed."""
    url = server.database()
    database = open_postgres(url, schema, most=2)
    PostgresBlobs(database)  # makes its tables

    def crash() -> None:
        database.connections.execute("INSERT INTO blob (key) VALUES (?)", ("undone",))
        server.stop("immediate")
        server.start()
        with psycopg.connect(url, autocommit=True) as others:
            for _ in range(100):
                others.execute("SELECT pg_current_xact_id()")

    with pytest.raises(StorageError):
        await database.commit(crash)
    found = await database.read(lambda: database.connections.execute("SELECT key FROM blob").fetchall())
    assert found == []
    await database.close()
