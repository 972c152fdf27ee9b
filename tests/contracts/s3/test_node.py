"""A node whose large data are in S3: what it does while that is away, and how data get there and out again."""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.interop.node.serving import EmbeddedServer
from tests.interop.node.test_embedded_server import Owner
from tests.postgres import PostgresServer
from tests.s3 import BUCKET, S3Server, Way, s3_server
from tests.unit.node.nodes import clock
from tests.unit.node.tenants.test_tenancy import AT, LARGE, Node
from tests.unit.node.upkeep.test_tenant import cids, exported, fill, imported
from web5.dwn import Dwn, compose
from web5.errors import StorageError, Unreachable
from web5.node.postgres.blobs import PostgresBlobs
from web5.node.postgres.upkeep import named
from web5.node.program.main import main
from web5.node.s3 import blobs as s3_blobs
from web5.node.s3.address import S3Address
from web5.node.s3.blobs import PART, S3Blobs
from web5.node.serve import open_node
from web5.node.stores import Place, Postgres, stores_of
from web5.node.tenants.tenancy import TenantRules
from web5.node.upkeep.move import move

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


@pytest.fixture
def url(server: S3Server) -> str:
    return server.url(f"nodes/n{next(_numbers)}")


def opened(node: Node, place: Place, s3: S3Address | None) -> Any:
    return open_node(stores_of(place, "/", s3=s3), node._resolver, rules=TenantRules())


async def read(dwn: Dwn, node: Node, record_id: str) -> bytes:
    message = await compose.records_read(node.signer, clock, filter={"recordId": record_id})
    reply = await dwn.process_message(node.did, message)
    data: bytes = await reply["entry"]["data"].read()
    return data


async def test_while_it_is_away_nothing_is_lost_and_what_is_small_goes_on(
    tmp_path: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_blobs, "RETRIES", 1)
    way, node = Way(server.port), await Node.make(tmp_path / "dwn")
    await way.open()
    s3 = S3Address.parse(f"s3://{BUCKET}/nodes/n{next(_numbers)}?endpoint=http://127.0.0.1:{way.port}")
    async with opened(node, tmp_path, s3) as (node.dwn, _):
        await node.configure()
        assert (await node.write(LARGE, **AT))[0] == 202
        first = node.last
        assert not list((tmp_path / "dwn").glob("blobs/whole/*"))
        before = node.stored()
        await way.close()
        with pytest.raises(StorageError, match="cannot be used"):
            await node.write(LARGE[::-1], **AT)
        with pytest.raises(StorageError):
            await read(node.dwn, node, first["recordId"])
        assert node.stored() == node.used() == before
        assert (await node.write(b"small", **AT))[0] == 202
        await way.open()
        assert (await node.write(LARGE[::-1], **AT))[0] == 202
        assert await read(node.dwn, node, first["recordId"]) == LARGE
        assert await read(node.dwn, node, node.last["recordId"]) == LARGE[::-1]
        assert node.stored() == node.used()
        assert await node.dwn.blobs.keys() == node.dwn.store.blob_keys()
        await node.delete(first["recordId"])
        assert await node.dwn.blobs.keys() == node.dwn.store.blob_keys()
        assert len(await node.dwn.blobs.keys()) == 1
    await way.close()


async def test_what_a_killed_process_left_is_gone_at_the_next_start(tmp_path: Path, url: str) -> None:
    s3, node = S3Address.parse(url), await Node.make(tmp_path / "dwn")
    async with opened(node, tmp_path, s3) as (node.dwn, _):
        await node.configure()
        await node.write(LARGE, **AT)

        async def left() -> Any:
            yield LARGE

        await S3Blobs(s3.below("dwn")).put("left-by-nobody".replace("-", ""), left())
        assert len(await node.dwn.blobs.keys()) == 2
    async with opened(node, tmp_path, s3) as (node.dwn, _):
        assert await node.dwn.blobs.keys() == node.dwn.store.blob_keys()
        assert await read(node.dwn, node, node.last["recordId"]) == LARGE


