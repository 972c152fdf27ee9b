"""Changes of one DID by devices that do not hear of each other; the numbers are the invariants of documents.py."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from web5.agent.publication.attempt import Delivery, PublishAttempt
from web5.agent.publication.changes import ORDER, Change, applied, changes_between
from web5.agent.publication.documents import DOCUMENT, ENDPOINT, Documents, Wanted
from web5.cpython.crypto import CPythonCrypto
from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem, version_of
from web5.dids.dht.gateways import Answer, Answers
from web5.dids.models import PortableDid
from web5.dwn.store.database import open_memory
from web5.errors import DidError, Unreachable, Web5Error
from web5.ports.clock import SystemClock

CRYPTO = CPythonCrypto()
NODES = ["https://n0.example", "https://n1.example"]
START = 1_700_000_000


class SkewedClock(SystemClock):
    """The time of a world, as a device that is wrong by some seconds shows it."""

    def __init__(self, time: list[int], skew: int) -> None:
        super().__init__()
        self._time, self._skew = time, skew

    def now(self) -> int:
        self._time[0] += 1000
        return self._time[0] + self._skew * 1_000_000


Stored = dict[tuple[str, str, int], tuple[int, int, Any]]
"""Values with their dates and the number of who wrote them, by kind, id, and the number of who made the record."""


class Records:
    """A device's records, and those of the nodes: of two values of a record the one that is dated later counts."""

    def __init__(self, number: int, clock: SkewedClock, nodes: Stored) -> None:
        self.did = "did:dht:agent"
        self.on_change: list[Callable[[str, str], Awaitable[None]]] = []
        self.here: Stored = {}
        self._number, self._clock, self._nodes = number, clock, nodes

    def ids(self, kind: str) -> list[str]:
        return list(dict.fromkeys(id for of, id, _ in self.here if of == kind))

    async def get(self, kind: str, id: str) -> Any:
        newest = self._newest(kind, id)
        return None if newest is None else self.here[newest][2]

    async def all(self, kind: str, id: str) -> list[Any]:
        return [value for key, (_, _, value) in self.here.items() if key[:2] == (kind, id)]

    async def put(self, kind: str, id: str, value: Any) -> None:
        key = self._newest(kind, id) or (kind, id, self._number)
        before = self.here.get(key, (0, 0, None))[0]
        self.here[key] = max(self._clock.now(), before + 1), self._number, value
        await self._notify(kind, id)

    async def sync(self) -> None:
        keys = sorted({*self.here, *self._nodes})
        for key in random.Random(self._number + len(keys)).sample(keys, len(keys)):
            here, there = self.here.get(key, (0, 0, None)), self._nodes.get(key, (0, 0, None))
            self.here[key] = self._nodes[key] = max(here, there, key=lambda stored: stored[:2])
            if self.here[key] is not here:
                await self._notify(*key[:2])

    def _newest(self, kind: str, id: str) -> tuple[str, str, int] | None:
        same = [key for key in self.here if key[:2] == (kind, id)]
        return max(same, key=lambda key: self.here[key][:2], default=None)

    async def _notify(self, kind: str, id: str) -> None:
        for callback in self.on_change:
            await callback(kind, id)


@dataclass
class Gateway:
    """A gateway, as `Gateways` shows several."""

    uris: tuple[str, ...] = ("http://gateway",)
    item: SignedItem | None = None
    is_down: bool = False
    history: list[SignedItem] = field(default_factory=list)

    @property
    def preferred(self) -> str:
        return self.uris[0]

    async def survey(self, key: bytes) -> Answers:
        return Answers([await self.ask("", key)])

    async def ask(self, gateway: str, key: bytes) -> Answer:
        if self.is_down:
            return Answer(gateway, error=Unreachable("down"))
        return Answer(gateway, self.item, None if self.item else DidError("notFound", "nothing"))

    async def put(self, item: SignedItem) -> AsyncGenerator[Answer, None]:
        if self.is_down:
            yield Answer("", error=Unreachable("down"))
        elif self.item and self.item != item and item.seq <= self.item.seq:
            yield Answer("", error=DidError("internalError", "409"), conflict=True)
        else:
            self.item = item
            self.history.append(item)
            yield Answer("")


