"""Visits that end in a fault of this program, and endpoints that contradict themselves.

The number is the invariant of `web5.sync.exchange.visit`.
"""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.world import HOST, Answer, Device, Message, World, cid_of, reply_of
from tests.watch import Watch
from web5.node.limits import Usage
from web5.sync import Activity, EndpointStatus, State
from web5.sync.exchange import peer
from web5.sync.exchange.taking.applying import Applying
from web5.sync.exchange.visit import AUDIT_SECONDS
from web5.sync.plan.pull import ReorderBuffer

A = f"{HOST}/a"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


class Bug(Exception):
    """An error that no part of sync knows."""


def crashing(*kinds: str):
    """A fault of `Network.faults` for requests of these kinds."""

    def crash(kind: str, message: Message) -> Answer | None:
        if kind in kinds:
            raise Bug("a bug")
        return None

    return crash


def status(device: Device, node: str = "/a") -> EndpointStatus:
    return next(one for one in device.sync.status() if one.endpoint == f"{HOST}{node}")


@pytest.mark.parametrize("kind", ["MessagesQuery", "RecordsWrite"])
async def test_5_a_crash_is_a_failure_that_is_seen_and_settles_nothing(world: World, kind: str) -> None:
    phone = await world.device()
    message = await phone.write()
    world.network.faults["/a"] = crashing(kind)
    with pytest.raises(Bug):
        await phone.sync.now()
    found = status(phone)
    assert (found.last_error, found.last_success, found.pending_out) == ((0, "Bug: a bug"), None, 1)
    assert found.activity is Activity.FAILING
    assert (status(phone, "/b").last_error, status(phone, "/b").pending_out) == (None, 0)
    (row,) = phone.sync.unsettled()
    assert (row.endpoint, row.message_cid, row.state) == (A, cid_of(message), State.PENDING)
    assert row.detail == "Bug: a bug"
    phone.database.connection.close()

    again = await world.device()
    assert status(again).last_error == (0, "Bug: a bug")
    world.network.faults.clear()
    report = await again.sync.now()
    assert report.ok and report.pushed == 1
    assert status(again).last_error is None
    assert again.sync.unsettled() == []


async def test_5_a_crash_while_messages_are_fetched_leaves_them_pending(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device("phone")
    messages = [await laptop.write(b"%d" % number) for number in range(3)]
    await laptop.sync.now()
    world.set_endpoints("/a")
    world.network.faults["/a"] = crashing("MessagesRead")
    with pytest.raises(ExceptionGroup) as caught:
        await phone.sync.now()
    assert caught.group_contains(Bug)
    assert status(phone).last_error == (0, "Bug: a bug")
    assert {row.message_cid for row in phone.sync.unsettled()} == {cid_of(message) for message in messages}
    world.network.faults.clear()
    assert (await phone.sync.now()).pulled == 3
    assert phone.sync.unsettled() == []


async def test_5_live_a_crash_is_retried_by_itself(world: World, caplog: pytest.LogCaptureFixture) -> None:
    phone = await world.device()
    watch = Watch(phone)
    await phone.sync.now()
    await phone.sync.start("live")
    await watch.until(lambda: status(phone).activity is status(phone, "/b").activity is Activity.LIVE)
    world.network.faults["/a"] = crashing("RecordsWrite")
    with caplog.at_level(logging.ERROR):
        message = await phone.write()
        await watch.until(lambda: status(phone).activity is Activity.FAILING)
    assert f"a visit to {A} failed" in caplog.text
    assert status(phone).last_error == (0, "Bug: a bug")
    assert status(phone).next_try
    world.network.faults.clear()
    world.clock.wake()
    await watch.until(lambda: not phone.sync.unsettled())
    assert cid_of(message) in world.held(world.remotes["/a"])
    assert (await phone.sync.now()).ok  # what was retried since is not raised any more
    await phone.sync.stop()


async def test_lists_that_a_node_cuts_short_are_read_to_their_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Usage, "room", lambda self, address: 5 * 62)
    monkeypatch.setattr(peer, "LONG", 5)
    phone, laptop = await world.device("phone"), await world.device("laptop")
    messages = [await phone.write(b"%d" % number) for number in range(23)]
    await phone.sync.now()
    await laptop.sync.now()
    assert world.held(laptop.dwn) == {cid_of(message) for message in messages}
    for _ in range(2):  # and nothing looks lost when everything is listed again
        world.clock.ahead += (AUDIT_SECONDS + 1) * 1_000_000
        world.network.reset()
        assert (await phone.sync.now()).ok
        assert world.network.counts["/a", "MessagesQuery"] >= 5
        assert world.network.counts["/a", "RecordsWrite"] == 0
    monkeypatch.setattr(peer, "MOST_PAGES", 3)
    world.clock.ahead += (AUDIT_SECONDS + 1) * 1_000_000
    assert not (await phone.sync.now()).ok
    assert "does not end" in (status(phone).last_error or (0, ""))[1]


