"""The nodes that a person adds, and what the page says of documents that are not published."""

from __future__ import annotations

import pytest
from ui import words

from tests.unit.conftest import World
from tests.unit.page.devices import Device
from tests.watch import until


async def opened(world: World) -> Device:
    device = Device(await world.blank_device("laptop"), world.endpoints[:1])
    await device.session.open()
    assert await device.agent.publish_all()
    return device


async def named(device: Device) -> list[list[str]]:
    web5 = device.session.web5
    dids = (web5.connected_did, web5.vault.agent_did or "")
    return [(await device.agent.keyring.portable_did(did)).document.dwn_endpoints for did in dids]


@pytest.mark.parametrize(
    "url",
    [
        "https://user:secret@example.org",
        "https://example.org/a,b",
        "https://example.org/dwn;v=1",
        "https://example.org/" + "x" * 900,
    ],
)
async def test_a_node_that_a_document_cannot_name_is_not_added(world: World, url: str) -> None:
    device = await opened(world)
    before = await named(device)
    assert await device.ask("add_node", url=url) == "InvalidArgument"
    assert await named(device) == before
    assert (await device.ask("state"))["publish_error"] is None


async def test_what_one_of_both_documents_has_no_room_for_neither_names(world: World) -> None:
    device = await opened(world)
    agent_did = device.session.web5.vault.agent_did or ""
    many = [f"https://node{number}.example.org/tenant/dwn" for number in range(12)]
    await device.agent.set_dwn_endpoints(agent_did, [*world.endpoints[:1], *many])
    before = await named(device)
    assert await device.ask("add_node", url="https://example.org/" + "x" * 200) == "InvalidArgument"
    assert await named(device) == before


@pytest.mark.parametrize("form", ["HTTP://World:80/dwn1/", "http://world./x/../dwn1", "http://world/dwn1//"])
async def test_a_node_is_one_whatever_form_its_address_has(world: World, form: str) -> None:
    device = await opened(world)
    for url in (form, world.endpoints[1], form):
        assert await device.ask("add_node", url=url) is None
        assert await named(device) == [world.endpoints, world.endpoints]
    assert await device.ask("remove_node", url=form) is None
    assert await named(device) == [world.endpoints[:1], world.endpoints[:1]]


async def test_a_change_that_is_not_published_is_told(world: World) -> None:
    device = await opened(world)
    world.down |= {"dht"}
    assert await device.ask("add_node", url=world.endpoints[1]) is None
    web5 = device.session.web5
    await until(lambda: web5.nodes.published.reason and web5.vault.published.reason)
    state = await device.ask("state")
    assert state["published_before"]
    assert "down" in state["publish_error"]
    world.down.clear()
    assert await device.agent.publish_all()
    assert (await device.ask("state"))["publish_error"] is None


def test_the_words_for_documents_that_are_not_published() -> None:
    assert words.publish_error(None, False) == ""
    assert words.publish_error("because", False).startswith("Not published yet, so other devices cannot find")
    assert words.publish_error("because", True).startswith("Your last change of this identity is not published yet")
    assert words.publish_error("because", True).endswith(" because")
