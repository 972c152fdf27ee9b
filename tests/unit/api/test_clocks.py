"""A device with a wrong clock and real nodes: what it asks is dated by theirs, what it writes keeps its date."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.asgi_sockets import AsgiWebSockets
from tests.unit.api.test_web5_connect import connected, second_device
from tests.unit.conftest import ORIGIN, World
from tests.watch import Watch
from web5 import ProtocolPermissions, Web5
from web5.agent.agent import Agent
from web5.api.records.record import Record
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.dwn.values.cid import message_cid
from web5.errors import BadRequest, InvalidArgument, NotFound
from web5.node.serve import embedded
from web5.sync import Activity, State

HOUR = 3600 * 1_000_000
NOTE = "https://example.org/note"


PROTOCOL = "https://example.org/p"
ONE: dict[str, Any] = {"protocol": PROTOCOL, "published": False, "types": {"a": {}}, "structure": {"a": {}}}
TWO = {**ONE, "types": {"a": {}, "b": {}}, "structure": {"a": {}, "b": {}}}


def set_wrong(web5: Web5, hours: float) -> None:
    """Set a device's clock forward by so many hours, or back; 0 puts it right."""
    clock = web5.agent.clock
    clock.now = lambda: type(clock).now(clock) + int(hours * HOUR)


async def update(web5: Web5, note: Record) -> None:
    there = await web5.dwn.records.read(note.id)
    assert (await there.update(data="corrected")).date_modified > note.date_modified
    assert await (await web5.dwn.records.read(note.id)).data.text() == "corrected"


async def delete(web5: Web5, note: Record) -> None:
    await (await web5.dwn.records.read(note.id)).delete()
    with pytest.raises(NotFound):
        await web5.dwn.records.read(note.id)


async def delete_by_id(web5: Web5, note: Record) -> None:
    await web5.dwn.records.delete(note.id)
    with pytest.raises(NotFound):
        await web5.dwn.records.read(note.id)


async def publish(web5: Web5, note: Record) -> None:
    there = await web5.dwn.records.read(note.id)
    assert (await there.update(published=True, tags={"a": "b"})).date_published == there.date_modified
    assert await there.data.text() == "of the future"


@pytest.mark.parametrize("change", [update, delete, delete_by_id, publish])
@pytest.mark.parametrize("hours", [1, 24 * 365 * 1000])
async def test_what_was_written_with_a_clock_ahead_can_be_changed_once_it_is_right(
    world: World, hours: int, change: Callable[[Web5, Record], Awaitable[None]]
) -> None:
    web5 = await connected(world)
    set_wrong(web5, hours)
    note = await web5.dwn.records.create("of the future", schema=NOTE)
    set_wrong(web5, 0)
    await change(web5, note)


async def test_an_object_that_knows_of_nothing_newer_is_changed_all_the_same(world: World) -> None:
    web5 = await connected(world)
    notes = [await web5.dwn.records.create("now", schema=NOTE) for _ in range(2)]
    set_wrong(web5, 5)
    for note in notes:
        await (await web5.dwn.records.read(note.id)).update(data="of the future")
    set_wrong(web5, 0)
    await notes[0].update(data="x" * 50_000)
    assert await (await web5.dwn.records.read(notes[0].id)).data.text() == "x" * 50_000
    await notes[1].delete()
    with pytest.raises(NotFound):
        await web5.dwn.records.read(notes[1].id)
    with pytest.raises(NotFound):
        await web5.dwn.records.delete(notes[1].id)


