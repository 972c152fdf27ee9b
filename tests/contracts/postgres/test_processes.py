"""Two server processes on one database: they are one node, whichever of them, or PostgreSQL, dies meanwhile."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.browser.processes import Server, free_port
from tests.postgres import PostgresServer
from tests.unit.dwn.persons import Person, person
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn import compose
from web5.dwn.values.cid import message_cid
from web5.errors import BadReply, Unreachable
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

CLOCK = SystemClock()
LARGE = bytes(range(256)) * 2000
LOST = (Unreachable, BadReply, TimeoutError)
"""What a client has instead of an answer."""


class Node:
    """A server process, and a client of it."""

    def __init__(self, url: str) -> None:
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/"
        command = ["-m", "web5.node", "serve", "--port", str(port), "--database", url, "--no-gateway"]
        self.server = Server([*command, "--database-connections", "4"], f"{self.url}health")
        self._http = HttpxHttp()
        self.remote = RemoteDwn(self._http, CPythonWebSockets())

    async def close(self) -> None:
        await self._http.close()
        await self.server.stop()

    async def send(self, tenant: str, message: Any, data: bytes | None = None) -> Any:
        # Pauses are for polite clients; here it is asked again at once.
        self.remote.pauses.served(self.url)
        return await self.remote.process_message(self.url, tenant, message, data)

    async def write(self, whose: Person, data: bytes) -> str | None:
        """Write a record; return the CID of the message, or None if nobody said that it is stored."""
        message = await compose.records_write(whose.signer, CLOCK, data=data, data_format="text/plain")
        reply = await self.send(whose.did, message, data)
        return message_cid(message) if reply["status"]["code"] == 202 else None

    async def log(self, whose: Person, cursor: Any = None) -> tuple[list[str], Any]:
        message = await compose.messages_query(whose.signer, CLOCK, cursor=cursor)
        reply = await self.send(whose.did, message)
        assert reply["status"]["code"] == 200, reply
        return reply["entries"], reply.get("cursor", cursor)

    async def follow(self, whose: Person, told: list[str]) -> None:
        message = await compose.messages_subscribe(whose.signer, CLOCK)
        subscription = await self.remote.subscribe(
            self.url, whose.did, message, lambda event: told.append(message_cid(event["message"]))
        )
        assert subscription.reply["status"]["code"] == 200


@pytest.fixture
async def nodes(server: PostgresServer) -> AsyncIterator[tuple[Node, Node]]:
    url = server.database()
    async with AsyncExitStack() as stack:
        both = Node(url), Node(url)
        for one in both:
            stack.push_async_callback(one.close)
        await asyncio.gather(*(one.server.start() for one in both))  # one of them makes the tables
        yield both


async def eventually(condition: Any) -> None:
    async with asyncio.timeout(30):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)  # nothing tells when another process has caught up


async def test_two_processes_are_one_node(nodes: tuple[Node, Node]) -> None:
    """The log has one order for whoever reads it meanwhile; events come across; no tenant sees another's."""
    people = [await person(), await person()]
    told: list[list[str]] = [[], []]
    for whose, heard, one in zip(people, told, nodes, strict=True):
        await one.follow(whose, heard)
    stored: dict[str, list[str]] = {whose.did: [] for whose in people}
    walked: list[str] = []
    writing = True

    async def walk() -> None:
        # By its cursor, as a device does: what has a smaller number and is committed later would be missed.
        cursor: Any = None
        while True:
            was_writing = writing
            entries, cursor = await nodes[1].log(people[0], cursor)
            walked.extend(entries)
            if not was_writing and not entries:
                return

    async def write(number: int) -> None:
        for turn in range(8):
            whose = people[(number + turn) % 2]
            data = LARGE if turn == 4 else f"{number} {turn}".encode()
            cid = await nodes[(number + turn // 2) % 2].write(whose, data)
            assert cid is not None
            stored[whose.did].append(cid)

    walking = asyncio.ensure_future(walk())
    await asyncio.gather(*map(write, range(8)))
    writing = False
    await walking
    for whose, heard in zip(people, told, strict=True):
        logs = [(await one.log(whose))[0] for one in nodes]
        assert logs[0] == logs[1]
        assert sorted(logs[0]) == sorted(stored[whose.did])

        async def is_told(heard: list[str] = heard, wanted: list[str] = logs[0]) -> bool:
            return len(heard) >= len(wanted)

        await eventually(is_told)
        assert heard == logs[0]
    assert walked == (await nodes[0].log(people[0]))[0]


async def test_nothing_that_was_acknowledged_is_lost(nodes: tuple[Node, Node], server: PostgresServer) -> None:
    """Under load a process is killed, and PostgreSQL crashes; clients go to whoever answers."""
    whose = await person()
    stored: set[str] = set()
    begun = asyncio.Event()
    over = False

    async def write(number: int) -> None:
        turns = deque(nodes if number % 2 else reversed(nodes))
        turn = 0
        while not over:
            turn += 1
            try:
                cid = await turns[0].write(whose, LARGE if turn % 5 == 0 else f"{number} {turn}".encode())
            except LOST:
                cid = None
            if cid is None:
                turns.rotate()
                await asyncio.sleep(0.01)
            else:
                stored.add(cid)
                begun.set()

    async def more(count: int) -> None:
        wanted = len(stored) + count

        async def is_stored() -> bool:
            return len(stored) >= wanted

        await eventually(is_stored)

    writing = [asyncio.ensure_future(write(number)) for number in range(6)]
    await begun.wait()
    await more(20)
    await nodes[0].server.kill()
    await more(20)
    await asyncio.to_thread(server.stop, "immediate")
    await asyncio.to_thread(server.start)
    await more(20)
    await nodes[0].server.start()
    await more(20)
    over = True
    await asyncio.gather(*writing)
    logs = [(await one.log(whose))[0] for one in nodes]
    assert logs[0] == logs[1]
    assert stored <= set(logs[0])
    told: list[str] = []
    await nodes[1].follow(whose, told)
    last = await nodes[0].write(whose, b"they hear of each other again")

    async def is_told() -> bool:
        return told == [last]

    await eventually(is_told)
    for cid in logs[0]:
        message = await compose.messages_read(whose.signer, CLOCK, message_cid=cid)
        entry = (await nodes[0].send(whose.did, message))["entry"]
        if (data := entry.get("data")) is not None:
            assert len(await data.read()) == entry["message"]["descriptor"]["dataSize"]
