"""The agent's encrypted records; the numbers are the invariants of agent/records.py."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.unit.conftest import World
from tests.watch import until
from web5.agent.agent import Agent
from web5.agent.records import DATA_FORMAT, PROTOCOL
from web5.agent.recovery import recover
from web5.dwn import compose
from web5.dwn.values.cid import bare_message
from web5.errors import Conflict, IdentityError, VaultLocked


async def two_devices(world: World) -> tuple[Agent, Agent]:
    laptop = await world.device("laptop")
    assert await laptop.publish_all()
    assert (await laptop.sync.now()).ok
    phone = await world.blank_device("phone")
    await recover(phone, str(await laptop.vault.recovery_phrase()))
    return laptop, phone


async def stored(agent: Agent) -> list[dict[str, Any]]:
    did = str(agent.vault.agent_did)
    query = await compose.records_query(await agent.signer(did), agent.clock, filter={"protocol": PROTOCOL})
    entries: list[dict[str, Any]] = (await agent.messages.process(did, query))["entries"]
    return entries


async def colours(agent: Agent) -> dict[str, Any]:
    return {id: await agent.records.get("colour", id) for id in agent.records.ids("colour")}


async def test_values_are_put_replaced_and_deleted(world: World) -> None:
    agent = await world.device("laptop")
    await agent.records.put("colour", "sky", {"is": "blue"})
    await agent.records.put("colour", "grass", "green")
    await agent.records.put("colour", "sky", ["grey"])
    await agent.records.put("sound", "sky", 1)
    assert agent.records.ids("colour") == ["sky", "grass"]
    assert await colours(agent) == {"sky": ["grey"], "grass": "green"}
    assert len(await stored(agent)) == 3
    await agent.records.delete("colour", "sky")
    await agent.records.delete("colour", "never there")
    assert await colours(agent) == {"grass": "green"}
    assert await agent.records.get("colour", "sky") is None
    assert await agent.records.get("sound", "sky") == 1


async def test_values_are_there_after_a_restart(world: World) -> None:
    agent = await world.device("laptop")
    await agent.records.put("colour", "sky", "x" * 50_000)  # too large to come with a query
    await agent.close()
    again = await world.device("laptop")
    assert await colours(again) == {"sky": "x" * 50_000}


async def test_nothing_of_a_value_is_readable(world: World) -> None:
    """Invariant 1."""
    agent = await world.device("laptop")
    await agent.records.put("a kind of its own", "a name of its own", "a value of its own")
    [entry] = await stored(agent)
    assert entry["descriptor"]["dataFormat"] == DATA_FORMAT
    assert "tags" not in entry["descriptor"]
    assert "own" not in str(entry)


async def test_the_same_value_of_two_devices_is_the_newest(world: World) -> None:
    """Invariants 2 and 3."""
    laptop, phone = await two_devices(world)
    await laptop.records.put("colour", "sky", "blue")
    await phone.records.put("colour", "sky", "grey")
    told: list[tuple[str, str]] = []

    async def tell(kind: str, id: str) -> None:
        told.append((kind, id))

    laptop.records.on_change.append(tell)
    for device in (phone, laptop, phone):
        assert (await device.sync.now()).ok
    assert ("colour", "sky") in told
    for device in (laptop, phone):
        assert await colours(device) == {"sky": "grey"}
    await laptop.records.delete("colour", "sky")
    for device in (laptop, phone):
        assert (await device.sync.now()).ok
        assert await colours(device) == {}


async def test_changes_of_both_devices_converge(world: World) -> None:
    laptop, phone = await two_devices(world)
    await laptop.records.put("colour", "sky", "blue")
    assert (await laptop.sync.now()).ok
    assert (await phone.sync.now()).ok
    await asyncio.gather(laptop.records.put("colour", "sky", "red"), phone.records.put("colour", "sky", "black"))
    for device in (laptop, phone, laptop):
        assert (await device.sync.now()).ok
    assert await laptop.records.get("colour", "sky") == await phone.records.get("colour", "sky")


async def race(agent: Agent, monkeypatch: pytest.MonkeyPatch, *values: str) -> None:
    """Let sync bring a newer version of the sky's colour just before each of the next writes of this agent."""
    process, rivals = agent.messages.process, list(values)
    did = str(agent.vault.agent_did)

    async def overtaken(tenant: str, message: dict[str, Any], *data: Any) -> Any:
        if rivals and message["descriptor"]["method"] == "Write":
            plaintext = json.dumps({"kind": "colour", "id": "sky", "value": rivals.pop(0)}).encode()
            jwe = (await agent.vault.encrypt(plaintext)).encode()
            [existing] = [bare_message(entry) for entry in await stored(agent)]
            rival = await compose.records_write(await agent.signer(did), agent.clock, data=jwe, existing=existing)
            reply = await agent.dwn.process_message(tenant, rival, jwe, source="https://remote")
            assert reply["status"]["code"] == 202
        return await process(tenant, message, *data)

    monkeypatch.setattr(agent.messages, "process", overtaken)


async def test_a_value_replaces_what_sync_brought_meanwhile(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    agent = await world.device("laptop")
    await agent.records.put("colour", "sky", "blue")
    await race(agent, monkeypatch, "grey", "black")
    await agent.records.put("colour", "sky", "red")
    assert await colours(agent) == {"sky": "red"}
    await agent.lock()
    await agent.unlock()
    assert await colours(agent) == {"sky": "red"}, "it is what is stored"
    assert len(await stored(agent)) == 1


async def test_a_value_that_is_overtaken_again_and_again_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await world.device("laptop")
    await agent.records.put("colour", "sky", "blue")
    await race(agent, monkeypatch, "grey", "black", "white")
    with pytest.raises(Conflict):
        await agent.records.put("colour", "sky", "red")
    await until(lambda: agent.records._reading is None or agent.records._reading.done())
    assert await colours(agent) == {"sky": "white"}


async def test_a_callback_that_fails_keeps_nothing_from_being_read(world: World) -> None:
    laptop, phone = await two_devices(world)
    reports: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reports.append(context["message"]))

    async def fail(kind: str, id: str) -> None:
        raise RuntimeError("a careless page")

    phone.records.on_change.append(fail)
    for id in ("sky", "grass"):
        await laptop.records.put("colour", id, id)
    for device in (laptop, phone):
        assert (await device.sync.now()).ok
    await until(lambda: len(reports) == 2)
    assert await colours(phone) == {"sky": "sky", "grass": "grass"}


async def test_records_of_another_key_are_reported_and_left(world: World, caplog: pytest.LogCaptureFixture) -> None:
    agent = await world.device("laptop")
    did = str(agent.vault.agent_did)
    for data in (b"no JWE", b"a.b.c.d.e"):
        message = await compose.records_write(
            await agent.signer(did),
            agent.clock,
            data=data,
            data_format=DATA_FORMAT,
            protocol=PROTOCOL,
            protocol_path="secret",
        )
        await agent.messages.process(did, message, data)
    await agent.lock()
    await agent.unlock()
    assert caplog.text.count("does not open with the key of this vault") == 2
    assert agent.records.ids("colour") == []
    assert len(await stored(agent)) == 2


async def test_a_locked_vault_gives_and_takes_nothing(world: World) -> None:
    """Invariant 4."""
    agent = await world.device("laptop")
    await agent.records.put("colour", "sky", "blue")
    await agent.lock()
    assert agent.records.ids("colour") == []
    with pytest.raises((VaultLocked, IdentityError)):
        await agent.records.put("colour", "sky", "red")
    await agent.unlock()
    assert await agent.records.get("colour", "sky") == "blue"