async def test_data_go_there_and_back_by_a_move_and_not_by_a_mistake(tmp_path: Path, url: str) -> None:
    s3, node = S3Address.parse(url), await Node.make(tmp_path / "a" / "dwn")
    async with opened(node, tmp_path / "a", None) as (node.dwn, _):
        await fill(node)
        large = list(node.dwn.store.large_records(node.did))
        held = cids(node.dwn, node.did)
    with pytest.raises(StorageError, match="web5-node move --target-blobs"):
        async with opened(node, tmp_path / "a", s3):
            raise AssertionError("it opened")
    assert await S3Blobs(s3.below("dwn")).keys() == set()
    moved = await move(tmp_path / "a", tmp_path / "b", ("/",), None, s3)
    assert moved.blobs == len(large) == 2
    async with opened(node, tmp_path / "b", s3) as (dwn, _):
        assert cids(dwn, node.did) == held
        for record_id in large:
            assert await read(dwn, node, record_id) == LARGE
    async with opened(other := await Node.make(tmp_path / "c" / "dwn"), tmp_path / "d", None):
        pass
    with pytest.raises(StorageError, match="of another node"):
        async with opened(other, tmp_path / "d", s3):
            raise AssertionError("it opened")
    await move(tmp_path / "b", tmp_path / "e", ("/",), s3)
    async with opened(node, tmp_path / "e", None) as (dwn, _):
        assert cids(dwn, node.did) == held
        for record_id in large:
            assert await read(dwn, node, record_id) == LARGE