def listings(answers: list[list[str]]):
    """A fault of `Network.faults`: each listing from a cursor is the next of these, in turn."""
    asked = 0

    def fault(kind: str, message: Message) -> Answer | None:
        nonlocal asked
        if kind != "MessagesQuery" or "cursor" not in message["descriptor"]:
            return None
        asked += 1
        listed = answers[asked % len(answers)]
        cursor = {"messageCid": listed[-1] if listed else "none", "value": f"{asked}"}
        reply = {"status": {"code": 200, "detail": "OK"}, "entries": listed, "cursor": cursor}
        return Answer(200, json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"reply": reply}}).encode())

    return fault


@pytest.mark.parametrize("answers", [[[0], [1, 0]], [[1], []]])
async def test_a_node_that_contradicts_itself_is_not_asked_for_everything_time_and_again(
    world: World, answers: list[list[int]]
) -> None:
    """Invariant 6: it reorders its log at every listing, or says to have lost its end and then has it."""
    phone = await world.device()
    cids = [cid_of(await phone.write(b"%d" % number)) for number in range(40)]
    await phone.sync.now()
    world.network.faults["/a"] = listings([[cids[number] for number in answer] for answer in answers])
    world.network.reset()
    for _ in range(30):
        await phone.sync.now()
    everything = sum(
        "cursor" not in message["descriptor"] for _, kind, message in world.network.sent if kind == "MessagesQuery"
    )
    assert everything < 8
    assert world.network.counts["/a", "RecordsWrite"] == 0
    # What it has really lost later on is noticed all the same.
    world.network.faults.clear()
    world.clock.ahead += 700_000_000
    await world.replace("/a")
    await phone.sync.now()
    assert world.held(world.remotes["/a"]) == set(cids)


async def test_a_cursor_that_a_node_will_not_take_any_more_is_given_up(world: World) -> None:
    world.set_endpoints("/a")
    laptop, phone = await world.device("laptop"), await world.device("phone")
    cids = {cid_of(await laptop.write(b"%d" % number)) for number in range(3)}
    cursor = {"no": "cursor of the engine"}
    answer = {"status": {"code": 200, "detail": "OK"}, "entries": [*cids], "cursor": cursor}
    reply = Answer(200, json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"reply": answer}}).encode())
    await laptop.sync.now()
    world.network.faults["/a"] = lambda kind, _: reply if kind == "MessagesQuery" else None
    await phone.sync.now()
    world.network.faults.clear()
    more = cid_of(await laptop.write(b"more"))
    assert (await laptop.sync.now()).ok
    assert (await phone.sync.now()).ok
    assert world.held(phone.dwn) == cids | {more}
    assert (await phone.sync.now()).ok  # the last listing is asked for again from where it began: by that cursor
    world.network.reset()
    assert (await phone.sync.now()).ok
    asked = [message["descriptor"] for _, kind, message in world.network.sent if kind == "MessagesQuery"]
    assert asked and all(one.get("cursor") != cursor for one in asked)


async def test_a_node_that_gave_nothing_for_a_while_is_asked_again_some_minutes_later(world: World) -> None:
    """Invariant 6: what it was asked for at once, and did not give, is no debt of an hour."""
    world.set_endpoints("/a")
    laptop, phone = await world.device("laptop"), await world.device("phone")
    cids = {cid_of(await laptop.write(b"%d" % number)) for number in range(15)}
    await laptop.sync.now()
    denied = {"MessagesRead", "RecordsQuery"}
    world.network.faults["/a"] = lambda kind, _: reply_of(404, "Not Found") if kind in denied else None
    for _ in range(3):
        await phone.sync.now()
        world.clock.ahead += 10_000_000
    assert not cids & world.held(phone.dwn)
    assert world.network.counts["/a", "MessagesRead"] <= 15
    world.network.faults.clear()
    world.clock.ahead += 360_000_000
    await phone.sync.now()
    assert len(cids & world.held(phone.dwn)) >= 10
    world.clock.ahead += int(AUDIT_SECONDS * 1_000_000) + 1_000_000  # when what it denied is listed again
    await phone.sync.now()
    assert world.held(phone.dwn) == cids


async def test_an_initial_write_that_comes_while_its_update_is_being_applied_brings_that_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.set_endpoints("/a")
    laptop = await world.device("laptop")
    note = await laptop.write(b"first")
    await laptop.write(b"second", existing=note)
    assert (await laptop.sync.now()).ok
    came, check, add = asyncio.Event(), Applying.check, ReorderBuffer.add

    def note_that_it_came(self: Any, candidate: Any) -> Any:
        found = add(self, candidate)
        if candidate.cid == cid_of(note):
            came.set()
        return found

    held = asyncio.Event()

    reads = iter(["the initial write", "the update"])

    async def update_first(node: str, kind: str) -> None:
        if kind == "MessagesRead" and next(reads) == "the initial write":
            await held.wait()

    async def check_later(self: Any, tenant: str, batches: Any, source: str) -> Any:
        held.set()
        await came.wait()  # as where the author has to be resolved first
        return await check(self, tenant, batches, source)

    world.network.on_request = update_first
    monkeypatch.setattr(Applying, "check", check_later)
    monkeypatch.setattr(ReorderBuffer, "add", note_that_it_came)
    phone = await world.device("phone")
    assert (await phone.sync.now("pull")).complete
    assert await world.contents(phone.dwn) == await world.contents(laptop.dwn)
