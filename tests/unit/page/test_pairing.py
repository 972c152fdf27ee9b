"""Two devices, one of which takes the other along, as the page has them do it."""

from __future__ import annotations

import asyncio

import pytest

from tests.unit.conftest import World
from tests.unit.page.devices import Device
from tests.unit.page.test_session import MOMENT, opened
from web5 import Web5

PAGE = "https://notes.example/"


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web5.agent.devices.pairing.POLL_SECONDS", 0.01)


async def published(world: World, name: str) -> Device:
    device = await opened(world, name)
    assert await device.agent.publish_all()
    return device


async def test_a_device_comes_along_and_both_are_on_the_list(world: World) -> None:
    laptop, phone = await published(world, "laptop"), await published(world, "phone")
    await laptop.ask("create_note", text="mine", created=MOMENT)
    await laptop.ask("sync_now")
    await laptop.ask("device_here", called="Firefox on Linux")
    offered = await laptop.ask("offer_device", called="Firefox on Linux", page=PAGE)
    assert offered["link"].startswith(f"{PAGE}#/settings/device/")
    assert offered["picture"].startswith("data:image/svg+xml")
    assert 590 <= offered["seconds"] <= 600
    requested = asyncio.ensure_future(laptop.ask("device_request"))
    joining = await phone.ask("join_device", code=offered["link"], called="Safari on iPhone")
    assert joining["name"] == "Firefox on Linux"
    assert await requested == "Safari on iPhone"
    finishing = asyncio.ensure_future(phone.ask("finish_joining", password=None))
    assert await laptop.ask("approve_device", number="000000 no") == "NotPaired"
    await laptop.ask("approve_device", number=joining["number"])
    steps = await finishing
    assert steps["identities"]["total"] == 1
    assert [one["did"] for one in await phone.ask("identities")] == [(await laptop.ask("state"))["did"]]
    assert [note["text"] for note in (await phone.ask("notes", limit=5))["notes"]] == ["mine"]
    assert (await phone.ask("state"))["did"] == (await laptop.ask("state"))["did"]
    await phone.ask("device_here", called="Safari on iPhone")
    await phone.ask("sync_now")
    devices = (await phone.ask("state"))["devices"]
    assert [(one["name"], one["here"]) for one in devices] == [("Safari on iPhone", True), ("Firefox on Linux", False)]
    await phone.ask("rename_device", id=devices[1]["id"], called="The laptop")
    assert (await phone.ask("state"))["devices"][1]["name"] == "The laptop"
    for _ in range(2):
        assert await phone.ask("remove_device", id=devices[1]["id"]) is None
    assert len((await phone.ask("state"))["devices"]) == 1


async def test_what_a_device_made_by_itself_is_listed_once_there_is_something_in_it(world: World) -> None:
    laptop, phone = await published(world, "laptop"), await published(world, "phone")
    own = (await phone.ask("state"))["did"]
    await laptop.ask("sync_now")
    offered = await laptop.ask("offer_device", called="Laptop", page=PAGE)
    requested = asyncio.ensure_future(laptop.ask("device_request"))
    joining = await phone.ask("join_device", code=offered["link"], called="Phone")
    await requested
    finishing = asyncio.ensure_future(phone.ask("finish_joining", password=None))
    await laptop.ask("approve_device", number=joining["number"])
    await finishing
    await phone.ask("sync_now")
    await laptop.ask("sync_now")
    for device in (laptop, phone):
        assert own in [one.did for one in device.session.web5.identities.list()], "nothing is lost"
        for listed in (await device.ask("identities"), (await device.ask("state"))["identities"]):
            assert own not in [one["did"] for one in listed]
    assert await phone.ask("create_identity", called="Default", known=[]) != own
    await Web5(phone.agent, own).dwn.records.create("for whoever knows of it", data_format="text/plain")
    await phone.ask("sync_now")
    await laptop.ask("sync_now")
    for device in (laptop, phone):
        assert own in [one["did"] for one in await device.ask("identities")]


async def test_who_waits_no_more_is_not_brought_along(world: World) -> None:
    laptop, phone = await published(world, "laptop"), await published(world, "phone")
    before = phone.agent.vault.agent_did
    offered = await laptop.ask("offer_device", called="Laptop", page=PAGE)
    requested = asyncio.ensure_future(laptop.ask("device_request"))
    joining = await phone.ask("join_device", code=offered["link"], called="Phone")
    await requested
    finishing = asyncio.ensure_future(phone.ask("finish_joining", password=None))
    await asyncio.sleep(0)
    await phone.ask("stop_joining")
    assert await finishing is None
    await laptop.ask("approve_device", number=joining["number"])
    assert phone.agent.vault.agent_did == before
    assert await phone.ask("finish_joining", password=None) == "NotPaired"


async def test_keys_are_given_away_by_whoever_knows_the_password(world: World) -> None:
    laptop = await published(world, "laptop")
    await laptop.ask("change_password", old=None, new="the first")
    assert await laptop.ask("offer_device", called="Laptop", page=PAGE) == "WrongPassword"
    assert await laptop.ask("offer_device", called="Laptop", page=PAGE, password="the second") == "WrongPassword"
    assert "link" in await laptop.ask("offer_device", called="Laptop", page=PAGE, password="the first")


async def test_a_new_code_takes_the_place_of_the_last(world: World) -> None:
    laptop = await published(world, "laptop")
    await laptop.ask("offer_device", called="Laptop", page=PAGE)
    await laptop.ask("refuse_device")
    await laptop.ask("refuse_device")
    for name, arguments in (("device_request", {}), ("approve_device", {"number": "1"})):
        assert await laptop.ask(name, **arguments) == "NotPaired"
