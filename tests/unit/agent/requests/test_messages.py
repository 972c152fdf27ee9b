"""Questions to other people's nodes, one of which is slow; and all that an agent does with several nodes."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.conftest import Network, World
from web5 import ProtocolPermissions, Web5, patience
from web5.agent.recovery import recover
from web5.agent.requests import messages

NOTE = "https://schema.org/TextDigitalDocument"


class Silence:
    """What a node is asked while it does not answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self.asked = 0
        real = Network.request

        async def request(network: Network, method: str, url: str, **more: Any) -> Any:
            if url.startswith(f"http://world/{name}"):
                self.asked += 1
                await asyncio.Event().wait()
            return await real(network, method, url, **more)

        monkeypatch.setattr(patience, "NAP", 0.01)
        monkeypatch.setattr(patience, "BESIDE", 0.05)
        monkeypatch.setattr(messages, "BESIDE", 0.05)
        monkeypatch.setattr(Network, "request", request)


async def laptop_of(world: World) -> tuple[Web5, str]:
    agent = await world.device("laptop")
    identity = await agent.create_identity("Private", world.endpoints)
    web5 = Web5(agent, identity.did)
    await web5.dwn.records.create("a note", schema=NOTE)
    await agent.publish_all()
    assert (await agent.sync.now()).ok
    return web5, await agent.vault.recovery_phrase() or ""


@pytest.mark.parametrize("slow", ["dwn0", "dwn1"])
async def test_what_is_asked_of_a_slow_node_is_asked_of_a_quick_one(
    world: World, monkeypatch: pytest.MonkeyPatch, slow: str
) -> None:
    web5, _ = await laptop_of(world)
    silence = Silence(monkeypatch, slow)
    async with asyncio.timeout(10):
        [record] = await web5.dwn.records.query(schema=NOTE, from_=web5.connected_did)
        assert await record.data.text() == "a note"
        assert await (await web5.dwn.records.read(record.id, from_=web5.connected_did)).data.text() == "a note"
    assert bool(silence.asked) == (slow == "dwn0")


async def test_a_slow_node_holds_up_no_grant(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    web5, _ = await laptop_of(world)
    definition = {"protocol": "https://p.example", "published": True, "types": {"x": {}}, "structure": {"x": {}}}
    Silence(monkeypatch, "dwn1")
    async with asyncio.timeout(20):
        await web5.authorize(permissions=[ProtocolPermissions(definition)])


async def test_a_slow_node_holds_up_no_recovery(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    _, words = await laptop_of(world)
    phone = await world.blank_device("phone")
    Silence(monkeypatch, "dwn1")
    async with asyncio.timeout(20):
        await recover(phone, words)
    [identity] = phone.identities.list()
    [record] = await Web5(phone, identity.did).dwn.records.query(schema=NOTE)
    assert await record.data.text() == "a note"
