"""Faults on the way, by which nothing is lost, hidden or hammered."""

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, World, cid_of, reply_of, seeded, timing_out, unreachable
from tests.watch import until
from web5.dwn import compose
from web5.dwn.values.timestamps import microseconds
from web5.errors import StorageFull
from web5.sync import State

A, B = f"{HOST}/a", f"{HOST}/b"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


def by_endpoint(device):
    return {status.endpoint: status for status in device.sync.status()}


async def test_one_node_down_never_stops_the_other_and_is_probed_once_a_round(world: World) -> None:
    phone = await world.device()
    for _ in range(12):
        await phone.write()
    world.network.faults["/a"] = unreachable
    report = await phone.sync.now()
    assert not report.ok
    assert world.held(world.remotes["/b"]) == world.held(phone.dwn)
    assert world.network.total("/a") == 1
    status = by_endpoint(phone)
    assert (status[A].reachable, status[A].pending_out, status[A].last_success) == (False, 12, None)
    assert status[A].last_error == (0, "Unreachable: connection refused")
    assert (status[B].reachable, status[B].pending_out, status[B].last_error) == (True, 0, None)
    assert status[B].last_success
    assert {row.detail for row in phone.sync.unsettled()} == {"Unreachable: connection refused"}
    del world.network.faults["/a"]
    assert (await phone.sync.now()).pushed == 12
    status = by_endpoint(phone)
    assert (status[A].reachable, status[A].pending_out, status[A].last_error) == (True, 0, None)


async def test_push_alone_probes_an_unreachable_node_once_too(world: World) -> None:
    phone = await world.device()
    for _ in range(12):
        await phone.write()
    world.network.faults["/a"] = unreachable
    await phone.sync.now("push")
    assert world.network.total("/a") == 1


async def test_a_slow_node_does_not_hold_up_the_other(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    gate, arrived = asyncio.Event(), asyncio.Event()

    async def slow(node: str, kind: str) -> None:
        if node == "/a":
            await gate.wait()
        if node == "/b" and kind == "RecordsWrite":
            arrived.set()

    world.network.on_request = slow
    running = asyncio.ensure_future(phone.sync.now())
    await asyncio.wait_for(arrived.wait(), 5)
    gate.set()
    assert (await running).ok
    assert cid_of(message) in world.held(world.remotes["/a"])


async def test_a_node_that_gives_nothing_does_not_keep_the_other_from_giving_it(world: World) -> None:
    laptop = await world.device("laptop")
    for number in range(8):
        await laptop.write(b"%d" % number)
    await laptop.sync.now()
    gate, waiting = asyncio.Event(), asyncio.Event()

    async def slow(node: str, kind: str) -> None:
        if (node, kind) == ("/a", "MessagesRead"):
            await gate.wait()
        elif (node, kind) == ("/b", "MessagesQuery"):
            waiting.set()

    world.network.on_request = slow
    phone = await world.device("phone")
    running = asyncio.ensure_future(phone.sync.now())
    await asyncio.wait_for(waiting.wait(), 5)
    await until(lambda: world.clock.sleepers)
    assert world.network.counts["/b", "MessagesRead"] == 0
    world.clock.ahead += 5_000_000
    world.clock.wake()
    await until(lambda: world.held(phone.dwn) == world.held(laptop.dwn))
    gate.set()
    assert (await running).ok
    assert phone.sync.unsettled() == []


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"<html>a proxy's page</html>"),
        Answer(502, b"Bad Gateway"),
        Answer(200, b"{}"),
        Answer(200, json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"reply": {}}}).encode()),
        Answer(200, json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"reply": {"status": {}}}}).encode()),
        reply_of(500, "no"),
        reply_of(200, "OK"),
        reply_of(0, ""),
    ],
)
async def test_an_answer_that_is_no_success_is_never_counted_as_one(world: World, answer: Answer) -> None:
    phone = await world.device()
    message = await phone.write()
    world.network.faults["/a"] = lambda kind, _: answer if kind == "RecordsWrite" else None
    await phone.sync.now()
    (row,) = phone.sync.unsettled()
    assert (row.endpoint, row.direction, row.message_cid, row.attempts) == (A, "push", cid_of(message), 1)
    assert row.state is State.REFUSED
    assert row.detail
    assert row.next_try and microseconds(row.next_try) > world.clock.now()
    assert by_endpoint(phone)[A].refused == 1
    del world.network.faults["/a"]
    world.network.reset()
    await phone.sync.now("push")
    assert world.network.sent == []
    world.clock.ahead += 24 * 3600 * 1_000_000
    assert (await phone.sync.now("push")).pushed == 1
    assert phone.sync.unsettled() == []


