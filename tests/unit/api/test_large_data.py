"""Record data that is read from a source instead of handed in whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.memory import MIB, at_most
from tests.unit.conftest import World
from web5 import Web5
from web5.dwn.values.cid import DataCid, data_cid
from web5.errors import BadRequest, InvalidArgument

SCHEMA = "https://schema.example/film"


class Film:
    """A source of numbered chunks; counts its openings."""

    media_type = "video/webm"

    def __init__(self, chunks: int = 3, chunk: int = 20_000) -> None:
        self.opened = 0
        self.chunks, self.chunk = chunks, chunk

    @property
    def whole(self) -> bytes:
        return b"".join(bytes([number]) * self.chunk for number in range(self.chunks))

    async def __call__(self) -> AsyncIterator[bytes]:
        self.opened += 1
        for number in range(self.chunks):
            yield bytes([number]) * self.chunk


@pytest.fixture
async def web5(world: World) -> Web5:
    connection = await Web5.connect(agent=await world.device("laptop"), dwn_endpoints=world.endpoints, sync="off")
    return connection.web5


async def _messages(web5: Web5) -> int:
    return len(web5.agent.dwn.store.entries_after(web5.connected_did, 0, 1000))


async def test_a_source_is_read_twice_and_stored(web5: Web5) -> None:
    for chunk in (0, 100, 20_000):
        film = Film(chunk=chunk)
        record = await web5.dwn.records.create(film, schema=SCHEMA)
        assert film.opened == 2
        assert (record.data_size, record.data_format) == (len(film.whole), "video/webm")
        assert record.data_cid == data_cid(film.whole)
        for found in (record, await web5.dwn.records.read(record.id)):
            assert await found.data.bytes() == film.whole
            assert await found.data.bytes() == film.whole


async def test_an_update_takes_a_source_and_keeps_the_format(web5: Web5) -> None:
    record = await web5.dwn.records.create(b"short", data_format="video/mp4")
    film = Film()
    await record.update(data=film)
    assert (record.data_size, record.data_format) == (60_000, "video/mp4")
    assert await record.data.bytes() == film.whole
    await record.update(data=Film(chunks=1), data_format="video/webm")
    assert (record.data_size, record.data_format) == (20_000, "video/webm")


async def test_a_path_is_the_file_there(web5: Web5, tmp_path: Path) -> None:
    path = tmp_path / "film.webm"
    path.write_bytes(Film().whole)
    record = await web5.dwn.records.create(path, data_format="video/webm")
    assert await record.data.bytes() == Film().whole
    assert (await web5.dwn.records.create(path)).data_format == "application/octet-stream"
    with pytest.raises(InvalidArgument, match=r"nothing\.webm cannot be read: No such file"):
        await web5.dwn.records.create(tmp_path / "nothing.webm")
    with pytest.raises(InvalidArgument, match="cannot be read"):
        await web5.dwn.records.create(tmp_path)


async def test_data_larger_than_memory_is_stored_and_comes_back(web5: Web5, tmp_path: Path) -> None:
    film, cid = Film(64, MIB), DataCid()
    async for chunk in film():
        cid.update(chunk)
    path = tmp_path / "film"
    with path.open("wb") as file:
        file.writelines(bytes([number]) * MIB for number in range(64))
    with at_most(12 * MIB):
        record = await web5.dwn.records.create(film, schema=SCHEMA)
        copy = await web5.dwn.records.create(path, schema=SCHEMA)
        back = DataCid()
        async for chunk in await record.data.stream():
            back.update(chunk)
    assert record.data_cid == copy.data_cid
    assert back.finish() == cid.finish() == (record.data_cid, 64 * MIB)


class Changing(Film):
    """Gives every chunk changed when it is opened for the second time."""

    def __init__(self, change: Callable[[bytes], bytes], *sizes: int) -> None:
        super().__init__(*sizes)
        self.change = change

    async def __call__(self) -> AsyncIterator[bytes]:
        async for chunk in super().__call__():
            yield chunk if self.opened == 1 else self.change(chunk)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "grown": lambda chunk: chunk + b"!",
    "shrunk": lambda chunk: chunk[:-1],
    "edited": lambda chunk: chunk[:-1] + b"!",
    "emptied": lambda chunk: b"",
}


@pytest.mark.parametrize("change", CHANGES)
async def test_data_that_changes_between_the_readings_is_not_stored(web5: Web5, change: str) -> None:
    kept = await web5.dwn.records.create("kept", schema=SCHEMA)
    before = await _messages(web5)
    for sizes in ((1, 10), (3, 20_000)):
        with pytest.raises(InvalidArgument, match="changed between") as caught:
            await web5.dwn.records.create(Changing(CHANGES[change], *sizes), schema=SCHEMA)
        assert isinstance(caught.value.__cause__, BadRequest)
        with pytest.raises(InvalidArgument, match="changed between"):
            await kept.update(data=Changing(CHANGES[change], *sizes))
    assert await kept.data.text() == "kept"
    assert await _messages(web5) == before
    assert [record.id for record in await web5.dwn.records.query(schema=SCHEMA)] == [kept.id]
    assert web5.agent.dwn.store.blob_keys() == set()


@pytest.mark.parametrize("reading", [1, 2])
async def test_what_a_source_raises_comes_out_and_nothing_is_stored(web5: Web5, reading: int) -> None:
    class Lost(Exception):
        pass

    class Breaking(Film):
        async def __call__(self) -> AsyncIterator[bytes]:
            async for one in super().__call__():
                yield one
                if self.opened == reading:
                    raise Lost

    with pytest.raises(Lost):
        await web5.dwn.records.create(Breaking(), schema=SCHEMA)
    assert await web5.dwn.records.query(schema=SCHEMA) == []


async def _texts() -> AsyncIterator[Any]:
    yield "text"


async def _late() -> bytes:
    return b"late"


async def test_a_source_that_gives_no_bytes_is_refused(web5: Web5) -> None:
    for data in (_texts, _late, lambda: b"bytes", lambda: None):
        with pytest.raises(InvalidArgument, match="source of record data must give"):
            await web5.dwn.records.create(data)


async def test_a_refused_message_costs_no_second_reading(web5: Web5) -> None:
    film = Film()
    with pytest.raises(BadRequest):
        await web5.dwn.records.create(film, protocol="https://nowhere.example/protocol", protocol_path="film")
    assert film.opened == 1