async def test_several_processes_on_postgresql_share_it(
    tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3, node, postgres = S3Address.parse(url), await Node.make(tmp_path), PostgresServer()
    try:
        place = Postgres(postgres.database(), 2)
        async with opened(node, place, s3) as (node.dwn, _), opened(node, place, s3) as (second, _):
            await node.configure()
            assert (await node.write(LARGE, **AT))[0] == 202
            assert await read(second, node, node.last["recordId"]) == LARGE
            assert await PostgresBlobs(second.database).keys() == set()
            assert node.used() == node.stored()
            monkeypatch.setattr(s3_blobs, "KEPT", -s3_blobs.KEPT)

            async def left() -> Any:
                yield LARGE

            await node.dwn.blobs.put("left", left())
        async with opened(node, place, s3) as (node.dwn, _):
            await node.dwn.blobs.sweep(partial(named, node.dwn.database))
            assert await node.dwn.blobs.keys() == node.dwn.store.blob_keys()
            file = await exported(node, tmp_path)
    finally:
        postgres.close()
    async with opened(node, tmp_path / "there", None) as (dwn, _):
        assert (await imported(dwn, file)).complete
        assert await read(dwn, node, node.last["recordId"]) == LARGE


async def test_the_program_knows_it(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    s3, node = S3Address.parse(url), await Node.make(tmp_path / "data" / "dwn")
    async with opened(node, tmp_path / "data", s3) as (node.dwn, _):
        await node.configure()
        await node.write(LARGE, **AT)

    async def run(*words: str, status: int = 0) -> str:
        flags = ("--data", str(tmp_path / "data"), "--blobs", url)
        assert await asyncio.to_thread(main, [*words, *flags]) == status
        output = capsys.readouterr()
        return output.err or output.out

    assert f"1 large data of {len(LARGE):,} bytes" in await run("export", node.did, str(tmp_path / "one.zip"))
    await run("tenants", "delete", node.did, "--yes")
    assert await S3Blobs(s3.below("dwn")).keys() == set()
    assert await asyncio.to_thread(main, ["config", "--data", "x", "--blobs", "s3://a:b@bucket/x"]) == 2
    assert "keys are no part of it" in capsys.readouterr().err


async def test_a_copy_has_all_in_a_folder_or_says_what_it_lacks(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    s3, node = S3Address.parse(url), await Node.make(tmp_path / "data" / "dwn")
    async with opened(node, tmp_path / "data", s3) as (node.dwn, _):
        await node.configure()
        await node.write(LARGE, **AT)
        flags = ("--data", str(tmp_path / "data"), "--blobs", url)
        assert await asyncio.to_thread(main, ["backup", str(tmp_path / "copy"), *flags]) == 0
        assert "1 blobs" in (said := capsys.readouterr().out) and "serve it without --blobs" in said
        assert await asyncio.to_thread(main, ["backup", str(tmp_path / "bare"), "--without-blobs", *flags]) == 0
        assert "not copied: 1 blobs in s3://" in capsys.readouterr().out
    assert await asyncio.to_thread(main, ["check", "--data", str(tmp_path / "copy")]) == 0
    assert await asyncio.to_thread(main, ["check", "--data", str(tmp_path / "bare")]) == 3
    async with opened(node, tmp_path / "copy", None) as (dwn, _):
        assert await read(dwn, node, node.last["recordId"]) == LARGE


@pytest.mark.parametrize("has_postgres", [False, True])
async def test_check_looks_at_each_object(
    tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], has_postgres: bool
) -> None:
    s3, node = S3Address.parse(url), await Node.make(tmp_path / "data" / "dwn")
    postgres = PostgresServer() if has_postgres else None
    place: Place = tmp_path / "data" if postgres is None else Postgres(postgres.database(), 2)
    where = ["--data", str(place)] if isinstance(place, Path) else ["--database", place.url]

    async def check(status: int) -> str:
        assert await asyncio.to_thread(main, ["check", *where, "--blobs", url]) == status
        return capsys.readouterr().out

    async def other(size: int) -> Any:
        yield b"x" * size

    async with opened(node, place, s3) as (node.dwn, _):
        await node.configure()
        records = []
        for _ in range(4):
            await node.write(LARGE, **AT)
            records.append(node.last["recordId"])
        assert "all is whole" in await check(0)
        keys = dict(node.dwn.database.connection.execute("SELECT record_id, key FROM dwn_blob").fetchall())
        blobs = S3Blobs(s3.below("dwn"))
        await blobs.delete([keys[records[0]]])
        await blobs.put(keys[records[1]], other(len(LARGE)))
        await blobs.put(keys[records[2]], other(len(LARGE) - 1))
        await blobs.put("left", other(5))
        said = await check(3)
        assert f"the data of record {records[0]} are not in {s3.below('dwn')}" in said
        assert all(f"the data of record {one} are others, or not all" in said for one in records[1:3])
        assert records[3] not in said and "3 faults" in said and "1 objects that no message names" in said
    if postgres is not None:
        postgres.close()
    else:
        assert await asyncio.to_thread(main, ["check", *where, "--blobs", f"{url}".replace("/n", "/none")]) == 3
        assert "is it the right place?" in capsys.readouterr().out


@pytest.mark.parametrize(("size", "held"), [(40_000, {"back": 0}), (12_000_000, {"forth": 7_000_000})])
async def test_kill_9_in_an_upload_leaves_no_record_without_data_and_no_data_without_record(
    tmp_path: Path, server: S3Server, capsys: pytest.CaptureFixture[str], size: int, held: dict[str, int]
) -> None:
    """Killed once S3 has an object that no message names yet, and between the parts of a larger one."""
    way, prefix = Way(server.port), f"nodes/n{next(_numbers)}"
    await way.open()
    url, before = f"s3://{BUCKET}/{prefix}?endpoint=http://127.0.0.1:{way.port}", server.uploads()
    async with EmbeddedServer(tmp_path / "data", None, "--blobs", url) as one:
        owner = await Owner.make(one)
        stored = {await owner.write(data): data for data in (LARGE, LARGE[::-1])}
        way.hold(**held)
        lost = asyncio.create_task(owner.write(bytes(size)))
        await way.holding.wait()
        assert not lost.done()
        assert await one.stop(signal.SIGKILL) == -signal.SIGKILL
        with pytest.raises(Unreachable):
            await lost
        way.release()
        blobs = S3Blobs(S3Address.parse(url).below("dwn0"))
        # Of a multipart upload that nobody has completed, S3 shows no object; a rule of the bucket ends it.
        assert (len(await blobs.keys()), server.uploads() - before) == ((3, 0) if size < PART else (2, 1))
        assert await asyncio.to_thread(main, ["check", "--data", str(tmp_path / "data"), "--blobs", url]) == 0
        assert ("1 objects that no message names" in capsys.readouterr().out) == (size < PART)
        await one.start()
        assert await owner.record_ids() == stored.keys()
        assert len(await blobs.keys()) == 2
        for record_id, data in stored.items():
            assert await owner.read(record_id) == data
        again = await owner.write(bytes(size))
        assert await owner.read(again) == bytes(size)
    await way.close()
