"""Faults on the way, by which nothing is lost, hidden or hammered."""

import asyncio
import itertools
import json
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, Fault, World, cid_of, reply_of, timing_out, unreachable
from tests.watch import until
from web5.dwn import compose
from web5.dwn.values.timestamps import microseconds
from web5.errors import StorageFull
from web5.ports.http import HttpResponse
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


async def seeded(world: World, count: int, *nodes: str) -> list[str]:
    """Records that are at these nodes, from another device; their CIDs."""
    world.set_endpoints(*nodes)
    other = await world.device("other")
    found = [cid_of(await other.write(b"%d" % number)) for number in range(count)]
    assert (await other.sync.now()).ok
    world.set_endpoints("/a", "/b")
    world.network.reset()
    return found


async def test_a_message_that_cannot_be_read_is_a_row_and_comes_later(world: World) -> None:
    (cid,) = await seeded(world, 1, "/a")
    world.set_endpoints("/a")
    phone = await world.device()
    for answer in (reply_of(500, "oops"), reply_of(401, "X: no"), Answer(200, b"garbage"), reply_of(202)):
        world.network.faults["/a"] = lambda kind, _, answer=answer: answer if kind == "MessagesRead" else None
        world.clock.ahead += 3600 * 1_000_000
        await phone.sync.now()
        (row,) = phone.sync.unsettled()
        assert (row.direction, row.message_cid, row.state) == ("pull", cid, State.REFUSED)
        assert by_endpoint(phone)[A].pending_in == by_endpoint(phone)[A].refused == 1
    assert row.attempts == 4
    del world.network.faults["/a"]
    world.clock.ahead += 24 * 3600 * 1_000_000
    assert (await phone.sync.now()).pulled == 1
    assert phone.sync.unsettled() == []


async def test_a_success_without_a_listing_is_no_empty_listing(world: World) -> None:
    """It would mean that everything is gone there, and everything would be sent again."""
    phone = await world.device()
    await phone.write()
    await phone.sync.now()
    world.network.reset()
    world.network.faults["/a"] = lambda kind, _: reply_of(200, "OK") if kind == "MessagesQuery" else None
    report = await phone.sync.now()
    assert report.endpoints[0].error == (0, "BadReply: the reply has no list of messages")
    assert {kind for node, kind, _ in world.network.sent if node == "/a"} == {"MessagesQuery"}


async def test_a_message_that_was_pruned_meanwhile_is_settled(world: World) -> None:
    await seeded(world, 1, "/a")
    world.set_endpoints("/a")
    phone = await world.device()
    world.network.faults["/a"] = lambda kind, _: reply_of(404, "Not Found") if kind == "MessagesRead" else None
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []


async def test_a_wrong_or_forged_message_is_never_stored(world: World) -> None:
    first, second = await seeded(world, 2, "/a")
    world.set_endpoints("/a")
    phone = await world.device()

    def swapped(kind: str, message: dict) -> Answer | None:
        if kind == "MessagesRead" and message["descriptor"]["messageCid"] == first:
            message["descriptor"]["messageCid"] = second
            body = {"message": {"descriptor": {"interface": "Records", "method": "Write"}}, "messageCid": first}
            text = {"jsonrpc": "2.0", "result": {"reply": {"status": {"code": 200, "detail": "OK"}, "entry": body}}}
            return Answer(200, json.dumps({"id": "1", **text}).encode())
        return None

    world.network.faults["/a"] = swapped
    await phone.sync.now()
    (row,) = phone.sync.unsettled()
    assert (row.message_cid, row.state) == (first, State.REFUSED)
    assert "BadReply: asked for message" in row.detail
    assert world.held(phone.dwn) == {second}