async def test_a_refused_message_keeps_code_and_detail_and_the_others_go_on(world: World) -> None:
    phone = await world.device()
    bad, good = await phone.write(b"bad"), await phone.write(b"good")
    refusal = reply_of(400, "SchemaValidatorFailure: it is bad")
    world.network.faults["/a"] = lambda _, message: refusal if message.get("recordId") == bad["recordId"] else None
    await phone.sync.now()
    assert world.held(world.remotes["/a"]) == {cid_of(good)}
    (row,) = phone.sync.unsettled()
    assert (row.state, row.code, row.detail) == (State.REFUSED, 400, "SchemaValidatorFailure: it is bad")


async def test_updates_wait_for_a_refused_initial_write_and_follow_it(world: World) -> None:
    phone = await world.device()
    first = await phone.write(b"1")
    update = await phone.write(b"2", existing=first)
    refusal = reply_of(400, "SchemaValidatorFailure: no")
    world.network.faults["/a"] = lambda kind, _: refusal if kind == "RecordsWrite" else None
    await phone.sync.now("push")
    rows = {row.message_cid: row for row in phone.sync.unsettled() if row.endpoint == A}
    assert rows[cid_of(first)].state is State.REFUSED
    assert rows[cid_of(update)].state is State.WAITING
    assert cid_of(first) in rows[cid_of(update)].detail
    assert world.network.counts["/a", "RecordsWrite"] == 1
    del world.network.faults["/a"]
    world.clock.ahead += 24 * 3600 * 1_000_000
    await phone.sync.now("push")
    assert phone.sync.unsettled() == []
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_a_delete_waits_for_a_refused_initial_write_whatever_else_is_taken(world: World) -> None:
    """Alone it would be answered with 404, count as done, and the record would come without it."""
    phone = await world.device()
    message = await phone.write(b"1")
    gone = await phone.delete(message)
    refusal = reply_of(400, "SchemaValidatorFailure: no")
    world.network.faults["/a"] = lambda _, sent: refusal if sent.get("recordId") == message["recordId"] else None
    await phone.sync.now("push")
    await phone.write(b"2")
    world.clock.ahead += 60 * 1_000_000
    await phone.sync.now("push")
    rows = {row.message_cid: row for row in phone.sync.unsettled() if row.endpoint == A}
    assert rows[cid_of(message)].state is State.REFUSED
    assert rows[cid_of(gone)].state is State.WAITING
    assert message["recordId"] in rows[cid_of(gone)].detail
    assert world.network.counts["/a", "RecordsDelete"] == 0
    del world.network.faults["/a"]
    world.clock.ahead += 24 * 3600 * 1_000_000
    await phone.sync.now("push")
    assert phone.sync.unsettled() == []
    assert world.held(world.remotes["/a"]) == world.held(phone.dwn)


