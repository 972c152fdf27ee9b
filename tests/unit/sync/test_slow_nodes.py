"""One node never holds up another, whatever it is slow at."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sync.world import HOST, Answer, Device, World, cid_of
from tests.watch import until
from web5 import patience
from web5.dwn import compose
from web5.sync import Activity
from web5.sync.plan.budget import PATIENCE

A, B = f"{HOST}/a", f"{HOST}/b"


@pytest.fixture
async def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(patience, "NAP", 0.01)
    monkeypatch.setattr(patience, "BESIDE", 0.02)
    return await World.make(tmp_path)


class Silent:
    """A node that answers nothing until it is opened."""

    def __init__(self, world: World, node: str, *kinds: str) -> None:
        self.asked = 0
        self._node, self._kinds = node, kinds
        self._open = asyncio.Event()
        world.network.on_request = self._wait

    def open(self) -> None:
        self._open.set()

    async def _wait(self, node: str, kind: str) -> None:
        if node == self._node and (not self._kinds or kind in self._kinds):
            self.asked += 1
            await self._open.wait()


Ask = Callable[[Device, dict[str, Any]], Awaitable[Any]]

ASKS: dict[str, Ask] = {
    "now": lambda device, message: device.sync.now(),
    "check": lambda device, message: device.sync.check(),
    "send": lambda device, message: device.sync.send(device.world.alice.did, cid_of(message)),
    "retry": lambda device, message: device.sync.retry(),
}


@pytest.mark.parametrize("ask", ASKS)
async def test_what_is_asked_for_is_back_with_what_the_others_did(world: World, ask: str) -> None:
    phone = await world.device()
    message = await phone.write()
    silent = Silent(world, "/b")
    found = await asyncio.wait_for(ASKS[ask](phone, message), 10)
    ends = found.endpoints if ask in ("now", "retry") else found
    a, b = sorted(ends, key=lambda end: end.endpoint)
    assert (a.endpoint, b.endpoint) == (A, B)
    if ask == "send":
        assert a.accepted and not b.accepted and b.detail.startswith("TimedOut")
    else:
        assert a.error is None and b.error is not None and b.error[1].startswith("TimedOut")
    if ask in ("now", "retry"):
        assert not found.ok and found.pushed == 1
    assert (cid_of(message) in world.held(world.remotes["/a"])) == (ask != "check")
    silent.open()
    if ask != "check":  # what was begun goes on
        await until(lambda: cid_of(message) in world.held(world.remotes["/b"]))
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []


async def test_retry_at_one_endpoint_asks_and_waits_for_no_other(world: World) -> None:
    phone = await world.device()
    await phone.sync.now()
    silent = Silent(world, "/b")
    await phone.write()
    report = await asyncio.wait_for(phone.sync.retry(endpoint="HTTP://Nodes:80/a/"), 10)
    assert report.ok and [(end.endpoint, end.pushed) for end in report.endpoints] == [(A, 1)]
    assert silent.asked == 0


async def test_who_gets_on_is_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BESIDE", 5.0)
    phone = await world.device()
    messages = [await phone.write(b"%d" % number) for number in range(20)]

    async def late(node: str, kind: str) -> None:
        if node == "/b":
            await asyncio.sleep(0.02)

    world.network.on_request = late
    assert (await phone.sync.now()).ok
    assert world.held(world.remotes["/b"]) == {cid_of(message) for message in messages}


async def test_stop_ends_what_was_not_waited_for(world: World) -> None:
    phone = await world.device()
    message = await phone.write()
    silent = Silent(world, "/b")
    await asyncio.wait_for(phone.sync.send(world.alice.did, cid_of(message)), 10)
    await asyncio.wait_for(phone.sync.now(), 10)
    assert {status.endpoint: status.activity for status in phone.sync.status()}[B] is Activity.SYNCING
    await phone.sync.stop()
    silent.open()
    assert world.network.in_flight["/b"] == 0
    assert not world.held(world.remotes["/b"])


async def test_a_visit_that_is_ended_before_it_began_is_no_visit(world: World) -> None:
    phone = await world.device()
    await phone.sync.now()
    phone.sync._links.get(world.alice.did, A).visit(phone.sync._links.get(world.alice.did, A)._wanted.__class__.ALL)
    await phone.sync.stop()
    assert (await asyncio.wait_for(phone.sync.now(), 10)).ok


async def test_rounds_do_not_pile_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "BESIDE", 60.0)
    phone = await world.device()
    started = 0

    def count(event: Any) -> None:
        nonlocal started
        started += event.kind == "started"

    phone.sync.listeners.append(count)
    silent = Silent(world, "/b")
    await phone.sync.start("1s")
    await until(lambda: silent.asked)
    for number in range(20):
        message = await phone.write(b"%d" % number)
        slept = len(world.clock.sleeping)
        world.clock.wake()
        phone.sync.wake()
        await until(lambda slept=slept: len(world.clock.sleeping) > slept)
        await until(lambda message=message: cid_of(message) in world.held(world.remotes["/a"]))
    assert (started, silent.asked) == (1, 1)
    silent.open()
    await until(lambda: world.held(world.remotes["/b"]) == world.held(phone.dwn))
    await phone.sync.stop()


# -- what is asked of a slow node is asked of a quick one --------------------------------------------------------------


async def many(world: World, number: int = 40) -> tuple[Device, set[str]]:
    laptop = await world.device("laptop")
    for one in range(number):
        await laptop.write(b"%d" % one)
    assert (await laptop.sync.now()).ok
    world.network.reset()
    return await world.device("phone"), world.held(laptop.dwn)


@pytest.mark.parametrize("seconds", [PATIENCE * 0.9, 1.0])
async def test_a_node_that_gives_too_little_is_not_asked_alone(world: World, seconds: float) -> None:
    """However regularly something comes from it."""
    phone, wanted = await many(world, 9)  # too few for pages
    asked, turn, given = asyncio.Event(), asyncio.Lock(), 0

    async def trickle(node: str, kind: str) -> None:
        nonlocal given
        if (node, kind) == ("/b", "MessagesQuery"):
            await asked.wait()
        if (node, kind) == ("/a", "MessagesRead"):
            asked.set()
            async with turn:
                b = phone.sync._links.get(world.alice.did, B)
                await until(lambda: len(world.held(phone.dwn)) >= given)
                await until(lambda: world.clock.sleepers or not b.visiting)
                world.clock.ahead += int(seconds * 1_000_000)
                given += 1
                world.clock.wake()
                await asyncio.sleep(0)

    world.network.on_request = trickle
    assert (await asyncio.wait_for(phone.sync.now(), 20)).pulled == len(wanted)
    assert world.held(phone.dwn) == wanted
    assert world.network.counts["/b", "MessagesRead"] >= 3
    await phone.sync.stop()
    assert given < len(wanted)


async def test_pages_that_one_node_does_not_give_another_gives(world: World) -> None:
    phone, wanted = await many(world)
    silent, held_back = asyncio.Event(), asyncio.Event()

    async def wait(node: str, kind: str) -> None:
        if node == "/b" and kind == "MessagesQuery":
            await held_back.wait()
        if (node, kind) in (("/a", "RecordsQuery"), ("/a", "ProtocolsQuery")):
            held_back.set()
            await silent.wait()

    world.network.on_request = wait
    running = asyncio.ensure_future(phone.sync.now())
    await until(lambda: world.clock.sleepers)
    world.clock.ahead += int((PATIENCE + 1) * 1_000_000)
    world.clock.wake()
    await until(lambda: world.held(phone.dwn) == wanted)
    silent.set()
    await running
    await until(lambda: not phone.sync._links.get(world.alice.did, A).visiting)
    assert world.network.counts["/a", "RecordsQuery"] <= 1  # what another has taken over it is not asked for any more
    assert world.network.counts["/a", "MessagesRead"] <= 1  # whether it still has what it has listed
    assert phone.sync.unsettled() == []


# -- answers that do not end -------------------------------------------------------------------------------------------


def page_of(reply: dict[str, Any]) -> Answer:
    body = {"jsonrpc": "2.0", "id": "1", "result": {"reply": {"status": {"code": 200, "detail": "OK"}, **reply}}}
    return Answer(200, json.dumps(body).encode())


@pytest.fixture
async def pages(world: World) -> AsyncIterator[list[Any]]:
    """The entries of a page of what Alice has at "/a"."""
    laptop = await world.device("laptop")
    for number in range(12):
        await laptop.write(b"%d" % number)
    await laptop.sync.now()
    date = {"from": "1970-01-01T00:00:00.000000Z"}
    query = await compose.records_query(world.alice.signer, world.clock, filter={"dateCreated": date})
    yield (await world.remotes["/a"].process_message(world.alice.did, query))["entries"]


@pytest.mark.parametrize("given", ["all", "nothing", "one at a time", "none that can be used"])
async def test_a_walk_of_pages_ends(world: World, pages: list[Any], given: str) -> None:
    """However the node goes on with its cursor."""
    world.set_endpoints("/a")
    asked = 0

    def fault(kind: str, message: dict[str, Any]) -> Answer | None:
        nonlocal asked
        if kind != "RecordsQuery":
            return None
        asked += 1
        entries = {
            "all": pages,
            "nothing": [],
            "one at a time": [pages[asked % len(pages)]],
            "none that can be used": [{**pages[0], "encodedData": "AAAA"}, *pages[1:2]],
        }[given]
        return page_of({"entries": entries, "cursor": {"messageCid": f"x{asked}", "value": "y"}})

    world.network.faults["/a"] = fault
    phone = await world.device()
    assert (await asyncio.wait_for(phone.sync.now(), 20)).ok
    assert world.held(phone.dwn) == world.held(world.remotes["/a"])
    assert asked <= len(pages) + 2