async def test_another_device_changes_what_one_with_a_clock_ahead_wrote(world: World) -> None:
    """Five minutes ahead: as far as nodes take it."""
    laptop = await connected(world)
    phone = await second_device(world, laptop)
    set_wrong(laptop, 1 / 12)
    notes = [await laptop.dwn.records.create("of the future", schema=NOTE) for _ in range(2)]
    await laptop.dwn.protocols.configure(ONE)
    assert (await laptop.sync.now()).ok
    await phone.sync.now()
    await phone.dwn.protocols.configure(TWO)
    await (await phone.dwn.records.read(notes[0].id)).update(data="corrected")
    await phone.dwn.records.delete(notes[1].id)
    assert (await phone.sync.now()).ok
    set_wrong(laptop, 0)
    await laptop.sync.now()
    assert await (await laptop.dwn.records.read(notes[0].id)).data.text() == "corrected"
    with pytest.raises(NotFound):
        await laptop.dwn.records.read(notes[1].id)
    [protocol] = await laptop.dwn.protocols.query(PROTOCOL)
    assert protocol.definition == TWO


async def test_a_remote_record_of_the_future_is_deleted_there(world: World) -> None:
    web5 = await connected(world)
    set_wrong(web5, 1 / 12)
    note = await web5.dwn.records.create("of the future", schema=NOTE)
    await note.send()
    set_wrong(web5, 0)
    await web5.dwn.records.delete(note.id, from_=web5.connected_did)
    assert await web5.dwn.records.query(schema=NOTE, from_=web5.connected_did) == []


async def test_protocols_names_and_nodes_can_be_changed_too(world: World) -> None:
    web5 = await connected(world)
    did = web5.connected_did
    set_wrong(web5, 3)
    await web5.dwn.protocols.configure(ONE)
    await web5.identities.rename(did, "of the future")
    await web5.agent.set_dwn_endpoints(did, world.endpoints[:1])
    assert await web5.agent.publish_all()
    other = await web5.agent.create_identity("other", [])
    set_wrong(web5, 0)
    assert (await web5.dwn.protocols.configure(TWO)).definition == TWO
    await web5.dwn.records.create("text", protocol=PROTOCOL, protocol_path="b")
    await web5.identities.rename(did, "me")
    assert web5.agent.identities.get(did).name == "me"
    await web5.agent.set_dwn_endpoints(did, world.endpoints[1:])
    assert await web5.agent.publish_all()
    await web5.sync.now()
    assert [status.endpoint for status in web5.sync.status() if status.tenant == did] == world.endpoints[1:]
    await web5.agent.identities.delete(other.did)
    assert [one.did for one in web5.identities.list()] == [did]


async def test_what_cannot_be_followed_says_so(world: World) -> None:
    web5 = await connected(world)
    last = await web5.dwn.records.create("text", schema=NOTE, date_created="9999-12-31T23:59:60.999999Z")
    for change in (last.update(data="more"), last.delete()):
        with pytest.raises(InvalidArgument, match="years 0000 to 9999"):
            await change


async def test_a_note_of_any_date_that_is_accepted_can_be_shown_and_changed(world: World) -> None:
    web5 = await connected(world)
    assert (await web5.sync.now()).ok
    for date in ("0000-01-01T00:00:00.000000Z", "2016-12-31T23:59:60.999999Z", "9999-12-31T23:59:59.999999Z"):
        note = await web5.dwn.records.create("text", schema=NOTE, date_created=date)
        assert [row.since for row in web5.sync.unsettled()]
        await note.update(data="more")
        assert note.to_json()["dateCreated"] == date
        assert note.to_json()["messageTimestamp"] > date
        await note.delete()
    with pytest.raises(InvalidArgument):
        await web5.authorize(permissions=[ProtocolPermissions(ONE)], expires=timedelta.max)


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
    pending = (await note.send()).pending
    assert [one.endpoint for one in pending] == world.endpoints
    assert all(one.detail.startswith("TimestampAhead: this node's clock says ") for one in pending)
    assert (await phone.sync.now()).ok
    rows = [row for row in phone.sync.unsettled() if row.waits_for == f"time:{note.to_json()['dateCreated']}"]
    assert [(row.endpoint, row.state) for row in rows] == [(url, State.WAITING) for url in world.endpoints]
    for row in rows:
        assert row.next_try is not None
        now = datetime.fromtimestamp(phone.agent.clock.now() / 1_000_000, UTC)
        assert timedelta(hours=4.8) < row.next_try - now < timedelta(hours=5)
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