class Device:
    """A device of the agent: what it holds, and its way to the gateway."""

    def __init__(self, number: int, held: PortableDid, world: World, skew: int) -> None:
        self.clock = SkewedClock(world.time, skew)
        self.records = Records(number, self.clock, world.nodes)
        self.database, self.held, self.gateway = open_memory(), held, world.gateway
        self.own: SignedItem | None = None
        self.start()

    def start(self) -> None:
        self.records.on_change.clear()
        records: Any = self.records
        self.documents = Documents(self.database, records)

    async def restart(self) -> None:
        self.start()
        await self.documents.open()

    @property
    def endpoints(self) -> list[str]:
        return self.documents.current(self.held).document.dwn_endpoints

    async def choose(self, urls: list[str]) -> None:
        await self.documents.change(self.documents.current(self.held), urls)

    async def sync(self) -> None:
        """Exchange records with the nodes; a document that is another one afterwards was heard of."""
        before, heard = self.endpoints, list[str]()

        async def hear(did: str) -> None:
            heard[:] = self.endpoints

        self.documents.on_change.append(hear)
        await self.records.sync()
        self.documents.on_change.remove(hear)
        assert self.endpoints in (before, heard)

    async def publish(self) -> None:
        """One attempt, as the publisher makes it."""
        gateways: Any = self.gateway

        async def on_newer(found: PortableDid) -> Wanted:
            await self.documents.found(found)
            return self.documents.wanted(self.held)

        async def on_found(delivery: Delivery) -> None:
            if delivery.made_here and delivery.item != self.own:
                await self.documents.published(delivery.portable_did)
            self.own = delivery.item

        wanted = self.documents.wanted(self.held)
        attempt = PublishAttempt(gateways, CRYPTO, self.clock, wanted, self.own, on_newer, on_found)
        try:
            await attempt.run(new=False)
        except Web5Error:
            assert self.gateway.is_down


class World:
    """Devices of one agent, their nodes, and a gateway."""

    def __init__(self, held: PortableDid, *skews: int) -> None:
        self.held = held
        self.time = [START * 1_000_000]
        self.nodes: Stored = {}
        self.gateway = Gateway()
        self.devices = [Device(number, held, self, skew) for number, skew in enumerate(skews)]

    async def settle(self) -> None:
        self.gateway.is_down = False
        for _ in range(4):
            for device in self.devices:
                await device.sync()
                await device.publish()

    async def published(self) -> list[str]:
        assert self.gateway.item is not None
        return (await dht.read_document(self.held.uri, self.gateway.item, CRYPTO)).document.dwn_endpoints


@pytest.fixture
async def held() -> PortableDid:
    return await dht.create(CRYPTO, **dht.identity_defaults(NODES))


def test_changes_are_made_to_any_list() -> None:
    a, b, c = "https://a", "https://b", "https://c"
    for before, after in [([a, b], [b, a]), ([a], [b, a]), ([], [a]), ([a, b, c], [c]), ([a], []), ([a, b], [a, c, b])]:
        assert applied(before, changes_between(before, after, 1)) == after
    assert changes_between([a], [a, b], 7) == [Change(b, True, 7)]
    assert changes_between([a, b], [a], 7) == [Change(b, False, 7)]
    reordered = Change(ORDER, [c, a, b], 1)
    assert applied([a, b, c, "https://d"], [reordered]) == [c, a, b, "https://d"]
    assert applied([a, c], [reordered]) == [c, a], "an order brings nothing back"


async def test_what_both_add_stays_and_what_one_removes_is_gone(held: PortableDid) -> None:
    world = World(held, 0, 0)
    laptop, phone = world.devices
    await laptop.publish()
    await phone.publish()
    await laptop.choose([NODES[1], "https://laptop.example"])
    await phone.choose([*NODES, "https://phone.example"])
    await laptop.publish()
    await phone.publish()
    await laptop.publish()
    expected = [NODES[1], "https://laptop.example", "https://phone.example"]
    assert laptop.endpoints == phone.endpoints == expected == await world.published()
    await world.settle()
    assert laptop.endpoints == phone.endpoints == expected == await world.published()


async def test_a_change_that_its_device_never_published_is_published_by_another(held: PortableDid) -> None:
    """Invariant 5."""
    world = World(held, 0, 0)
    laptop, phone = world.devices
    await laptop.publish()
    await phone.publish()
    await laptop.choose([*NODES, "https://laptop.example"])
    await laptop.records.sync()  # and is lost
    await phone.records.sync()
    await phone.publish()
    assert await world.published() == [*NODES, "https://laptop.example"]


async def test_what_another_agent_has_published_counts(held: PortableDid) -> None:
    """The same identity on two agents, which share no records."""
    ours, theirs = World(held, 0), World(held, 0)
    theirs.gateway = ours.gateway
    [laptop], [phone] = ours.devices, theirs.devices
    phone.gateway = ours.gateway
    await laptop.publish()
    await phone.publish()
    await laptop.choose([*NODES, "https://laptop.example"])
    await phone.choose([NODES[1], "https://phone.example"])
    for device in (phone, laptop, phone):
        await device.publish()
    expected = [NODES[1], "https://phone.example", "https://laptop.example"]
    assert laptop.endpoints == phone.endpoints == expected
    theirs.time[0] += 60_000_000
    await phone.choose(["https://phone.example"])
    for device in (phone, laptop):
        await device.publish()
    assert laptop.endpoints == ["https://phone.example"] == await ours.published()


