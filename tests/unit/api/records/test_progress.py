"""Progress of one record's data, while they are stored, sent and read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from tests.unit.agent.shared.origin import Origin
from tests.unit.conftest import World
from web5 import Web5
from web5.errors import InvalidArgument

CHUNK, CHUNKS = 100_000, 8
SIZE = CHUNK * CHUNKS


class Film:
    """A source that counts the bytes that it has given in all of its readings."""

    def __init__(self) -> None:
        self.given = 0

    async def __call__(self) -> AsyncIterator[bytes]:
        for number in range(CHUNKS):
            self.given += CHUNK
            yield bytes([number]) * CHUNK


class Told(list[tuple[int, int]]):
    """What a callback was told."""

    def __call__(self, done: int, total: int) -> None:
        self.append((done, total))

    def check(self, *, at_least: int = 2) -> None:
        """It grew, never beyond the whole, and ended with it."""
        assert len(self) >= at_least and list(self) == sorted(set(self))
        assert {total for _, total in self} == {SIZE} and self[-1] == (SIZE, SIZE)
        self.clear()


async def person(world: World, name: str) -> Web5:
    agent = await world.device(name)
    identity = await agent.create_identity(name, world.endpoints)
    assert await agent.publish_all()
    return Web5(agent, identity.did)


@pytest.fixture
async def web5(world: World) -> Web5:
    return await person(world, "laptop")


async def test_storing_is_told_chunk_by_chunk_and_at_the_end(web5: Web5) -> None:
    film, told = Film(), Told()

    def on_progress(done: int, total: int) -> None:
        assert done <= film.given - SIZE, "nothing is told of the reading that only finds out the CID"
        told(done, total)

    record = await web5.dwn.records.create(film, on_progress=on_progress)
    told.check(at_least=CHUNKS)
    film.given = 0
    await record.update(data=film, on_progress=on_progress)
    told.check(at_least=CHUNKS)
    await record.update(data=bytes(SIZE), on_progress=told)
    told.check()
    await web5.dwn.records.create("small", on_progress=told)
    assert told == [(5, 5)]
    told.clear()
    await record.update(published=True, on_progress=told)
    await web5.dwn.records.create(Film(), store=False, on_progress=told)
    assert told == [], "nothing was stored"


async def test_the_end_of_storing_is_told_only_once_it_is_stored(web5: Web5) -> None:
    film, told = Film(), Told()

    async def changing() -> AsyncIterator[bytes]:
        again = film.given > 0
        async for chunk in film():
            yield chunk[:-1] + b"!" if again else chunk

    with pytest.raises(InvalidArgument, match="changed between"):
        await web5.dwn.records.create(changing, on_progress=told)
    assert told[-1] == (SIZE - CHUNK, SIZE)


async def test_a_download_is_told_as_it_comes(world: World, web5: Web5) -> None:
    told = Told()
    record = await web5.dwn.records.create(Film(), published=True)
    assert len(await record.data.bytes(on_progress=told)) == SIZE
    told.check()
    assert (await record.send()).delivered == world.endpoints
    there = await web5.dwn.records.read(record.id, from_=web5.connected_did)
    done = 0
    async for chunk in await there.data.stream(on_progress=told):
        done += len(chunk)
        assert told[-1] == (done, SIZE)
    told.check(at_least=1)
    secret = await web5.dwn.records.create(Film(), encryption=True)
    await secret.data.bytes(on_progress=told)
    told.check()
    empty = await web5.dwn.records.create(b"")
    assert await empty.data.bytes(on_progress=told) == b"" and told == [(0, 0)]


async def test_sending_to_the_own_nodes_is_told(world: World, web5: Web5) -> None:
    told = Told()
    record = await web5.dwn.records.create(Film())
    await record.send(on_progress=told)
    told.check()
    small = await web5.dwn.records.create("small")
    await small.send(on_progress=told)
    assert told == [(5, 5)]
    assert web5.sync.listeners == []


async def test_sending_to_somebody_else_is_told(world: World, web5: Web5) -> None:
    other, told = await person(world, "other"), Told()
    open_ = {"protocol": "https://films.example", "published": True, "types": {"film": {}},
             "structure": {"film": {"$actions": [{"who": "anyone", "can": ["create", "update"]}]}}}  # fmt: skip
    for one in (web5, other):
        await one.dwn.protocols.configure(open_)
        await one.sync.now()
    place = {"protocol": "https://films.example", "protocol_path": "film"}
    for store in (True, False):
        film = await web5.dwn.records.create(Film(), store=store, **place)
        assert (await film.send(other.connected_did, on_progress=told)).delivered == world.endpoints
        told.check()
    theirs = await web5.dwn.records.read(film.id, from_=other.connected_did)
    await theirs.update(data=Film(), on_progress=told)
    told.check()
    world.down.update(("dwn0", "dwn1"))
    film = await web5.dwn.records.create(Film(), **place)
    assert (await film.send(other.connected_did, on_progress=told)).delivered == []
    assert told == [(0, SIZE)], "nothing has gone out"


async def test_keeping_a_copy_is_told(world: World, web5: Web5) -> None:
    other, told = await person(world, "other"), Told()
    film = await web5.dwn.records.create(Film(), store=False)
    await film.store(on_progress=told)
    told.check(at_least=CHUNKS)
    await film.store(on_progress=told)
    assert told == [(SIZE, SIZE)], "it is here already"
    told.clear()
    published = await web5.dwn.records.create(Film(), published=True)
    await published.send()
    found = await other.dwn.records.read(published.id, from_=web5.connected_did)
    await found.import_(on_progress=told)
    told.check()
    await (await other.dwn.records.read(published.id)).import_(store=False, on_progress=told)
    assert told == [], "nothing was stored"


async def test_what_a_callback_raises_stops_nothing(web5: Web5) -> None:
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    error = ValueError("the page is gone")

    def broken(done: int, total: int) -> None:
        raise error

    record = await web5.dwn.records.create(Film(), on_progress=broken)
    await record.send(on_progress=broken)
    assert len(await record.data.bytes(on_progress=broken)) == SIZE
    assert len(heard) >= 6 and set(heard) == {error}


async def test_what_cannot_be_told_is_refused_before_anything_happens(web5: Web5) -> None:
    async def late(done: int, total: int) -> None: ...

    kept = await web5.dwn.records.create("kept")
    for wrong in (late, 5):
        given: dict[str, Any] = {"on_progress": wrong}
        for call in (partial(web5.dwn.records.create, "new"), partial(kept.update, data="new"), kept.send):
            with pytest.raises(InvalidArgument, match=r"on_progress=.* has to be a function, not `async def`"):
                await call(**given)
        with pytest.raises(InvalidArgument, match="has to be a function"):
            await kept.data.bytes(**given)
    assert await kept.data.text() == "kept" and len(await web5.dwn.records.query()) == 1


async def test_it_is_told_through_another_interpreter(world: World) -> None:
    origin, told = Origin(world), Told()
    node, other = [await origin.interpreter() for _ in range(2)]
    record = await other.dwn.records.create(Film(), on_progress=told)
    told.check(at_least=CHUNKS)
    await record.update(data=bytes(SIZE), on_progress=told)
    told.check()
    await (await other.dwn.records.read(record.id)).data.bytes(on_progress=told)
    told.check()
    assert (await record.send(on_progress=told)).delivered
    assert told[-1] == (SIZE, SIZE)
    for one in (other, node):
        await one.close()
