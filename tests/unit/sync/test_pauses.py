"""Nodes that ask for a pause get it, from all of sync."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, Device, Message, World, cid_of, reply_of
from tests.watch import until
from web5.dwn.values.timestamps import microseconds
from web5.sync import Activity, EndpointStatus, State

A = f"{HOST}/a"
HOUR = 3600 * 1_000_000


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


def status(device: Device, node: str = "/a") -> EndpointStatus:
    return next(one for one in device.sync.status() if one.endpoint == f"{HOST}{node}")


@pytest.mark.parametrize("code", [429, 503])
async def test_an_endpoint_is_not_asked_before_the_time_that_it_said(world: World, code: int) -> None:
    other = await world.identity("/a")
    phone = await world.device("phone", world.alice, other)
    message = await phone.write()
    await phone.write(identity=other)
    world.network.faults["/a"] = lambda kind, _: Answer(code, b"slow down", {"retry-after": "3600"})
    for _ in range(59):
        await phone.sync.now()
        await phone.sync.retry()
        await phone.sync.check()
        await phone.sync.send(world.alice.did, cid_of(message))
        world.clock.ahead += HOUR // 60
    # Of both tenants, each may have been on its way before the first answer.
    assert world.network.total("/a") <= 2
    assert cid_of(message) in world.held(world.remotes["/b"])
    found = status(phone)
    assert found.reachable and found.activity is Activity.FAILING
    assert found.last_error is not None and found.last_error[0] == code
    assert found.next_try is not None and 0 <= microseconds(found.next_try) - world.clock.now() <= HOUR // 60
    [row] = phone.sync.unsettled(world.alice.did)
    assert (row.state, row.code) == (State.BLOCKED, code)
    assert row.next_try is not None and abs(row.next_try - found.next_try) <= timedelta(seconds=1)
    world.network.faults.clear()
    world.clock.ahead += HOUR // 60 + 1_000_000
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []


async def test_a_pause_in_the_middle_of_a_visit_holds_at_once_and_costs_the_messages_nothing(world: World) -> None:
    phone = await world.device()
    for number in range(30):
        await phone.write(b"%d" % number)
    taken = 0

    def fault(kind: str, message: Message) -> Answer | None:
        nonlocal taken
        taken += kind == "RecordsWrite"
        return reply_of(429, "slowly") if taken > 10 else None

    world.network.faults["/a"] = fault
    await phone.sync.now()
    assert world.network.counts["/a", "RecordsWrite"] <= 16  # six are under way at a time
    world.network.faults.clear()
    world.clock.ahead += 31 * 1_000_000
    assert (await phone.sync.now()).ok
    assert phone.sync.unsettled() == []


async def test_live_too_an_endpoint_is_visited_when_its_pause_is_over(world: World) -> None:
    phone = await world.device()
    world.network.faults["/a"] = lambda kind, _: Answer(429, b"slow down", {"retry-after": "600"})
    phone.remote.without.add("/a")
    await phone.sync.start("live")
    await until(lambda: phone.sync.status()[0].next_try)
    asked = world.network.total("/a")
    for _ in range(5):
        world.clock.ahead += 100 * 1_000_000
        slept = len(world.clock.sleeping)
        world.clock.wake()
        await until(lambda slept=slept: len(world.clock.sleeping) > slept and not status(phone).syncing)
    assert world.network.total("/a") == asked == 1
    world.network.faults.clear()
    world.clock.ahead += 101 * 1_000_000
    world.clock.wake()
    await until(lambda: status(phone).last_error is None)
    await phone.sync.stop()


async def test_a_pause_outlives_the_process(world: World) -> None:
    world.set_endpoints("/a")
    phone = await world.device()
    world.network.faults["/a"] = lambda kind, _: Answer(429, b"slow down", {"retry-after": "3600"})
    await phone.sync.now()
    phone.database.connection.close()
    world.network.faults.clear()
    world.network.reset()
    again = await world.device()
    world.clock.ahead += HOUR - 60 * 1_000_000
    assert not (await again.sync.now()).ok
    assert world.network.total("/a") == 0
    world.clock.ahead += 61 * 1_000_000
    assert (await again.sync.now()).ok


async def test_a_pause_that_a_clock_ahead_noted_is_not_gone_on_with(world: World) -> None:
    phone = Device(world, world.folder / "phone")
    phone.clock.ahead = 3 * HOUR
    await phone.open(world.alice)
    assert (await phone.sync.now()).ok
    world.network.faults["/a"] = lambda kind, _: Answer(429, b"slow down", {"retry-after": "60"})
    await phone.sync.now()
    await phone.sync.close()
    phone.database.connection.close()
    world.network.faults.clear()
    again = await world.device()
    assert (await again.sync.now()).ok