async def test_registration_blocks_everything_with_one_probe_a_round(world: World) -> None:
    phone = await world.device()
    for _ in range(9):
        await phone.write()
    world.network.faults["/a"] = lambda *_: reply_of(401, "Not a registered tenant.")
    for direction in (None, "push"):
        world.network.reset()
        await phone.sync.now(direction)
        assert world.network.total("/a") == 1
        rows = phone.sync.unsettled()
        assert len(rows) == 9
        assert {(row.state, row.code, row.detail) for row in rows} == {(State.BLOCKED, 401, "Not a registered tenant.")}
    assert by_endpoint(phone)[A].last_error == (401, "Not a registered tenant.")
    assert by_endpoint(phone)[A].reachable is True
    del world.network.faults["/a"]
    assert (await phone.sync.now()).pushed == 9


async def test_a_node_that_fails_is_left_alone_after_three_failures(world: World) -> None:
    phone = await world.device()
    for _ in range(40):
        await phone.write()
    world.network.faults["/a"] = lambda kind, _: reply_of(500, "oops") if kind == "RecordsWrite" else None
    await phone.sync.now()
    assert world.network.counts["/a", "RecordsWrite"] <= 3 + 5
    world.network.faults["/a"] = lambda kind, message: timing_out(kind, message) if kind == "RecordsWrite" else None
    world.network.reset()
    await phone.sync.now()
    assert world.network.counts["/a", "RecordsWrite"] <= 3 + 5
    assert len(phone.sync.unsettled()) == 40


async def test_an_unresolvable_did_is_its_own_error_and_keeps_the_known_endpoints(world: World) -> None:
    bob = await world.identity("/b")
    phone = await world.device("phone", world.alice, bob)
    await phone.sync.now()
    world.directory.broken.add(world.alice.did)
    mine, his = await phone.write(), await phone.write(b"his", bob)
    report = await phone.sync.now()
    assert list(report.did_errors) == [world.alice.did]
    assert "is not published" in report.did_errors[world.alice.did]
    assert cid_of(mine) in world.held(world.remotes["/a"])
    assert cid_of(his) in world.held(world.remotes["/b"], bob)
    assert {bool(status.did_error) for status in phone.sync.status(world.alice.did)} == {True}
    assert {status.did_error for status in phone.sync.status(bob.did)} == {None}
    phone.database.connection.close()
    again = await world.device("phone")
    assert (await again.sync.now()).did_errors
    assert len(again.sync.status(world.alice.did)) == 2


async def test_a_did_that_never_resolved_is_shown_without_an_endpoint(world: World) -> None:
    world.directory.broken.add(world.alice.did)
    phone = await world.device()
    await phone.sync.now()
    (status,) = phone.sync.status()
    assert (status.endpoint, status.reachable) == ("", None)
    assert status.did_error and "notFound" in status.did_error


# -- pulling


async def test_a_write_after_a_delete_elsewhere_ends_with_the_record(world: World) -> None:
    world.set_endpoints("/a")
    phone, laptop = await world.device("phone"), await world.device("laptop")
    message = await phone.write(b"1")
    await phone.sync.now()
    await laptop.sync.now()
    await phone.delete(message)
    await laptop.write(b"2", existing=message)
    await laptop.sync.now()
    await phone.sync.now()
    assert phone.sync.unsettled() == []
    await laptop.sync.now()
    assert world.held(phone.dwn) == world.held(laptop.dwn) == world.held(world.remotes["/a"])
    assert await world.contents(laptop.dwn) == {}


@pytest.mark.parametrize("first", ["phone", "laptop"])
async def test_concurrent_edits_converge_on_the_newest_everywhere(world: World, first: str) -> None:
    phone, laptop = await world.device("phone"), await world.device("laptop")
    message = await phone.write(b"1")
    await phone.sync.now()
    await laptop.sync.now()
    await phone.write(b"older", existing=message)
    await laptop.write(b"newer", existing=message)
    order = [phone, laptop] if first == "phone" else [laptop, phone]
    for device in order * 2:
        await device.sync.now()
        assert device.sync.unsettled() == []
    for dwn in (phone.dwn, laptop.dwn, *world.remotes.values()):
        assert await world.contents(dwn) == {message["recordId"]: b"newer"}


