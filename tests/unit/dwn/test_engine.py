"""The engine's invariants (numbers as in `web5.dwn.engine`), its hooks, and what other components may ask it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.contracts.memory import MIB, at_most
from tests.unit.dwn.conftest import World
from tests.unit.dwn.store.tested_pages import TestedPages
from web5.cpython.blobs import FileBlobs
from web5.dwn import Applied, compose
from web5.dwn.store.database import Backing, Database, open_memory
from web5.dwn.store.durable.paged import open_paged
from web5.dwn.store.memory import MemoryBlobs
from web5.dwn.values.cid import DataCid, message_cid
from web5.errors import BlobMissing, StorageError, StorageFull

LARGE = bytes(range(250)) * 200


class Gate:
    async def refusal(self, tenant: str) -> str | None:
        return {"did:example:y": f"{tenant} did not pay", "did:example:z": ""}.get(tenant)


class CountingBlobs(MemoryBlobs):
    puts = 0

    async def put(self, key: str, chunks: Any) -> int:
        self.puts += 1
        return await super().put(key, chunks)


class FullBlobs(MemoryBlobs):
    async def put(self, key: str, chunks: Any) -> int:
        raise StorageFull("no room")


@pytest.fixture
async def blobs(world: World) -> CountingBlobs:
    """The blobs of a fresh engine that takes the place of the world's."""
    blobs = CountingBlobs()
    world.dwn = world.engine(blobs=blobs)
    await world.dwn.open()
    return blobs


