"""What can go wrong with a message that is fetched, and what becomes of it then."""

import asyncio
import json
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, Fault, World, cid_of, reply_of, seeded, unreachable
from web5.dwn import compose
from web5.ports.http import HttpResponse
from web5.sync import State

A, B = f"{HOST}/a", f"{HOST}/b"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


def by_endpoint(device):
    return {status.endpoint: status for status in device.sync.status()}


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