async def test_a_write_whose_data_is_not_here_yet_is_not_passed_on_alone(world: World) -> None:
    """A crash between an initial write and its update leaves this; the next node must not get stuck with it."""
    phone = await world.device()
    await phone.sync.now()
    alice = world.alice
    initial = await compose.records_write(alice.signer, world.clock, data=b"1", data_format="text/plain")
    update = await compose.records_write(alice.signer, world.clock, data=b"2", existing=initial)
    for dwn in (world.remotes["/a"], phone.dwn):
        assert (await dwn.process_message(alice.did, initial, source=A))["status"]["code"] == 204
    await phone.sync.now()
    assert world.held(world.remotes["/b"]) == set()
    (row,) = phone.sync.unsettled()
    assert (row.endpoint, row.state) == (B, State.WAITING)
    assert (await phone.dwn.process_message(alice.did, update, b"2", source=A))["status"]["code"] == 202
    world.clock.ahead += 3600 * 1_000_000
    await phone.sync.now()
    assert await world.contents(world.remotes["/b"]) == {initial["recordId"]: b"2"}
    assert phone.sync.unsettled() == []


# -- crashes, stops and a full disk


async def test_a_crash_at_any_request_loses_nothing_and_repeats_little(world: World) -> None:
    """Ledger invariant 6, for each request of a round that both pulls and pushes."""
    await seeded(world, 4, "/a")
    other = await world.device("other")
    for dying in itertools.count(1):
        phone = await world.device(f"phone{dying}")
        mine = [await phone.write(b"mine %d" % number) for number in range(3)]
        await phone.write(b"edited", existing=mine[0])
        whole = await world.crash(phone, dying)
        again = await world.device(f"phone{dying}")
        assert (await again.sync.now()).ok
        assert again.sync.unsettled() == []
        await other.sync.now()
        held = world.held(again.dwn)
        assert held == world.held(world.remotes["/a"]) == world.held(world.remotes["/b"]) == world.held(other.dwn)
        assert await world.contents(again.dwn) == await world.contents(world.remotes["/b"])
        if whole:
            break
    assert dying > 8


async def test_stop_ends_a_round_at_once_and_says_so(world: World) -> None:
    phone = await world.device()
    for _ in range(3):
        await phone.write()
    reached = asyncio.Event()

    async def hang(node: str, kind: str) -> None:
        if kind == "RecordsWrite":
            reached.set()
            await asyncio.Event().wait()

    world.network.on_request = hang
    running = asyncio.ensure_future(phone.sync.now())
    await reached.wait()
    await asyncio.wait_for(phone.sync.stop(), 5)
    report = await running
    assert report.stopped and not report.ok
    assert {status.syncing for status in phone.sync.status()} == {False}
    world.network.on_request = None
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []


async def test_a_full_disk_is_told_and_nothing_is_lost(world: World) -> None:
    await seeded(world, 3, "/a")
    world.set_endpoints("/a")
    phone = await world.device()

    def full(applied: object) -> None:
        raise StorageFull("no room")

    phone.dwn.in_transaction.append(full)
    report = await phone.sync.now()
    assert report.endpoints[0].error == (0, "StorageFull: no room")
    assert by_endpoint(phone)[A].last_error == (0, "StorageFull: no room")
    assert by_endpoint(phone)[A].pending_in == 3
    phone.dwn.in_transaction.remove(full)
    assert (await phone.sync.now()).pulled == 3


async def test_endpoints_that_there_is_no_room_to_keep_are_told_and_taken_over_later(world: World) -> None:
    world.set_endpoints("/a")
    phone = await world.device()
    await phone.sync.now()
    world.set_endpoints("/a", "/b")

    def full() -> bool:
        raise StorageFull("no room")

    phone.database.connection.set_commit_hook(full)
    report = await phone.sync.now()
    assert report.did_errors == {world.alice.did: "no room"}
    phone.database.connection.set_commit_hook(None)
    assert (await phone.sync.now()).ok
    assert set(by_endpoint(phone)) == {A, B}
