"""A device with a wrong clock and real nodes: what it asks is dated by theirs, what it writes keeps its date."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.asgi_sockets import AsgiWebSockets
from tests.unit.api.test_web5_connect import connected, second_device
from tests.unit.conftest import ORIGIN, World
from tests.watch import Watch
from web5 import Web5
from web5.agent.agent import Agent
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.dwn.cid import message_cid
from web5.errors import BadRequest
from web5.node.serve import embedded
from web5.sync import Activity, State

HOUR = 3600 * 1_000_000
NOTE = "https://example.org/note"


def set_wrong(web5: Web5, hours: int) -> None:
    """Set a device's clock forward by so many hours, or back."""
    clock = web5.agent.clock
    right = clock.now
    clock.now = lambda: right() + hours * HOUR


@pytest.mark.parametrize("hours", [-12, 12, 24 * 365 * 30])
async def test_sync_and_questions_to_remote_nodes_work(world: World, hours: int) -> None:
    laptop = await connected(world)
    large = await laptop.dwn.records.create("x" * 40_000, schema=NOTE)
    assert (await laptop.sync.now()).ok
    phone = await second_device(world, laptop)
    did = phone.connected_did
    set_wrong(phone, hours)
    [found] = await phone.dwn.records.query(schema=NOTE, from_=did)
    assert await found.data.text() == "x" * 40_000
    read = await phone.dwn.records.read(large.id, from_=did)
    assert await read.data.text() == "x" * 40_000
    assert await phone.dwn.protocols.query(from_=did) == []
    assert await phone.dwn.permissions.query_grants(from_=did) == []
    report = await phone.sync.now("pull")
    assert report.ok and report.pulled > 0
    assert await (await phone.dwn.records.read(large.id)).data.text() == "x" * 40_000


async def test_what_is_written_with_a_clock_that_is_behind_arrives_at_once(world: World) -> None:
    laptop = await connected(world)
    phone = await second_device(world, laptop)
    set_wrong(phone, -5)
    note = await phone.dwn.records.create("note", schema=NOTE)
    assert [sent.code for sent in await note.send()] == [202, 202]
    assert len(await laptop.dwn.records.query(schema=NOTE, from_=laptop.connected_did)) == 1


async def test_what_is_written_with_a_clock_that_is_ahead_waits_and_the_app_can_see_until_when(world: World) -> None:
    laptop = await connected(world)
    old = await laptop.dwn.records.create("old", schema=NOTE)
    assert (await laptop.sync.now()).ok
    phone = await second_device(world, laptop)
    set_wrong(phone, 5)
    note = await phone.dwn.records.create("note", schema=NOTE)
    with pytest.raises(BadRequest, match="TimestampAhead: this node's clock says "):
        await note.send()
    assert (await phone.sync.now()).ok
    rows = [row for row in phone.sync.unsettled() if row.waits_for == f"time:{note.date_created}"]
    assert [(row.endpoint, row.state) for row in rows] == [(url, State.WAITING) for url in world.endpoints]
    for row in rows:
        assert 4.8 * HOUR < (row.next_try or 0) - phone.agent.clock.now() < 5 * HOUR
    with pytest.raises(BadRequest, match="TimestampAhead"):
        await phone.dwn.records.delete(old.id, from_=phone.connected_did)
    assert len(await laptop.dwn.records.query(schema=NOTE, from_=laptop.connected_did)) == 1


@pytest.mark.parametrize("hours", [-12, 12])
async def test_live_sync_works_over_websockets(tmp_path: Path, hours: int) -> None:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(embedded(tmp_path / "remotes", None))
        http = HttpxHttp(httpx.ASGITransport(app))
        gateways, endpoints = [f"{ORIGIN}/dht"], [f"{ORIGIN}/dwn0"]

        async def device(name: str) -> Agent:
            agent = await open_agent(
                gateway_uris=gateways, data_path=tmp_path / name, http=http, sockets=AsgiWebSockets(app)
            )
            stack.push_async_callback(agent.close)
            await agent.initialize(dwn_endpoints=endpoints)
            return agent

        laptop = (await Web5.connect(agent=await device("laptop"), dwn_endpoints=endpoints, sync="live")).web5
        assert await laptop.agent.publish_all()
        agent = await device("phone")
        assert await agent.publish_all()
        await agent.import_identity(await laptop.identities.export(laptop.connected_did))
        phone = (await Web5.connect(agent=agent, sync="off")).web5
        set_wrong(phone, hours)
        await phone.sync.start("live")
        watch = Watch(phone.agent, laptop.agent)
        await watch.until(lambda: all(one.activity is Activity.LIVE for one in agent.sync.status()))
        note = await laptop.dwn.records.create("note", schema=NOTE)
        await watch.until(lambda: agent.dwn.store.has(phone.connected_did, message_cid(note.raw_message)))
