"""Sending to one endpoint in a visit, and one message to every endpoint of a target at once."""

import asyncio
import gc
from itertools import pairwise
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, World, cid_of, reply_of, unreachable
from web5.dwn import compose
from web5.errors import BlobMissing, DidError, InvalidArgument, StorageFull
from web5.sync import State
from web5.sync.states import Wanted

A, B = f"{HOST}/a", f"{HOST}/b"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


# -- in a visit


async def test_what_was_sent_is_made_durable_now_and_then(world: World) -> None:
    """A page that is closed in the middle of a long visit sends little of it again."""
    world.set_endpoints("/a")
    phone = await world.device()
    for number in range(40):
        await phone.write(b"%d" % number)
    sent_at_flush: list[int] = []
    flush = phone.database.flush

    async def flushing() -> None:
        sent_at_flush.append(world.network.counts["/a", "RecordsWrite"])
        await flush()

    async def slowly(node: str, kind: str) -> None:
        world.clock.ahead += 100_000 if kind == "RecordsWrite" else 0

    phone.database.flush = flushing  # type: ignore[method-assign]
    world.network.on_request = slowly
    assert (await phone.sync.now()).ok
    within = [count for count in sent_at_flush if 0 < count < 40]
    assert len(within) >= 3
    assert max(later - earlier for earlier, later in pairwise([0, *within, 40])) <= 12


async def test_what_was_sent_is_made_durable_while_a_node_takes_its_time_with_the_rest(world: World) -> None:
    world.set_endpoints("/a")
    phone = await world.device()
    for number in range(3):
        await phone.write(b"%d" % number)
    sent, flushed, answers = 0, asyncio.Event(), asyncio.Event()
    flush = phone.database.flush

    async def flushing() -> None:
        await flush()
        if sent == 3:
            flushed.set()

    async def one_by_one(node: str, kind: str) -> None:
        nonlocal sent
        if kind == "RecordsWrite":
            sent += 1
            if sent == 3:
                await answers.wait()

    phone.database.flush = flushing  # type: ignore[method-assign]
    world.network.on_request = one_by_one
    syncing = asyncio.create_task(phone.sync.now())
    async with asyncio.timeout(60):
        await flushed.wait()
    assert not syncing.done()
    assert [row.state for row in phone.sync.unsettled()] == [State.IN_FLIGHT]
    answers.set()
    assert (await syncing).ok


async def test_what_finds_no_room_is_not_sent(world: World) -> None:
    """A person who gives it up, since it was not saved, does not get it back from a node."""
    world.set_endpoints("/a")
    phone = await world.device()
    assert (await phone.sync.now()).ok
    await phone.write()

    async def full() -> None:
        raise StorageFull("no room")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phone.database, "flush", full)
        assert not (await phone.sync.now()).ok
    assert world.network.counts["/a", "RecordsWrite"] == 0
    assert (await phone.sync.now()).ok
    assert world.network.counts["/a", "RecordsWrite"] == 1


@pytest.mark.parametrize("updates", [0, 1])
async def test_data_that_is_replaced_while_it_is_sent_harms_nothing(world: World, updates: int) -> None:
    """The initial write stays, without its data; what stood between it and the newest is pruned."""
    world.set_endpoints("/a")
    phone = await world.device()
    message = first = await phone.write(bytes(100_000))
    for _ in range(updates):
        message = await phone.write(bytes(100_001), existing=first)
    sending, replaced = cid_of(message), False

    async def replace(node: str, kind: str) -> None:
        nonlocal replaced
        if kind == "RecordsWrite" and cid_of(world.network.sent[-1][2]) == sending and not replaced:
            replaced = True
            await phone.write(b"newest", existing=message)
            raise BlobMissing("there is no blob")  # as `Http` passes on what the body raises

    world.network.on_request = replace
    await phone.sync.now()
    world.network.on_request = None
    assert replaced
    assert {row.state for row in phone.sync.unsettled()} <= {State.PENDING, State.WAITING}
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []
    assert await world.contents(world.remotes["/a"]) == {first["recordId"]: b"newest"}


# -- at once


async def test_send_brings_a_record_to_all_own_nodes_and_the_ledger_knows(world: World) -> None:
    phone = await world.device()
    await phone.write(b"another, that is not sent")
    first = await phone.write(b"1")
    update = await phone.write(b"2", existing=first)
    results = await phone.sync.send(world.alice.did, cid_of(update))
    assert [(result.endpoint, result.accepted, result.code) for result in results] == [(A, True, 202), (B, True, 202)]
    for remote in world.remotes.values():
        assert await world.contents(remote) == {first["recordId"]: b"2"}
    assert [status.pending_out for status in phone.sync.status()] == [1, 1]
    world.network.reset()
    assert (await phone.sync.now()).pushed == 2
    assert phone.sync.unsettled() == []


