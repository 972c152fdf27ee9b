"""Two reference dwn-servers behind a network with every fault: whatever happens, all hold the same in the end."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.sync.devices import Device
from tests.interop.sync.faulty_proxy import FAULTS, WIRES, Exchange, Fate, FaultyProxy, passes
from tests.interop.sync.setting import Setting
from tests.unit.sync.world import TestClock
from tests.watch import Watch
from web5.dwn.wire import rpc
from web5.sync import Activity

pytestmark = pytest.mark.asyncio(loop_scope="session")

SEEDS = (4, 5)
MINUTE, HOUR = 60, 3600
PATIENCE = 60
"""Seconds for what happens at once, on a machine that does other things too."""

A_FEW_FAULTS = 50
"""Rounds after which everything has got through a network with faults."""

FEW = 8
"""Rounds after which everything is the same. A message may wait for another, and that for another."""

PROTOCOL = {
    "protocol": "https://threads.example",
    "published": False,
    "types": {"thread": {}, "reply": {}},
    "structure": {"thread": {"reply": {}}},
}


class Stage(Setting):
    """Both servers behind proxies, and devices whose time passes when the test says so."""

    def __init__(self, folder: Path, gateway: str, servers: list[ReferenceDwnServer], ways: list[FaultyProxy]) -> None:
        super().__init__(folder, gateway, *servers)
        self.servers = servers
        self.ways = ways
        self.clock = TestClock()
        self._opened: list[Device] = []
        for way in ways:
            way.on_late = self._time_out

    def open(self, name: str) -> Device:
        device = self.device(name, clock=self.clock)
        self._opened.append(device)
        return device

    def _time_out(self, id: rpc.Id) -> None:
        for device in self._opened:
            device.http.time_out(id)

    async def pass_time(self, seconds: int, *devices: Device) -> None:
        """Let time pass, and return when the round that follows has ended at each device."""
        rounds = [device.next_round() for device in devices]
        self.clock.ahead += seconds * 1_000_000
        self.clock.wake()
        await asyncio.gather(*rounds)

    def befell(self) -> Counter[str]:
        return sum((way.befell for way in self.ways), Counter())

    async def kill_in_a_write(self, number: int, device: Device, author: Author) -> None:
        """Kill a server between storing a message and listing it. Nothing else is under way there."""
        for _ in range(A_FEW_FAULTS):
            await self.pass_time(HOUR, *self._opened)
            if not any(one.sync.unsettled() for one in self._opened):
                break
        assert not any(one.sync.unsettled() for one in self._opened)
        server = self.servers[number]
        await server.die_before("append")
        await author.write(device)
        while server.is_alive:
            await self.pass_time(5 * MINUTE, *self._opened)
        await server.restart()

    async def settle(self, *devices: Device, unlisted: Sequence[int] = (0, 0)) -> None:
        """Let the faults end, and return when everything is the same everywhere.

        Parameters:
            unlisted: how many messages each server holds that it does not list, because it was killed in a write.
        """
        for way in self.ways:
            await way.calm()
        for _ in range(FEW):
            await self.pass_time(HOUR, *devices)
            if not any(device.sync.unsettled() for device in devices) and await self._are_the_same(*devices):
                break
        for device in devices:
            assert device.sync.unsettled() == []
            checked = await device.sync.check()
            assert [(found.endpoint, found.same, found.unexplained) for found in checked] == [
                (way.url, True, ()) for way in self.ways
            ]
            assert [len(found.unlisted) for found in checked] == list(unlisted)
        contents = await devices[0].contents()
        for device in devices[1:]:
            assert device.held() == devices[0].held()
            assert await device.contents() == contents
        for server in self.servers:
            assert await devices[0].contents_at(server.url) == contents

    async def _are_the_same(self, *devices: Device) -> bool:
        found = [found for device in devices for found in await device.sync.check()]
        return all(one.same for one in found) and all(device.held() == devices[0].held() for device in devices)


@pytest_asyncio.fixture(loop_scope="session")
async def stage(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        ways = [
            await stack.enter_async_context(FaultyProxy(server.url, seed))
            for server, seed in zip(servers, SEEDS, strict=True)
        ]
        stage = Stage(tmp_path, gateway, servers, ways)
        await stage.create_identity(*ways)
        yield stage


def killing(kill: Callable[[], Awaitable[object]]) -> Fate:
    """Something is killed while the request is processed."""

    async def act(exchange: Exchange) -> bytes:
        asking = asyncio.ensure_future(exchange.ask())
        await asyncio.wait([asking], timeout=exchange.random.uniform(0, 0.02))
        await kill()
        return await asking

    return act


def killed_before(server: ReferenceDwnServer, way: FaultyProxy) -> Fate:
    """The server is killed when the request comes: between two writes, which would leave it as `die_before` says."""

    async def act(exchange: Exchange) -> bytes:
        async with way.between_requests():
            await server.kill()
        return await exchange.ask()

    return act


class Author:
    """Writes at several devices, and knows what must be there in the end."""

    def __init__(self) -> None:
        self.expected: dict[str, bytes] = {}
        self._number = 0

    async def write(self, device: Device, size: int = 0, **more: object) -> dict[str, object]:
        self._number += 1
        data = b"text %d" % self._number + b"." * size
        message = await device.write(data, **more)
        self.expected[message["recordId"]] = data
        return message

    async def some(self, one: Device, other: Device) -> None:
        """New records, small and large, of a thread too, and edits and deletes of those."""
        thread = await self.write(one, protocol=PROTOCOL["protocol"], protocol_path="thread", schema=None)
        await self.write(
            one,
            protocol=PROTOCOL["protocol"],
            protocol_path="thread/reply",
            parent_context_id=thread["contextId"],
        )
        large, gone = await self.write(one, 300_000), await self.write(other)
        await self.write(other, 40_000)
        await self.write(one, existing=thread)
        await self.write(one, 31_000, existing=large)
        await other.delete(gone["recordId"])
        del self.expected[gone["recordId"]]


@pytest.mark.parametrize("interval", ["2m", "live"])
async def test_all_hold_the_same_after_every_fault_and_kills_of_servers(stage: Stage, interval: str) -> None:
    author, wanted = Author(), set(FAULTS) | (set(WIRES) if interval == "live" else set())
    async with stage.open("phone") as phone, stage.open("laptop") as laptop:
        devices = phone, laptop
        for device in devices:
            await device.sync.start(interval)
        await phone.configure(PROTOCOL)
        for server, way in zip(stage.servers, stage.ways, strict=True):
            await author.some(*devices)
            way.deal(*[passes] * 5, killed_before(server, way))
            await stage.pass_time(2 * MINUTE, *devices)
            await author.write(laptop)
            await stage.pass_time(2 * MINUTE, *devices)
            await server.restart()
        await stage.kill_in_a_write(0, laptop, author)
        await stage.ways[1].refuse()
        await author.write(phone)
        await stage.pass_time(2 * MINUTE, *devices)
        await stage.ways[1].listen()
        while wanted - set(stage.befell()):
            for device in devices:
                await author.write(device)
            await stage.pass_time(5 * MINUTE, *devices)
        await stage.settle(*devices, unlisted=(1, 0))
        assert await laptop.contents() == author.expected
        if interval == "live":
            await _is_live(stage, phone, laptop)


async def _is_live(stage: Stage, one: Device, other: Device) -> None:
    """What one writes is at the other and at every node, without any time that passes."""
    watch = Watch(one, other)
    await watch.until(lambda: all(status.activity is Activity.LIVE for status in one.sync.status()), PATIENCE)
    await watch.until(lambda: all(status.activity is Activity.LIVE for status in other.sync.status()), PATIENCE)
    await one.write(b"live again")
    await watch.until(lambda: other.held() == one.held(), PATIENCE)
    await watch.until(lambda: not one.sync.unsettled() and not other.sync.unsettled(), PATIENCE)
    for server, found in zip(stage.servers, await one.sync.check(), strict=True):
        assert await one.listed_by(server.url) == one.held().difference(found.unlisted)


async def test_a_device_that_is_killed_again_and_again_while_requests_fail_loses_nothing(stage: Stage) -> None:
    author = Author()
    async with stage.open("phone") as phone:
        for number in range(60):
            await author.write(phone, 35_000 if number % 20 == 0 else 0)
        await phone.sync.start("2m")
        while phone.sync.unsettled():
            await stage.pass_time(HOUR, phone)
        await phone.sync.stop()
        written = 0
        for requests in (2, 4, 8):
            process = await stage.process("tablet", 10)
            stage.ways[requests % 2].deal(*[passes] * requests, killing(process_killer(process)))
            output, _ = await process.communicate()
            assert b"written" in output
            assert b"finished" not in output
            written += 10
        async with stage.open("tablet") as tablet:
            assert tablet.sync.unsettled()
            for device in (phone, tablet):
                await device.sync.start("2m")
            await stage.settle(phone, tablet)
            contents = await phone.contents()
            assert len(contents) == 60 + written
            assert author.expected.items() <= contents.items()


def process_killer(process: asyncio.subprocess.Process) -> Callable[[], Awaitable[object]]:
    async def kill() -> None:
        process.kill()
        await process.wait()

    return kill
