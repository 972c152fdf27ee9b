"""An endpoint that is given up: what it alone has is fetched, or it is kept."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.unit.sync.world import HOST, Answer, Device, World, cid_of, reply_of, unreachable
from tests.watch import until
from web5.dwn.values.types import Message
from web5.errors import NodeNeeded

A, B = f"{HOST}/a", f"{HOST}/b"


@pytest.fixture
async def world(tmp_path: Path) -> World:
    return await World.make(tmp_path)


async def only_there(world: World, node: str) -> Message:
    """A message that another device has brought to one node alone, which went out of reach then."""
    laptop = await world.device("laptop")
    others = {"/a", "/b"} - {node}
    world.network.faults.update(dict.fromkeys(others, unreachable))
    message = await laptop.write(b"only there")
    await laptop.sync.now()
    for other in others:
        del world.network.faults[other]
    return message


def tenant(world: World) -> str:
    return world.alice.did


@pytest.mark.parametrize("synced", [True, False])
async def test_what_a_node_alone_has_is_fetched_before_it_is_removed(world: World, synced: bool) -> None:
    phone = await world.device()
    if synced:
        assert (await phone.sync.now()).ok
    message = await only_there(world, "/a")
    if not synced:
        await phone.sync.now("push")  # it has never been listed
    await phone.sync.fetch_the_rest(tenant(world), [A])
    assert cid_of(message) in world.held(phone.dwn)
    world.set_endpoints("/b")
    assert (await phone.sync.now()).complete
    assert cid_of(message) in world.held(world.remotes["/b"])


async def test_a_node_whose_messages_cannot_be_read_is_kept(world: World) -> None:
    phone = await world.device()
    await only_there(world, "/a")

    def fault(kind: str, message: Message) -> Answer | None:
        return reply_of(500, "its disk is broken") if kind == "MessagesRead" else None

    world.network.faults["/a"] = fault
    with pytest.raises(NodeNeeded, match=r"1 message that it alone has.*its disk is broken") as kept:
        await phone.sync.fetch_the_rest(tenant(world), [A])
    assert (kept.value.endpoint, kept.value.messages) == (A, 1)


async def test_what_another_node_has_too_keeps_none(world: World) -> None:
    laptop, phone = await world.device("laptop"), await world.device()
    await laptop.write()
    assert (await laptop.sync.now()).ok

    def fault(kind: str, message: Message) -> Answer | None:
        return reply_of(500, "its disk is broken") if kind == "MessagesRead" else None

    world.network.faults = {"/a": fault, "/b": fault}
    await phone.sync.now()
    await phone.sync.fetch_the_rest(tenant(world), [A])
    with pytest.raises(NodeNeeded):
        await phone.sync.fetch_the_rest(tenant(world), [A, B])


async def test_a_node_that_cannot_be_asked_is_kept(world: World) -> None:
    phone = await world.device()
    assert (await phone.sync.now()).ok
    world.network.faults["/a"] = unreachable
    with pytest.raises(NodeNeeded, match="connection refused") as kept:
        await phone.sync.fetch_the_rest(tenant(world), [A])
    assert (kept.value.endpoint, kept.value.messages) == (A, None)


async def test_a_node_that_does_not_end_is_not_waited_for(world: World) -> None:
    phone, asked = await world.device(), asyncio.Event()
    gate = asyncio.Event()

    async def silent(node: str, kind: str) -> None:
        asked.set()
        await gate.wait()

    world.network.on_request = silent
    removing = asyncio.ensure_future(phone.sync.fetch_the_rest(tenant(world), [A]))
    await until(asked.is_set)
    await until(lambda: world.clock.sleepers)
    world.clock.wake()
    with pytest.raises(NodeNeeded, match="has not answered"):
        await removing
    gate.set()
    await phone.sync.stop()


async def test_where_nobody_was_known_nothing_can_be(world: World) -> None:
    """Nothing could be signed for the identity yet."""
    phone: Device = await world.device()
    world.allowed = set()
    await phone.sync.now()
    await phone.sync.fetch_the_rest(tenant(world), [A, B])
    await phone.sync.fetch_the_rest("did:dht:nobody", [A])