async def pieces(data: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[start : start + size]


@pytest.mark.parametrize("data", [b"", b"hello", LARGE])
async def test_data_may_come_as_a_stream(world: World, data: bytes) -> None:
    write = await world.compose(data=data)
    assert await world.status(write, pieces(data)) == (202, "Accepted")
    reply = await world.read(by=world.alice, recordId=write["recordId"])
    assert (reply["entry"]["data"].size, await reply["entry"]["data"].read()) == (len(data), data)


async def test_more_data_than_was_declared_is_not_taken_in(world: World) -> None:
    """Invariant 1: nothing stays behind, and a stream without an end is left and closed."""
    taken, closed = 0, False

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken, closed
        try:
            while True:
                taken += 1000
                yield bytes(1000)
        finally:
            closed = True

    for size in (5, 50_000):
        taken, closed = 0, False
        write = await world.compose(data=None, data_cid="bafkreix", data_size=size)
        assert await world.status(write, endless()) == (400, "RecordsWriteDataCidMismatch")
        assert taken <= size + 1000
        assert closed


async def test_data_larger_than_memory_is_taken_in_and_given_out(world: World, tmp_path: Path) -> None:
    size = 64 * MIB

    async def chunks() -> AsyncIterator[bytes]:
        for number in range(256):
            yield bytes([number]) * (size // 256)

    cid = DataCid()
    async for chunk in chunks():
        cid.update(chunk)
    world.dwn = world.engine(blobs=FileBlobs(tmp_path))
    await world.dwn.open()
    write = await world.compose(data=None, data_cid=cid.finish()[0], data_size=size)
    with at_most(8 * MIB):
        assert await world.status(write, chunks()) == (202, "Accepted")
        data = (await world.read(by=world.alice, recordId=write["recordId"]))["entry"]["data"]
        read = DataCid()
        async for chunk in data:
            read.update(chunk)
    assert read.finish() == (write["descriptor"]["dataCid"], size)


async def test_large_data_is_a_blob_as_long_as_a_message_needs_it(world: World, blobs: CountingBlobs) -> None:
    """Invariant 4."""
    first = await world.write(data=LARGE)
    assert await blobs.keys() == world.dwn.store.blob_keys()
    assert len(await blobs.keys()) == 1
    second = await world.write(existing=first, data=None, published=True)
    assert len(await blobs.keys()) == 1
    third = await world.write(existing=second, data=LARGE[::-1])
    assert len(await blobs.keys()) == 1
    fourth = await world.write(existing=third, data=LARGE[::-1])
    assert len(await blobs.keys()) == 1
    reply = await world.read(by=world.alice, recordId=first["recordId"])
    assert await reply["entry"]["data"].read() == LARGE[::-1]
    await world.send(await world.delete(fourth))
    assert (await blobs.keys(), world.dwn.store.blob_keys()) == (set(), set())
    with pytest.raises(BlobMissing):
        await reply["entry"]["data"].read()


async def test_data_that_come_again_take_the_place_of_a_blob_that_was_lost(world: World, blobs: CountingBlobs) -> None:
    first = await world.write(data=LARGE)
    await blobs.delete(await blobs.keys())
    await world.write(existing=first, data=LARGE)
    reply = await world.read(by=world.alice, recordId=first["recordId"])
    assert await reply["entry"]["data"].read() == LARGE
    assert await blobs.keys() == world.dwn.store.blob_keys()


async def test_a_refused_write_leaves_no_blob(world: World, blobs: CountingBlobs) -> None:
    """Invariants 1 and 4."""
    write = await world.compose(data=LARGE)
    assert (await world.status(write, LARGE[::-1]))[0] == 400
    assert (await blobs.keys(), blobs.puts) == (set(), 1)
    await world.send(await world.compose(by=world.bob, data=LARGE), LARGE)
    await world.send(write, LARGE)
    assert await world.status(write, LARGE) == (409, "Conflict")
    # Neither a stranger's nor a stale message's data was taken in at all.
    assert (len(await blobs.keys()), blobs.puts) == (1, 2)


async def test_wrong_data_for_an_update_does_not_harm_the_record(world: World) -> None:
    """The reference loses the data here: an update that names the record's own data, but comes with other bytes."""
    first = await world.write(data=LARGE)
    update = await world.compose(existing=first, data=None, published=True)
    assert await world.status(update, LARGE[::-1]) == (400, "RecordsWriteDataCidMismatch")
    reply = await world.read(by=world.alice, recordId=first["recordId"])
    assert await reply["entry"]["data"].read() == LARGE


async def test_open_drops_what_a_crash_left_behind(world: World, blobs: CountingBlobs) -> None:
    """Invariant 4."""
    await world.write(data=LARGE)
    needed = await blobs.keys()
    await blobs.put("orphan", pieces(b"x"))
    await world.dwn.open()
    assert await blobs.keys() == needed


async def test_a_store_without_room(world: World) -> None:
    world.dwn = world.engine(blobs=FullBlobs())
    await world.dwn.open()
    write = await world.compose(data=LARGE)
    with pytest.raises(StorageFull):
        await world.send(write, LARGE)
    assert await world.log() == []


async def test_hooks_see_what_was_applied(world: World) -> None:
    seen: list[tuple[str, Applied]] = []
    world.dwn.in_transaction.append(lambda applied: seen.append(("in", applied)))
    world.dwn.after_commit.append(lambda applied: seen.append(("after", applied)))
    first = await world.compose()
    await world.send(first, source="https://remote")
    update = await world.write(existing=first, data=b"two")
    delete = await world.delete(first)
    await world.send(delete)
    await world.send(delete)
    after = [applied for when, applied in seen if when == "after"]
    assert [when for when, _ in seen] == ["in", "after"] * 3
    assert [applied.message for applied in after] == [first, update, delete]
    assert [applied.message_cid for applied in after] == [message_cid(m) for m in (first, update, delete)]
    assert [applied.source for applied in after] == ["https://remote", None, None]
    assert [applied.is_latest_base_state for applied in after] == [False, True, True]
    assert [applied.initial_write for applied in after] == [None, first, first]
    assert [applied.seq for applied in after] == sorted({applied.seq for applied in after})
    assert {applied.tenant for applied in after} == {world.alice.did}


@pytest.mark.parametrize("data", [b"hello", LARGE])
async def test_a_hook_that_raises_undoes_all(world: World, blobs: CountingBlobs, data: bytes) -> None:
    """Invariant 2: message, indexes, event and what the hook wrote are one transaction."""
    database = world.dwn._services.database
    database.connection.execute("CREATE TABLE ledger (cid TEXT)")

    def ledger(applied: Applied) -> None:
        database.connection.execute("INSERT INTO ledger VALUES (?)", (applied.message_cid,))
        if len(data) != applied.message["descriptor"]["dataSize"]:
            raise RuntimeError("the ledger failed")

    world.dwn.in_transaction.append(ledger)
    first = await world.write(data=data)
    update = await world.compose(existing=first, data=data + b"!")
    with pytest.raises(RuntimeError, match="the ledger failed"):
        await world.send(update, data + b"!")
    assert await world.log() == [message_cid(first)]
    assert list(database.connection.execute("SELECT cid FROM ledger")) == [(message_cid(first),)]
    assert len(await blobs.keys()) == (1 if data is LARGE else 0)
    reply = await world.read(by=world.alice, recordId=first["recordId"])
    assert await reply["entry"]["data"].read() == data


async def test_a_hook_that_fails_after_the_commit_stops_nothing(world: World) -> None:
    """The message is stored and acknowledged, the other hooks and the subscribers are notified, and it is reported."""
    reports: list[str] = []
    seen: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context["message"]))

    def fail(applied: Applied) -> None:
        raise RuntimeError("a careless hook")

    world.dwn.after_commit.append(fail)
    world.dwn.after_commit.append(lambda applied: seen.append(applied.message_cid))
    first = await world.write(data=b"one")
    second = await world.write(existing=first, data=b"two")
    assert seen == await world.log() == [message_cid(first), message_cid(second)]
    assert reports == [f"a hook failed on {cid}" for cid in seen]


