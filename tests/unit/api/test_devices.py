"""A second device comes along by a code and a number, and both are on the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from tests.unit.agent.test_recovery import NOTE, notes_of
from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from web5 import JoinDevice, Web5
from web5.agent.agent import Agent
from web5.agent.devices import known
from web5.agent.devices.code import DeviceCode
from web5.agent.devices.offer import DeviceOffer
from web5.api.web5 import Connection
from web5.errors import IdentityError, InvalidArgument, NotPaired, NotPairedReason, VaultLocked


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web5.agent.devices.pairing.POLL_SECONDS", 0.01)


class Phone:
    """A device that is brought along, and the number that it shows."""

    def __init__(self, agent: Agent, world: World) -> None:
        self.agent = agent
        self.number: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._endpoints = world.endpoints

    @asynccontextmanager
    async def joining(self, code: str, password: str | None = None) -> AsyncIterator[asyncio.Task[Connection]]:
        join = JoinDevice(code, self.number.set_result, "Ada's phone")
        connecting = Web5.connect(
            agent=self.agent, join=join, sync="off", dwn_endpoints=self._endpoints, password=password
        )
        task = asyncio.create_task(connecting)
        try:
            yield task
        finally:
            task.cancel()


async def offered(web5: Web5) -> DeviceOffer:
    return await web5.devices.offer("Ada's laptop")


async def test_a_second_device_has_everything_and_what_either_writes_the_other_has(world: World) -> None:
    laptop = await connected(world)
    await laptop.dwn.records.create("from the laptop", schema=NOTE)
    work = await laptop.identities.create("Work")
    await laptop.identities.choose(work.did)
    await laptop.agent.publish_all()
    assert (await laptop.sync.now()).ok
    await laptop.vault.forget_recovery_phrase()  # who has the words on paper needs them not here

    offer = await offered(laptop)
    phone = Phone(await world.blank_device("phone"), world)
    async with phone.joining(f"https://app.example/#/settings/device/{offer.code}", "a password") as task:
        assert await offer.requested() == "Ada's phone"
        number = await phone.number
        assert number.isdigit() and len(number) == 6
        await offer.approve(f"{number[:3]} {number[3:]}")
        web5, did = await task
    assert did == work.did
    assert web5.vault.protection == "password"
    assert web5.vault.agent_did == laptop.vault.agent_did
    assert {one.did for one in web5.identities.list()} == {one.did for one in laptop.identities.list()}
    assert await notes_of(web5.agent, laptop.connected_did) == ["from the laptop"]
    await Web5(web5.agent, laptop.connected_did).dwn.records.create("from the phone", schema=NOTE)
    assert (await web5.sync.now()).ok
    assert (await laptop.sync.now()).ok
    assert sorted(await notes_of(laptop.agent, laptop.connected_did)) == ["from the laptop", "from the phone"]


async def test_what_is_on_the_second_device_already_moves_in(world: World) -> None:
    laptop, tablet = await connected(world), await connected(world, "tablet")
    own = tablet.connected_did
    await tablet.dwn.records.create("of the tablet", schema=NOTE)
    offer, device = await offered(laptop), Phone(tablet.agent, world)
    async with device.joining(offer.code) as task:
        await offer.requested()
        await offer.approve(await device.number)
        web5, did = await task
    assert did == laptop.connected_did
    assert own in {one.did for one in web5.identities.list()}
    assert await notes_of(web5.agent, own) == ["of the tablet"]


async def test_who_mistypes_is_asked_again_and_after_the_third_time_all_is_over(world: World) -> None:
    laptop = await connected(world)
    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    async with phone.joining(offer.code) as task:
        await offer.requested()
        wrong = f"{(int(await phone.number) + 1) % 10**6:06d}"
        for _ in range(3):
            assert offer.seconds > 0
            with pytest.raises(NotPaired) as failed:
                await offer.approve(wrong)
            assert failed.value.reason is NotPairedReason.WRONG_NUMBER
        assert offer.seconds == 0
        with pytest.raises(NotPaired) as failed:
            await offer.approve(await phone.number)
        assert failed.value.reason is NotPairedReason.OVER
        with pytest.raises(NotPaired) as failed:
            await task
    assert failed.value.reason is NotPairedReason.REFUSED
    assert phone.agent.vault.state == "new"


async def test_the_person_can_refuse_and_the_other_device_is_told(world: World) -> None:
    laptop, tablet = await connected(world), await connected(world, "tablet")
    offer, device = await offered(laptop), Phone(tablet.agent, world)
    before = tablet.vault.agent_did
    async with device.joining(offer.code) as task:
        await offer.requested()
        await device.number
        await offer.refuse()
        await offer.refuse()
        with pytest.raises(NotPaired) as failed:
            await task
    assert failed.value.reason is NotPairedReason.REFUSED
    assert tablet.vault.agent_did == before


async def test_a_device_that_has_the_agent_already_is_left_as_it_is(world: World) -> None:
    laptop = await connected(world)
    offer, device = await offered(laptop), Phone(laptop.agent, world)
    async with device.joining(offer.code) as task:
        await offer.requested()
        await offer.approve(await device.number)
        with pytest.raises(NotPaired) as failed:
            await task
    assert failed.value.reason is NotPairedReason.ALREADY


async def test_without_a_node_it_is_said(world: World) -> None:
    laptop = await connected(world)
    world.down |= {"dwn0", "dwn1"}
    with pytest.raises(NotPaired) as failed:
        await offered(laptop)
    assert failed.value.reason is NotPairedReason.NO_NODE
    world.down -= {"dwn1"}  # the next one does
    assert "dwn1" in DeviceCode.parse((await offered(laptop)).code).relay


@pytest.mark.parametrize("text", ["", "https://app.example/", "A" * 70, "é" * 80, "A" * 5000])
async def test_what_is_no_code_is_told_as_that(world: World, text: str) -> None:
    agent = await world.blank_device("phone")
    with pytest.raises(InvalidArgument, match="no code of another device"):
        await Web5.connect(agent=agent, join=JoinDevice(text, print), dwn_endpoints=[], did_dht_gateways=[])
    assert agent.vault.state == "new"


async def test_a_locked_vault_joins_nothing(world: World) -> None:
    laptop, tablet = await connected(world), await connected(world, "tablet")
    await tablet.vault.change_password(None, "a password")
    await tablet.vault.lock()
    with pytest.raises(VaultLocked):
        await Web5.connect(agent=tablet.agent, join=JoinDevice((await offered(laptop)).code, print))


async def test_the_list_has_each_device_with_the_time_at_which_it_was_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop = await connected(world)
    await laptop.devices.here("  Firefox\non Linux ")
    [own] = await laptop.devices.list()
    assert (own.name, own.here, own.added) == ("Firefox on Linux", True, own.last_seen)
    await laptop.devices.here("Firefox on Linux")
    assert (await laptop.devices.list()) == [own]  # it was there a moment ago

    offer, phone = await offered(laptop), Phone(await world.blank_device("phone"), world)
    async with phone.joining(offer.code) as task:
        await offer.requested()
        await offer.approve(await phone.number)
        web5, _ = await task
    await web5.devices.here("Safari on iPhone")
    await web5.devices.rename(own.id, "The old laptop")
    await web5.sync.now()
    await laptop.sync.now()
    assert [(one.name, one.here) for one in await laptop.devices.list()] == [
        ("The old laptop", True),
        ("Safari on iPhone", False),
    ]
    monkeypatch.setattr(known, "FRESH", timedelta())
    await laptop.devices.here("Firefox on Linux")  # what the person calls it stays
    here, there = await laptop.devices.list()
    assert here.name == "The old laptop"
    assert here.last_seen > own.last_seen
    assert here.added == own.added

    await laptop.devices.remove(there.id)
    await laptop.sync.now()
    await web5.sync.now()
    assert [one.name for one in await web5.devices.list()] == ["The old laptop"]
    await web5.devices.here("Safari on iPhone")  # it was not locked out, and says so
    assert len(await web5.devices.list()) == 2
    with pytest.raises(IdentityError):
        await web5.devices.remove("nobody")
    for blank in (web5.devices.here(" "), web5.devices.rename(own.id, "\n")):
        with pytest.raises(InvalidArgument):
            await blank