@pytest.mark.parametrize("seed", range(150))
async def test_devices_agree_whatever_they_do_and_in_which_order_they_hear_of_it(seed: int, held: PortableDid) -> None:
    """All invariants: with clocks that differ, gateways and nodes that are away, restarts, and cut-offs."""
    chance = random.Random(seed)
    world = World(held, *(chance.choice([0, 0, -3600, -5, 7, 86_400]) for _ in range(chance.choice([2, 2, 3]))))
    there, removed = set(NODES), set[str]()
    if chance.random() < 0.8:
        await world.devices[0].publish()
    for step in range(chance.randrange(4, 25)):
        device = chance.choice(world.devices)
        world.time[0] += chance.choice([0, 100, 1_000_000, 60_000_000])
        match chance.choice(["add", "add", "remove", "order", "sync", "sync", "publish", "publish", "down", "restart"]):
            case "add":
                there.add(url := f"https://added{step}.example")
                await device.choose([*device.endpoints, url])
            case "remove" if device.endpoints:
                removed.add(gone := chance.choice(device.endpoints))
                await device.choose([url for url in device.endpoints if url != gone])
            case "order":
                await device.choose(chance.sample(device.endpoints, len(device.endpoints)))
            case "sync":
                await device.sync()
            case "publish":
                await device.publish()
            case "down":
                world.gateway.is_down = not world.gateway.is_down
            case "restart":
                await device.restart()
    await world.settle()
    expected = sorted(there - removed)
    assert [sorted(device.endpoints) for device in world.devices] == [expected] * len(world.devices)
    published = await world.published()
    assert all(device.endpoints == published for device in world.devices)
    assert not any(device.documents.wanted(held).changed for device in world.devices)
    versions = [item.seq for item in world.gateway.history]
    assert versions == sorted(versions)
    before = world.gateway.item
    await world.settle()
    assert world.gateway.item == before, "nobody outbids anybody"


async def test_a_change_that_is_cut_off_is_one_that_was_heard_of(held: PortableDid) -> None:
    """Invariant 5: the record is there, and the row is not."""
    world = World(held, 0)
    [laptop] = world.devices
    await laptop.publish()
    version = version_of(laptop.documents.current(held).metadata) + 1
    laptop.records.here[ENDPOINT, f"{held.uri} https://new.example", 0] = (1, 0, {"value": True, "version": version})
    assert laptop.endpoints == NODES
    await laptop.restart()
    assert laptop.endpoints == [*NODES, "https://new.example"]
    await laptop.publish()
    assert await world.published() == [*NODES, "https://new.example"]


async def test_a_record_of_another_shape_is_left(held: PortableDid, caplog: pytest.LogCaptureFixture) -> None:
    world = World(held, 0)
    [laptop] = world.devices
    for kind, id, value in [
        (ENDPOINT, f"{held.uri} https://new.example", {"value": True}),
        (ENDPOINT, held.uri, []),
        (DOCUMENT, held.uri, {"document": {}, "metadata": {"versionId": "5"}}),
    ]:
        await laptop.records.put(kind, id, value)
    assert laptop.endpoints == NODES
    assert caplog.text.count("has not the shape that is known here") == 3


async def test_who_knew_of_a_removal_adds_again_whatever_clock_it_was_made_by(held: PortableDid) -> None:
    world = World(held, 3000, 0)
    ahead, other = world.devices
    for device in (other, ahead):
        await device.publish()
    await ahead.choose(NODES[:1])
    wanted = ahead.documents.wanted(held)  # a gateway takes it with a number by its own clock alone
    world.gateway.item = await dht.sign_document(wanted.portable_did, CRYPTO, START + 1000, "http://gateway")
    await other.publish()  # the document alone says that it was removed
    assert other.endpoints == NODES[:1]
    await other.choose(NODES)
    await world.settle()
    assert ahead.endpoints == other.endpoints == await world.published() == NODES


async def test_what_is_added_again_and_published_before_its_record_comes_is_news(held: PortableDid) -> None:
    world = World(held, 0, 0)
    phone, laptop = world.devices
    await laptop.choose(NODES[:1])
    await world.settle()
    await phone.choose(NODES)
    await phone.publish()
    await laptop.documents.found(dht.with_version(phone.documents.current(held), world.gateway.item.seq))  # type: ignore[union-attr]
    assert laptop.endpoints == NODES[:1]
    without = dht.with_version(laptop.documents.current(held), 2 * START)  # which it is just publishing
    heard: list[str] = []

    async def on_change(did: str) -> None:
        heard.append(did)

    laptop.documents.on_change.append(on_change)
    for device in world.devices:
        await device.records.sync()
    assert laptop.endpoints == NODES
    assert heard[-1] == held.uri
    await laptop.documents.published(without)
    assert laptop.endpoints == NODES


async def test_a_removal_whose_document_came_before_its_record_is_news(held: PortableDid) -> None:
    """It ends what was added again, which stood against that document too."""
    world = World(held, 0, 0)
    phone, laptop = world.devices
    await laptop.choose(NODES[:1])
    await world.settle()
    for urls in (NODES, NODES[:1]):
        await phone.choose(urls)
        await phone.publish()
        published = dht.with_version(phone.documents.current(held), world.gateway.item.seq)  # type: ignore[union-attr]
        if urls == NODES:
            await phone.sync()
            await laptop.sync()
            assert laptop.endpoints == NODES
    await laptop.documents.found(published)
    assert laptop.endpoints == NODES, "it was added again, as far as is known here"
    await phone.sync()
    await laptop.sync()
    assert laptop.endpoints == NODES[:1]