async def test_data_that_breaks_off_stores_nothing_and_comes_later(world: World) -> None:
    world.set_endpoints("/a")
    other = await world.device("other")
    for size in (20_000, 100_000):
        message = await other.write(bytes(size))
    assert (await other.sync.now()).ok
    phone = await world.device()
    real = world.network.request

    async def cutting(method, url, **more):
        response = await real(method, url, **more)
        if "dwn-response" in response.headers:
            whole = await response.read(1_000_000)
            return Answer(200, whole[: len(whole) // 2], response.headers, cut=True)
        return response

    world.network.request = cutting  # type: ignore[method-assign]
    await phone.sync.now()
    assert world.held(phone.dwn) == set()
    assert len(phone.sync.unsettled()) == 2
    world.network.request = real  # type: ignore[method-assign]
    world.clock.ahead += 24 * 3600 * 1_000_000
    assert (await phone.sync.now()).pulled == 2
    assert phone.sync.unsettled() == []
    assert (await world.contents(phone.dwn))[message["recordId"]] == bytes(100_000)


async def test_half_the_data_without_an_error_is_refused(world: World) -> None:
    world.set_endpoints("/a")
    other = await world.device("other")
    await other.write(bytes(range(200)) * 300)
    assert (await other.sync.now()).ok
    phone = await world.device()
    real = world.network.request

    async def halving(method, url, **more):
        response = await real(method, url, **more)
        if "dwn-response" in response.headers:
            whole = await response.read(1_000_000)
            return Answer(200, whole[: len(whole) // 2], response.headers)
        return response

    world.network.request = halving  # type: ignore[method-assign]
    await phone.sync.now()
    assert world.held(phone.dwn) == set()
    (row,) = phone.sync.unsettled()
    assert row.state is State.REFUSED


async def test_an_initial_write_that_comes_without_its_data_is_not_stored_alone(world: World) -> None:
    (cid,) = await seeded(world, 1, "/a", "/b")
    phone = await world.device()
    real = world.network.request

    async def stripping(method, url, **more):
        response = await real(method, url, **more)
        if url == A and "dwn-response" in response.headers:
            return Answer(200, response.headers["dwn-response"].encode())
        return response

    world.network.request = stripping  # type: ignore[method-assign]
    world.network.faults["/b"] = unreachable
    await phone.sync.now()
    (row,) = phone.sync.unsettled()
    assert (row.endpoint, row.message_cid, row.state) == (A, cid, State.WAITING)
    assert world.held(phone.dwn) == set()
    del world.network.faults["/b"]
    assert (await phone.sync.now()).pulled == 1
    assert phone.sync.unsettled() == []
    assert len(await world.contents(phone.dwn)) == 1


async def test_what_one_node_cannot_give_the_other_does_in_the_same_round(world: World) -> None:
    cids = await seeded(world, 30, "/a", "/b")
    phone = await world.device()
    world.network.faults["/a"] = lambda kind, _: unreachable("", {}) if kind != "MessagesQuery" else None
    await phone.sync.now()
    assert world.held(phone.dwn) == set(cids)


async def test_messages_that_are_listed_by_both_are_fetched_once(world: World) -> None:
    await seeded(world, 8, "/a", "/b")
    phone = await world.device()
    assert (await phone.sync.now()).pulled == 8
    assert sum(count for (_, kind), count in world.network.counts.items() if kind == "MessagesRead") == 8


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


async def test_a_strangers_update_waits_for_the_initial_write_that_cannot_be_read_yet(world: World) -> None:
    """The right to update a record depends on who began it, so the engine says 401 to an update of nothing."""
    world.set_endpoints("/a")
    bob, other = await world.identity("/b"), await world.device("other")
    definition = {
        "protocol": "http://notes.example",
        "published": True,
        "types": {"note": {}},
        "structure": {"note": {"$actions": [{"who": "anyone", "can": ["create", "update"]}]}},
    }
    configure = await compose.protocols_configure(world.alice.signer, world.clock, definition=definition)
    assert (await other.dwn.process_message(world.alice.did, configure))["status"]["code"] == 202
    place = {"data_format": "text/plain", "protocol": "http://notes.example", "protocol_path": "note"}
    first = await compose.records_write(bob.signer, world.clock, data=b"1", **place)
    update = await compose.records_write(bob.signer, world.clock, data=b"2", existing=first)
    for message, data in ((first, b"1"), (update, b"2")):
        assert (await other.dwn.process_message(world.alice.did, message, data))["status"]["code"] == 202
    assert (await other.sync.now()).ok
    phone, initial = await world.device(), cid_of(first)
    world.network.faults["/a"] = lambda kind, asked: (
        reply_of(500, "oops") if asked["descriptor"].get("messageCid") == initial else None
    )
    await phone.sync.now()
    rows = {row.message_cid: row for row in phone.sync.unsettled()}
    assert rows[initial].state is State.REFUSED
    assert (rows[cid_of(update)].state, rows[cid_of(update)].code) == (State.WAITING, 401)
    assert first["recordId"] in rows[cid_of(update)].detail
    del world.network.faults["/a"]
    world.clock.ahead += 24 * 3600 * 1_000_000
    assert (await phone.sync.now()).ok
    assert world.held(phone.dwn) == world.held(other.dwn)
    assert phone.sync.unsettled() == []


async def test_a_delete_waits_for_the_initial_write_that_cannot_be_read_yet(world: World) -> None:
    world.set_endpoints("/a")
    other, phone = await world.device("other"), await world.device()
    message = await other.write()
    gone = await other.delete(message)
    await other.sync.now()
    initial = cid_of(message)

    def unreadable(kind: str, asked: dict) -> Answer | None:
        return reply_of(500, "oops") if asked["descriptor"].get("messageCid") == initial else None

    world.network.faults["/a"] = unreadable
    await phone.sync.now()
    rows = {row.message_cid: row for row in phone.sync.unsettled()}
    assert rows[initial].state is State.REFUSED
    assert rows[cid_of(gone)].state is State.WAITING
    assert message["recordId"] in rows[cid_of(gone)].detail
    del world.network.faults["/a"]
    world.clock.ahead += 3600 * 1_000_000
    assert (await phone.sync.now()).ok
    assert world.held(phone.dwn) == world.held(other.dwn)
    assert phone.sync.unsettled() == []


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


async def test_data_of_a_wrong_message_does_not_keep_its_connection(world: World) -> None:
    world.set_endpoints("/a")
    other, phone = await world.device("other"), await world.device()
    await other.write(bytes(100_000))
    assert (await other.sync.now()).ok
    open_bodies: set[object] = set()
    real = world.network.request

    class Watched(HttpResponse):
        def __init__(self, response) -> None:
            self.url, self.status, self._response = response.url, response.status, response
            self.headers = {
                name: value.replace('"dataFormat":', '"dataForma":') for name, value in response.headers.items()
            }

        async def chunks(self):
            open_bodies.add(self)
            try:
                async for chunk in self._response.chunks():
                    yield chunk
            finally:
                open_bodies.discard(self)

        async def close(self) -> None:
            await self._response.close()
            open_bodies.discard(self)

    begun = []

    async def watching(method, url, **more):
        response = await real(method, url, **more)
        if "dwn-response" not in response.headers:
            return response
        begun.append(Watched(response))
        open_bodies.add(begun[-1])
        return begun[-1]

    world.network.request = watching  # type: ignore[method-assign]
    await phone.sync.now()
    (row,) = phone.sync.unsettled()
    assert "BadReply: asked for message" in row.detail
    assert len(begun) == 1
    assert open_bodies == set()


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


async def test_a_newer_message_that_is_only_in_the_page_is_taken_at_once(world: World) -> None:
    """Written between the listing and the page: without it the record would be invisible until the next round."""
    await seeded(world, 20, "/a")
    world.set_endpoints("/a")
    other, phone = await world.device("other"), await world.device()
    first = next(iter(await world.contents(other.dwn)))
    stored = await other.dwn.read_stored(world.alice.did, first_cid(world, other, first))
    assert stored
    once = asyncio.Event()

    async def meanwhile(node: str, kind: str) -> None:
        if kind == "RecordsQuery" and not once.is_set():
            once.set()
            await other.write(b"newest", existing=stored.message)
            await other.sync.now("push")

    world.network.on_request = meanwhile
    await phone.sync.now()
    assert (await world.contents(phone.dwn))[first] == b"newest"
    world.network.reset()
    assert (await phone.sync.now()).ok
    assert set(world.network.counts) == {("/a", "MessagesQuery")}


def first_cid(world: World, device, record_id: str) -> str:
    store = device.dwn.store
    return store.record(store.tenant(world.alice.did), record_id)[0].cid


async def test_nobody_waits_for_a_visit_that_has_fetched_while_something_was_refused(world: World) -> None:
    """Nothing comes by time here, so that whoever waits for what has ended waits for ever."""
    await seeded(world, 1, "/a", "/b")
    phone = await world.device()
    await phone.write(b"of the phone")
    fetching: list[str] = []
    sending, fetched = asyncio.Event(), asyncio.Event()

    async def one_fetches_while_the_other_sends(node: str, kind: str) -> None:
        if kind == "MessagesRead":
            fetching.append(node)
            await sending.wait()
        if kind == "RecordsWrite" and node in fetching:
            fetched.set()
        elif kind == "RecordsWrite":
            sending.set()
            await fetched.wait()

    def refused_by_the_other(node: str) -> Fault:
        return lambda kind, _: reply_of(400, "X: no") if kind == "RecordsWrite" and node not in fetching else None

    world.network.on_request = one_fetches_while_the_other_sends
    world.network.faults = {node: refused_by_the_other(node) for node in ("/a", "/b")}
    async with asyncio.timeout(60):
        await phone.sync.now()
    assert len(fetching) == 1