def flushing(flush: Callable[[], Any]) -> Database:
    backing = Backing()
    backing.flush = flush  # type: ignore[method-assign]
    return Database(open_memory().connection, backing)


async def test_a_write_is_acknowledged_after_its_flush(world: World) -> None:
    """Invariant 3."""
    gate, told = asyncio.Event(), []
    opened = False

    async def flush() -> None:
        if opened:
            await gate.wait()

    world.dwn = world.engine(database=flushing(flush))
    await world.dwn.open()
    opened = True
    world.dwn.after_commit.append(told.append)
    write = await world.compose()
    sending = asyncio.ensure_future(world.status(write, b"hello"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert (sending.done(), told) == (False, [])
    gate.set()
    assert await sending == (202, "Accepted")
    assert len(told) == 1


@pytest.mark.parametrize("failure", [StorageFull("no room"), StorageError("the disk is gone")])
async def test_a_write_that_is_not_stored_leaves_nothing_behind(world: World, failure: StorageError) -> None:
    """Invariants 3 and 4: no message, no blob, nobody is told; and what it would have replaced is as it was."""
    store, blobs = TestedPages(), MemoryBlobs()
    world.dwn = world.engine(database=await open_paged(store), blobs=blobs)
    await world.dwn.open()
    told: list[Applied] = []
    world.dwn.after_commit.append(told.append)
    first = await world.write(data=LARGE)
    held = await blobs.keys()
    update = await world.compose(existing=first, data=LARGE[::-1])
    store.failures = [failure, failure]  # where there is no room, it is tried twice
    with pytest.raises(type(failure)):
        await world.send(update, LARGE[::-1])
    store.failures.clear()
    assert (len(told), await blobs.keys()) == (1, held)
    reply = await world.read(by=world.alice, recordId=first["recordId"])
    assert await reply["entry"]["data"].read() == LARGE
    assert await world.status(update, LARGE[::-1]) == (202, "Accepted")
    assert len(told) == 2


async def test_where_there_is_no_room_what_is_deleted_makes_some(world: World) -> None:
    """And what found no room is not there once there is some."""
    store, blobs = TestedPages(), MemoryBlobs()
    world.dwn = world.engine(database=await open_paged(store), blobs=blobs)
    await world.dwn.open()
    large = await world.write(data=LARGE)
    small = [await world.write(data=b"n" * 2000) for _ in range(10)]
    store.most = len(store.held)
    with pytest.raises(StorageFull):
        for _ in range(50):
            await world.write(data=b"n" * 2000)
    log = await world.log()
    for message in (large, *small[:5]):
        assert await world.status(await world.delete(message)) == (202, "Accepted")
    assert (await blobs.keys(), len(store.held)) == (set(), store.most)
    store.most = None
    await world.dwn.database.flush()
    assert len(await world.log()) == len(log) + 6
    await world.write(data=b"n" * 2000)


async def test_the_tenant_gate(world: World) -> None:
    world.dwn = world.engine(tenant_gate=Gate())
    await world.dwn.open()
    reply = await world.dwn.process_message("did:example:y", None)
    assert reply == {"status": {"code": 401, "detail": "did:example:y did not pay"}}
    assert (await world.dwn.process_message("did:example:x", None))["status"]["code"] == 400
    reply = await world.dwn.process_message("did:example:z", await world.compose(), b"hello")
    assert reply == {"status": {"code": 401, "detail": "DID did:example:z is not an active tenant."}}
    assert world.dwn.store.tenant("did:example:z") == 0


async def test_what_sync_asks(world: World) -> None:
    first = await world.write(data=LARGE)
    second = await world.write()
    update = await world.write(existing=first, data=b"small")
    cids = [message_cid(message) for message in (first, second, update)]
    store, alice = world.dwn.store, world.alice.did
    log = store.entries_after(alice, 0, 100)
    assert [cid for _, cid in log] == cids
    assert store.entries_after(alice, log[0][0], 1) == log[1:2]
    assert store.entries_after(world.bob.did, 0, 100) == []
    assert store.has(alice, cids[0])
    assert not store.has(world.bob.did, cids[0])
    assert store.missing(alice, [*cids, "other"]) == {"other"}
    stored = await world.dwn.read_stored(alice, cids[2])
    assert stored is not None and stored.data is not None
    assert (stored.message, await stored.data.read()) == (update, b"small")
    superseded = await world.dwn.read_stored(alice, cids[0])
    assert superseded is not None
    assert (superseded.message, superseded.data) == (first, None)
    assert await world.dwn.read_stored(world.bob.did, cids[0]) is None


async def test_sequence_numbers_are_not_given_twice(world: World) -> None:
    first = await world.write()
    await world.write(existing=first, data=b"two")
    ((_, _), (last, _)) = world.dwn.store.entries_after(world.alice.did, 0, 100)
    await world.write(existing=first, data=b"three")
    ((_, _), (newest, _)) = world.dwn.store.entries_after(world.alice.did, 0, 100)
    assert newest > last


async def test_sequence_numbers_are_not_given_twice_by_an_engine_that_was_opened_again(world: World) -> None:
    """Whoever keeps a position in the log, as sync does, would take the update for what it has already."""
    first = await world.write()
    await world.write(existing=first, data=b"two")
    ((_, _), (last, _)) = world.dwn.store.entries_after(world.alice.did, 0, 100)
    world.dwn = world.engine(database=world.dwn.database)
    await world.dwn.open()
    await world.write(existing=first, data=b"three")
    ((_, _), (newest, _)) = world.dwn.store.entries_after(world.alice.did, 0, 100)
    assert newest > last


async def test_many_at_once(world: World) -> None:
    """Invariant 2: writers that run side by side never see half of each other."""
    first = await world.write()
    updates = [await world.compose(existing=first, data=bytes([i])) for i in range(20)]
    statuses = await asyncio.gather(*(world.status(update, bytes([i])) for i, update in enumerate(updates)))
    assert {code for code, _ in statuses} <= {202, 409}
    newest = max(updates, key=lambda update: update["descriptor"]["messageTimestamp"])
    entry = (await world.read(by=world.alice, recordId=first["recordId"]))["entry"]
    assert entry["recordsWrite"] == newest
    assert await world.log() == [message_cid(first), message_cid(newest)]


async def test_a_protocol_is_found_as_it_is_configured_now(world: World) -> None:
    did, definition = (
        world.alice.did,
        {"protocol": "http://a.example", "published": False, "types": {}, "structure": {}},
    )
    assert world.dwn.protocol_definition(did, "http://a.example") is None
    for published in (False, True):
        newest = {**definition, "published": published}
        configure = await compose.protocols_configure(world.alice.signer, world.clock, definition=newest)
        assert await world.status(configure) == (202, "Accepted")
    assert world.dwn.protocol_definition(did, "a.example/") == newest
    assert world.dwn.protocol_definition(world.bob.did, "http://a.example") is None
