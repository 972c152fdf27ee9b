"""The contract of blobs on S3, and what is S3's own. The numbers are the invariants of `web5.node.s3.blobs`."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from tests.contracts import blobs_contract
from tests.contracts.memory import MIB, at_most
from tests.s3 import S3Server, s3_server
from web5.errors import StorageError
from web5.node.s3 import blobs as s3_blobs
from web5.node.s3.address import S3Address
from web5.node.s3.blobs import PART, S3Blobs

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def place(server: S3Server) -> S3Address:
    """A place of its own for each test."""
    return S3Address.parse(server.url(f"tests/p{next(_numbers)}"))


def _id(case: Any) -> str:
    return str(case.__name__).partition("case_")[2]


async def pieces(size: int, fails: type[Exception] | None = None) -> AsyncIterator[bytes]:
    for start in range(0, size, MIB):
        yield bytes([start // MIB % 251]) * min(MIB, size - start)
    if fails is not None:
        raise fails


@pytest.mark.parametrize("case", blobs_contract.CASES, ids=_id)
async def test_s3_blobs(case: blobs_contract.Case, place: S3Address) -> None:
    async def open_store(name: str) -> S3Blobs:
        return S3Blobs(place.below(name))

    await case(open_store)


async def test_1_what_is_large_comes_in_parts_and_is_never_held_whole(place: S3Address) -> None:
    blobs, size = S3Blobs(place), 5 * PART + 7
    with at_most(4 * PART):
        assert await blobs.put("large", pieces(size)) == size
    at = 0
    with at_most(PART):
        async for piece in blobs.get("large", 3):
            assert piece[0] == (at + 3) // MIB % 251
            at += len(piece)
    assert at == size - 3
    assert [piece async for piece in blobs.get("large", size)] == []


async def test_1_what_breaks_off_can_be_seen_by_nobody(server: S3Server, place: S3Address) -> None:
    blobs = S3Blobs(place)
    with pytest.raises(ZeroDivisionError):
        await blobs.put("broken", pieces(3 * PART, ZeroDivisionError))
    assert await blobs.keys() == set()
    assert server.uploads() == 0


async def test_2_a_place_is_one_node_s(place: S3Address) -> None:
    await S3Blobs(place).claim("one", holds_nothing=True)
    await S3Blobs(place).claim("one", holds_nothing=False)
    with pytest.raises(StorageError, match="of another node"):
        await S3Blobs(place).claim("other", holds_nothing=True)
    with pytest.raises(StorageError, match="move --target-blobs"):
        await S3Blobs(place.below("new")).claim("one", holds_nothing=False)
    assert await S3Blobs(place).keys() == set()


async def test_3_a_store_that_is_away_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_blobs, "RETRIES", 1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    blobs = S3Blobs(S3Address.parse("s3://bucket/prefix?endpoint=http://127.0.0.1:9"))
    for size in (100, 2 * PART):
        with pytest.raises(StorageError, match="s3://bucket/prefix cannot be used"):
            await blobs.put("key", pieces(size))
    with pytest.raises(StorageError, match="cannot be used"):
        await blobs.keys()
    with pytest.raises(StorageError, match="cannot be used"):
        await anext(blobs.get("key"))


async def test_3_a_store_that_never_answers_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_blobs, "REQUEST_SECONDS", 1)
    monkeypatch.setattr(s3_blobs, "RETRY_SECONDS", 1)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    over = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    blobs = S3Blobs(S3Address.parse(f"s3://bucket/x?endpoint=http://127.0.0.1:{port}"))
    async with asyncio.timeout(60):
        for size in (100, 2 * PART):
            with pytest.raises(StorageError, match="cannot be used"):
                await blobs.put("key", pieces(size))
        with pytest.raises(StorageError, match="cannot be used"):
            await anext(blobs.get("key"))
    over.set()
    server.close()


async def test_a_bucket_that_is_not_there_is_said(server: S3Server) -> None:
    blobs = S3Blobs(S3Address.parse(f"s3://nowhere/x?endpoint={server.endpoint}"))
    with pytest.raises(StorageError, match="s3://nowhere/x"):
        await blobs.put("key", pieces(10))


async def test_4_what_nothing_names_is_swept_once_it_is_old(place: S3Address, monkeypatch: pytest.MonkeyPatch) -> None:
    blobs = S3Blobs(place)
    for key in ("named", "left"):
        await blobs.put(key, pieces(10))
    await blobs.sweep(lambda keys: {"named"})
    assert await blobs.keys() == {"named", "left"}
    monkeypatch.setattr(s3_blobs, "KEPT", -s3_blobs.KEPT)
    await blobs.sweep(lambda keys: {"named"} & set(keys))
    assert await blobs.keys() == {"named"}


@pytest.mark.parametrize(
    "url",
    [
        "https://bucket/x",
        "s3://",
        "s3://B/x",
        "s3://bucket/../x",
        "s3://bucket/x y",
        "s3://key:secret@bucket/x",
        "s3://bucket/x?secret=1",
        "s3://bucket/x?endpoint=ftp://x",
        "s3://bucket/x?region=a/b",
        "s3://bucket/x#y",
    ],
)
def test_what_is_no_place_is_refused(url: str) -> None:
    with pytest.raises(ValueError):
        S3Address.parse(url)


def test_places() -> None:
    found = S3Address.parse("s3://my-bucket/a/b?endpoint=https://s3.example.org:9000&region=eu-1")
    assert found == S3Address("my-bucket", "a/b", "https://s3.example.org:9000", "eu-1")
    assert str(found.below("dwn")) == "s3://my-bucket/a/b/dwn"
    assert S3Address.parse("s3://my-bucket").below("dwn").prefix == "dwn"