async def test_what_an_own_node_did_not_take_stays_with_sync(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    world.network.faults["/a"] = unreachable
    world.network.faults["/b"] = lambda *_: reply_of(400, "SchemaValidatorFailure: no")
    by_url = {result.endpoint: result for result in await phone.sync.send(world.alice.did, cid_of(message))}
    assert (by_url[A].accepted, by_url[A].code, by_url[A].detail) == (False, 0, "Unreachable: connection refused")
    assert (by_url[B].accepted, by_url[B].code, by_url[B].detail) == (False, 400, "SchemaValidatorFailure: no")
    rows = {row.endpoint: row for row in phone.sync.unsettled()}
    assert (rows[A].state, rows[B].state, rows[B].code) == (State.PENDING, State.REFUSED, 400)
    world.network.faults.clear()
    world.clock.ahead += 24 * 3600 * 1_000_000
    assert (await phone.sync.now("push")).pushed == 2
    assert phone.sync.unsettled() == []


async def test_sending_twice_is_no_request_and_accepted(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    await phone.sync.send(world.alice.did, cid_of(message))
    world.network.reset()
    results = await phone.sync.send(world.alice.did, cid_of(message))
    assert [result.accepted for result in results] == [True, True]
    assert world.network.sent == []


async def test_a_delete_is_sent_after_its_record(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    gone = await phone.delete(message)
    assert all(result.accepted for result in await phone.sync.send(world.alice.did, cid_of(gone)))
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_send_to_another_did_goes_to_its_nodes_in_the_sender_s_name(world: World) -> None:
    bob = await world.identity("/b")
    phone = await world.device()
    message = await phone.write(b"for bob", recipient=bob.did)
    (result,) = await phone.sync.send(world.alice.did, cid_of(message), bob.did)
    # Nobody may write to another's node without a protocol; that the node of Bob said so is what is tested.
    assert (result.endpoint, result.accepted, result.code) == (B, False, 401)
    assert "RecordsWriteAuthorizationFailed" in result.detail
    assert not result.pending
    assert [status.pending_out for status in phone.sync.status()] in ([], [1, 1], [0])
    [kept] = phone.sync.unsettled(wanted=Wanted(target=bob.did))
    assert (kept.state, kept.code, kept.endpoint) == (State.REFUSED, 401, B)


async def test_send_to_an_own_did_that_does_not_sync_keeps_nothing(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    await phone.sync.unregister(world.alice.did)
    results = await phone.sync.send(world.alice.did, cid_of(message))
    assert [result.accepted for result in results] == [True, True]
    assert phone.sync.unsettled() == []


async def test_send_while_a_round_sends_the_same_does_not_send_it_twice(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    reached, gate = asyncio.Event(), asyncio.Event()

    async def hold(node: str, kind: str) -> None:
        if kind == "RecordsWrite":
            reached.set()
            await gate.wait()

    world.network.on_request = hold
    running = asyncio.ensure_future(phone.sync.now())
    await reached.wait()
    sending = asyncio.ensure_future(phone.sync.send(world.alice.did, cid_of(message)))
    for _ in range(5):
        await asyncio.sleep(0)
    gate.set()
    assert all(result.accepted for result in await sending)
    assert (await running).ok
    assert world.network.counts["/a", "RecordsWrite"] == world.network.counts["/b", "RecordsWrite"] == 1


async def test_the_lock_of_a_record_lets_one_through_at_a_time_and_is_forgotten(world: World) -> None:
    phone = await world.device()
    context = phone.sync._context
    inside, most, passed = 0, 0, 0

    async def user() -> None:
        nonlocal inside, most, passed
        async with context.record_lock(1, "record"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1
            passed += 1

    async def use() -> None:
        users = [asyncio.ensure_future(user()) for _ in range(5)]
        for _ in range(3):
            await asyncio.sleep(0)
            users += [asyncio.ensure_future(user()) for _ in range(3)]
        users[4].cancel()
        await asyncio.gather(*users, return_exceptions=True)

    await use()
    assert (most, passed) == (1, 13)
    await asyncio.sleep(0)  # the loop still holds the cancelled one
    gc.collect()
    assert len(context._locks) == 0


async def test_what_cannot_be_sent(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    with pytest.raises(InvalidArgument):
        await phone.sync.send(world.alice.did, "bafyreinothing")
    with pytest.raises(DidError):
        await phone.sync.send(world.alice.did, cid_of(message), "did:dht:unknown")
    query = await compose.records_read(world.alice.signer, world.clock, filter={"recordId": message["recordId"]})
    with pytest.raises(InvalidArgument):
        await phone.sync.send(world.alice.did, cid_of(query))
