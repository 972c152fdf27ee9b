"""Runs of sync, by request and by interval."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.sync.world import Device, World, cid_of
from tests.watch import until
from web5.errors import InvalidArgument


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


class Runs:
    """Waits for runs to end."""

    def __init__(self, device: Device) -> None:
        self.started = 0
        self.reports: list[object] = []
        self._changed = asyncio.Event()
        device.sync.listeners.append(self._take)

    def _take(self, event) -> None:
        self.started += event.kind == "started"
        if event.kind == "finished":
            self.reports.append(event.report)
            self._changed.set()

    async def wait_for(self, count: int) -> None:
        async with asyncio.timeout(30):
            while len(self.reports) < count:
                self._changed.clear()
                await self._changed.wait()


async def test_start_runs_now_and_after_every_interval_until_stop(world: World) -> None:
    phone = await world.device()
    runs = Runs(phone)
    first = await phone.write()
    await phone.sync.start("2m")
    assert phone.sync.interval == "2m"
    await runs.wait_for(1)
    assert cid_of(first) in world.held(world.remotes["/a"])
    await until(lambda: world.clock.sleeping == [120.0])
    second = await phone.write()
    world.clock.wake()
    await runs.wait_for(2)
    assert cid_of(second) in world.held(world.remotes["/a"])
    await until(lambda: len(world.clock.sleeping) == 2)
    await phone.sync.stop()
    assert phone.sync.interval == "off"
    await until(lambda: world.clock.sleepers == 0)
    assert len(runs.reports) == 2


async def test_starting_again_replaces_the_interval_and_off_ends_it(world: World) -> None:
    phone = await world.device()
    runs = Runs(phone)
    await phone.sync.start("1h")
    await runs.wait_for(1)
    await until(lambda: world.clock.sleeping == [3600.0])
    await phone.sync.start("30s")
    await runs.wait_for(2)
    await until(lambda: world.clock.sleeping == [3600.0, 30.0])
    await phone.sync.start("off")
    assert phone.sync.interval == "off"
    await until(lambda: world.clock.sleepers == 0)
    assert len(runs.reports) == 2


async def test_a_wrong_interval_changes_nothing(world: World) -> None:
    phone = await world.device()
    await phone.sync.start("1h")
    with pytest.raises(InvalidArgument):
        await phone.sync.start("soon")
    assert phone.sync.interval == "1h"
    await phone.sync.stop()


async def test_long_intervals_are_slept_in_days(world: World) -> None:
    phone = await world.device()
    await phone.sync.start("2.5 days")
    for count in (1, 2, 3):
        await until(lambda count=count: len(world.clock.sleeping) == count)
        world.clock.wake()
    assert world.clock.sleeping[:3] == [86400.0, 86400.0, 43200.0]
    await phone.sync.stop()


async def test_calls_during_a_run_share_the_next_visits(world: World) -> None:
    phone = await world.device()
    reached, gate = asyncio.Event(), asyncio.Event()

    async def hold(node: str, kind: str) -> None:
        reached.set()
        await gate.wait()

    world.network.on_request = hold
    runs = Runs(phone)
    first = asyncio.ensure_future(phone.sync.now())
    await reached.wait()
    message = await phone.write()
    others = [asyncio.ensure_future(phone.sync.now(direction)) for direction in (None, "pull", "push", None)]
    await until(lambda: runs.started == 5)
    world.network.on_request = None
    gate.set()
    assert all(report.ok for report in await asyncio.gather(first, *others))
    assert world.network.counts["/a", "MessagesQuery"] == 2
    assert world.network.counts["/a", "RecordsWrite"] == 1
    assert cid_of(message) in world.held(world.remotes["/a"])


async def test_a_slow_endpoint_does_not_hold_up_the_next_run_of_the_other(world: World) -> None:
    phone = await world.device()
    gate, reached = asyncio.Event(), asyncio.Event()

    async def slow(node: str, kind: str) -> None:
        if node == "/a":
            reached.set()
            await gate.wait()

    world.network.on_request = slow
    first = asyncio.ensure_future(phone.sync.now())
    await reached.wait()
    message = await phone.write()
    second = asyncio.ensure_future(phone.sync.now())
    await until(lambda: cid_of(message) in world.held(world.remotes["/b"]))
    assert not first.done() and not second.done()
    gate.set()
    assert (await first).ok and (await second).ok


async def test_wake_runs_sync_only_while_it_is_on(world: World) -> None:
    phone = await world.device()
    runs = Runs(phone)
    phone.sync.wake()
    await phone.sync.now()
    assert runs.started == len(runs.reports) == 1  # one that was woken would have started before
    await phone.sync.start("1h")
    await runs.wait_for(2)
    message = await phone.write()
    phone.sync.wake(world.alice.did)
    await runs.wait_for(3)
    assert cid_of(message) in world.held(world.remotes["/a"])
    await phone.sync.stop()


async def test_a_run_that_raises_is_raised_to_who_asked_and_ends_nothing_else(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone = await world.device()

    async def broken(tenants: object) -> None:
        raise RuntimeError("a fault")

    with monkeypatch.context() as patched:
        patched.setattr(phone.sync._links, "refresh_with_timeout", broken)
        with pytest.raises(RuntimeError, match="a fault"):
            await phone.sync.now()
    assert (await phone.sync.now()).ok


async def test_stop_without_anything_running_and_twice(world: World) -> None:
    phone = await world.device()
    await phone.sync.stop()
    await phone.sync.stop()
    await phone.sync.close()
    await phone.write()
    (status,) = phone.sync.status()
    assert (status.endpoint, status.pending_out) == ("", 0)


async def test_a_reader_of_events_that_falls_behind_gets_the_newest(world: World) -> None:
    phone = await world.device()
    events = phone.sync.events()
    first = asyncio.ensure_future(anext(events))
    await until(lambda: phone.sync.listeners)
    for _ in range(100):
        await phone.sync.now()
    assert (await first).kind == "started"
    last = None
    for _ in range(256):
        last = await anext(events)
    assert last is not None and last.kind == "finished"
    await events.aclose()
