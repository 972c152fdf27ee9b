"""`Web5.connect` and records, on real nodes: what an app sees."""

from __future__ import annotations

import asyncio
import gc
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.conftest import World
from tests.watch import until
from web5 import Web5
from web5.cpython.http import HttpxHttp
from web5.errors import (
    InvalidArgument,
    NotFound,
    RemoteError,
    StorageCorrupt,
    Unauthorized,
    VaultError,
)

NOTE = "https://schema.org/TextDigitalDocument"
LARGE = bytes(i & 255 for i in range(100_000))


async def connected(world: World, name: str = "laptop", sync: str = "off") -> Web5:
    agent = await world.device(name)
    web5, _ = await Web5.connect(agent=agent, dwn_endpoints=world.endpoints, sync=sync)
    assert await agent.publish_all()
    return web5


async def second_device(world: World, first: Web5) -> Web5:
    agent = await world.device("phone")
    await agent.import_identity(await first.identities.export(first.connected_did))
    web5, _ = await Web5.connect(agent=agent, sync="off")
    return web5


async def test_the_first_launch_makes_an_identity_and_the_second_finds_it(world: World) -> None:
    agent = await world.device("laptop")
    first = await Web5.connect(agent=agent, dwn_endpoints=world.endpoints, sync="1 hour")
    assert first.created
    assert first.web5.sync.interval == "1 hour"
    await first.web5.close()

    second = await Web5.connect(agent=await world.device("laptop"), sync="off")
    assert not second.created
    assert second.did == first.did
    assert second.web5.sync.interval == "off"


async def test_a_wrong_interval_is_refused_before_anything_is_made(world: World) -> None:
    agent = await world.device("laptop")
    with pytest.raises(InvalidArgument, match="interval"):
        await Web5.connect(agent=agent, sync="every now and then")
    assert agent.identities.list() == []


class ClosableHttp(HttpxHttp):
    """A network that answers nothing, and knows whether it was closed."""

    def __init__(self) -> None:
        super().__init__(httpx.MockTransport(lambda _: httpx.Response(503)))
        self.closed = False

    async def close(self) -> None:
        self.closed = True
        await super().close()


async def test_who_connects_again_gets_the_agent_that_is_open(tmp_path: Path) -> None:
    http = ClosableHttp()
    first = await Web5.connect(sync="1 hour", config={}, data_path=tmp_path, http=http)
    record = await first.web5.dwn.records.create("once")
    again = await Web5.connect(data_path=tmp_path / "." / "")  # as a cell that runs again, or another part of the app
    assert (again.did, again.created, again.web5.agent) == (first.did, False, first.web5.agent)
    assert again.web5.sync.interval == "1 hour"
    for _ in range(2):
        await first.web5.close()
    assert await (await again.web5.dwn.records.read(record.id)).data.text() == "once"
    assert not http.closed
    await again.web5.close()
    assert http.closed


async def test_many_connect_at_once_and_one_identity_is_made(tmp_path: Path) -> None:
    http = ClosableHttp()
    options: dict[str, Any] = {"sync": "off", "dwn_endpoints": [], "data_path": tmp_path, "http": http}
    connections = await asyncio.gather(*(Web5.connect(**options) for _ in range(5)))
    assert len({one.did for one in connections}) == 1
    assert sum(one.created for one in connections) == 1
    await asyncio.gather(*(one.web5.close() for one in connections))
    assert http.closed
    again = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    assert again.did == connections[0].did
    await again.web5.close()


async def test_connections_that_nobody_has_any_more_do_not_keep_the_agent_open(tmp_path: Path) -> None:
    http = ClosableHttp()
    web5: Any = None
    for _ in range(3):
        web5, _did = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=http)
    gc.collect()
    await web5.close()
    assert http.closed


async def test_options_that_contradict_the_open_agent_are_refused_by_name(tmp_path: Path) -> None:
    web5, did = await Web5.connect(
        sync="off", did_dht_gateways=["https://dht.example"], data_path=tmp_path, http=ClosableHttp()
    )
    for options in ({"share_sockets": True}, {"did_dht_gateways": ["https://other.example"]}, {"http": ClosableHttp()}):
        with pytest.raises(InvalidArgument, match=rf"^{next(iter(options))}=.*open here already"):
            await Web5.connect(data_path=tmp_path, **options)  # type: ignore[arg-type]
    again, _ = await Web5.connect(data_path=tmp_path, share_sockets=False)
    await again.close()
    assert [one.did for one in web5.identities.list()] == [did]
    await web5.close()


async def test_an_open_agent_without_gateways_takes_those_that_are_named_later(tmp_path: Path) -> None:
    web5, did = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    assert web5.nodes.published.state == "no gateway"
    again, same = await Web5.connect(data_path=tmp_path, config={"did_dht_gateways": ["https://dht.example"]})
    assert same == did and web5.agent is again.agent
    assert web5.agent.gateways.uris == ("https://dht.example",)
    await until(lambda: "503" in (web5.nodes.published.reason or ""))
    await again.close()
    await web5.close()


async def test_close_right_after_connect_and_a_cancelled_connect_leave_nothing_behind(tmp_path: Path) -> None:
    complaints: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))
    before = asyncio.all_tasks()
    options: dict[str, Any] = {"dwn_endpoints": ["http://127.0.0.1:9"], "did_dht_gateways": ["http://127.0.0.1:9"]}
    for sync in ("live", "2m"):
        web5, _did = await Web5.connect(data_path=tmp_path / sync, sync=sync, **options)
        await web5.close()
        assert asyncio.all_tasks() == before
    for turns in (*range(1, 60, 3), *range(60, 600, 60)):  # cancelled wherever it has got to after so many turns
        connecting = asyncio.ensure_future(Web5.connect(data_path=tmp_path / "cut off", **options))
        for _ in range(turns):
            await asyncio.sleep(0)
        connecting.cancel()
        with suppress(asyncio.CancelledError):
            await (await connecting).web5.close()
        assert asyncio.all_tasks() == before
    web5, _did = await Web5.connect(data_path=tmp_path / "cut off", **options)
    await web5.close()
    gc.collect()
    assert complaints == []


async def test_without_an_agent_the_platform_s_own_is_opened_and_closed(tmp_path: Path) -> None:
    http = ClosableHttp()
    first = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=http)
    assert first.created
    await first.web5.close()
    assert http.closed
    second = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    assert (second.did, second.created) == (first.did, False)
    await second.web5.close()


async def test_a_connection_that_fails_closes_the_agent_it_opened(tmp_path: Path) -> None:
    """The store is closed and its lock released, so the next attempt finds both free and nothing changed."""
    first = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    await first.web5.close()
    failing: list[dict[str, Any]] = [{"password": "none was set"}, {"recovery_phrase": "no such words"}]
    for options in failing:
        http = ClosableHttp()
        with pytest.raises((InvalidArgument, VaultError)):
            await Web5.connect(sync="off", config={}, data_path=tmp_path, http=http, **options)
        assert http.closed
    again = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    assert again.did == first.did
    await again.web5.close()


async def test_an_agent_that_was_passed_stays_open_when_the_connection_fails(world: World) -> None:
    agent = await world.device("laptop")
    with pytest.raises(InvalidArgument, match="no password"):
        await Web5.connect(agent=agent, sync="off", password="none was set")
    assert (await Web5.connect(agent=agent, sync="off")).created


async def test_a_store_that_cannot_be_opened_leaves_no_lock(tmp_path: Path) -> None:
    (tmp_path / "web5.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(StorageCorrupt):
        await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    (tmp_path / "web5.sqlite").unlink()
    web5, _ = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())
    await web5.close()


async def test_a_record_lives(world: World) -> None:
    web5 = await connected(world)
    record = await web5.dwn.records.create("first", schema=NOTE, tags={"mood": "good", "rank": 1.5})
    assert (record.author, record.creator) == (web5.connected_did, web5.connected_did)
    assert (record.data_format, record.data_size, record.schema) == ("text/plain", 5, NOTE)
    assert record.tags == {"mood": "good", "rank": 1.5}
    assert await record.data.text() == "first"

    await record.update(data="second")
    assert (await web5.dwn.records.read(record.id)).tags == {"mood": "good", "rank": 1.5}
    await record.update(tags={})
    assert record.date_modified > record.date_created
    found = await web5.dwn.records.read(record.id)
    assert await found.data.text() == "second"
    assert found.tags == {}
    assert found.date_created == record.date_created
    assert found.initial_write is not None
    assert found.to_json() == record.to_json()

    await found.delete()
    assert found.deleted
    assert found.data_cid is None
    assert (found.id, found.schema, found.date_created) == (record.id, NOTE, record.date_created)
    with pytest.raises(NotFound):
        await found.data.bytes()
    with pytest.raises(InvalidArgument, match="deleted"):
        await found.update(data="third")
    with pytest.raises(NotFound):
        await web5.dwn.records.read(record.id)
    with pytest.raises(NotFound):
        await web5.dwn.records.delete(record.id)
    assert await web5.dwn.records.query(schema=NOTE) == []


async def test_an_update_without_data_keeps_the_data(world: World) -> None:
    web5 = await connected(world)
    for data in (b"small", LARGE):
        record = await web5.dwn.records.create(data, data_format="image/png")
        await record.update(published=True)
        found = await web5.dwn.records.read(record.id)
        assert found.published
        assert found.date_published
        assert await found.data.bytes() == data


async def test_json_and_large_data_come_back(world: World) -> None:
    web5 = await connected(world)
    document = await web5.dwn.records.create({"a": [1, "ü", None]})
    assert await (await web5.dwn.records.read(document.id)).data.json() == {"a": [1, "ü", None]}
    large = await web5.dwn.records.create(LARGE, schema=NOTE)
    [found] = await web5.dwn.records.query(schema=NOTE)
    for _ in range(2):
        assert await found.data.bytes() == LARGE
    assert b"".join([chunk async for chunk in await (await web5.dwn.records.read(large.id)).data.stream()]) == LARGE


async def test_a_query_is_paged(world: World) -> None:
    web5 = await connected(world)
    made = [(await web5.dwn.records.create(str(i), schema=NOTE)).id for i in range(5)]
    seen: list[str] = []
    cursor = None
    pages = 0
    while True:
        page = await web5.dwn.records.query(schema=NOTE, date_sort="createdDescending", limit=2, cursor=cursor)
        seen += [record.id for record in page]
        pages += 1
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == made[::-1]
    assert pages == 3


async def test_what_a_query_cannot_be_asked_says_so(world: World) -> None:
    web5 = await connected(world)
    with pytest.raises(InvalidArgument, match="no order 'createdDesc'; did you mean 'createdDescending'"):
        await web5.dwn.records.query(schema=NOTE, date_sort="createdDesc")
    with pytest.raises(InvalidArgument, match="limit=0 has to be a whole number from 1 on"):
        await web5.dwn.records.query(schema=NOTE, limit=0)


async def test_send_reaches_all_endpoints_and_says_so(world: World) -> None:
    web5 = await connected(world)
    record = await web5.dwn.records.create("now", schema=NOTE)
    assert (await record.send()).delivered == world.endpoints
    phone = await second_device(world, web5)
    [remote] = await phone.dwn.records.query(from_=web5.connected_did, schema=NOTE)
    assert await remote.data.text() == "now"
    await record.update(data="later")
    await record.send()
    await record.delete()
    await record.send()
    assert await phone.dwn.records.query(from_=web5.connected_did, schema=NOTE) == []


async def test_send_with_one_endpoint_down_reaches_the_other(world: World) -> None:
    web5 = await connected(world)
    record = await web5.dwn.records.create("now", schema=NOTE)
    world.down.add("dwn1")
    report = await record.send()
    assert report.delivered == [world.endpoints[0]]
    assert [result.endpoint for result in report.failed] == [world.endpoints[1]]
    assert [(entry.endpoint, entry.direction) for entry in web5.sync.unsettled()] == [(world.endpoints[1], "push")]
    world.down.add("dwn0")
    report = await (await record.update(data="again")).send()
    assert report.delivered == [] and [result.endpoint for result in report.pending] == world.endpoints
    world.down.clear()
    assert (await web5.sync.now()).ok
    assert web5.sync.unsettled() == []


async def test_two_devices_hold_the_same(world: World) -> None:
    laptop = await connected(world)
    notes = [await laptop.dwn.records.create(f"note {i}", schema=NOTE) for i in range(30)]
    photo = await laptop.dwn.records.create(LARGE, data_format="image/png")
    assert (await laptop.sync.now()).ok
    phone = await second_device(world, laptop)
    assert (await phone.sync.now()).ok
    assert len(await phone.dwn.records.query(schema=NOTE)) == 30
    assert await (await phone.dwn.records.read(photo.id)).data.bytes() == LARGE

    await (await phone.dwn.records.read(notes[0].id)).update(data="edited on the phone")
    await phone.dwn.records.delete(notes[1].id)
    assert (await phone.sync.now()).ok
    assert (await laptop.sync.now()).ok
    assert await (await laptop.dwn.records.read(notes[0].id)).data.text() == "edited on the phone"
    with pytest.raises(NotFound):
        await laptop.dwn.records.read(notes[1].id)


async def test_strangers_see_what_is_published_and_nothing_else(world: World) -> None:
    alice = await connected(world)
    public = await alice.dwn.records.create("public", schema=NOTE, published=True)
    private = await alice.dwn.records.create("private", schema=NOTE)
    assert (await alice.sync.now()).ok
    bob = await connected(world, "bob")
    seen = await bob.dwn.records.query(from_=alice.connected_did, schema=NOTE)
    assert [record.id for record in seen] == [public.id]
    with pytest.raises(Unauthorized):
        await bob.dwn.records.read(private.id, from_=alice.connected_did)
    with pytest.raises(RemoteError):
        await bob.dwn.records.query(from_="did:jwk:nonsense", schema=NOTE)


async def test_changes_are_told_for_local_and_pulled_messages(world: World) -> None:
    laptop = await connected(world)
    told: list[tuple[str, str]] = []
    laptop.on_change.append(lambda tenant, cid: told.append((tenant, cid)))
    await laptop.dwn.records.create("x", schema=NOTE)
    assert [tenant for tenant, _ in told] == [laptop.connected_did]
    await laptop.sync.now()
    phone = await second_device(world, laptop)
    on_phone: list[tuple[str, str]] = []
    phone.on_change.append(lambda tenant, cid: on_phone.append((tenant, cid)))
    await phone.sync.now()
    assert on_phone == told


async def test_another_identity_has_its_own_records(world: World) -> None:
    web5 = await connected(world)
    await web5.dwn.records.create("mine", schema=NOTE)
    work = await web5.identities.create("Work", dwn_endpoints=world.endpoints)
    at_work = await web5.use(work.did)
    assert await at_work.dwn.records.query(schema=NOTE) == []
    assert [identity.name for identity in web5.identities.list()] == ["Default", "Work"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"dwn_endpoints": "http://node.example"}, r"dwn_endpoints='http://node.example' has to be a list of texts"),
        ({"dwn_endpoints": ["node.example"]}, "'node.example' is not the URL of a DWN"),
        ({"did_dht_gateways": "http://dht.example"}, "did_dht_gateways=.* has to be a list"),
        ({"data_paht": "/nowhere"}, r"connect\(\) has no argument 'data_paht'; did you mean 'data_path'\?"),
        ({"syncc": "2m"}, "no argument 'syncc'; did you mean 'sync'"),
    ],
)
async def test_what_cannot_be_connected_with_is_refused_by_its_name(
    tmp_path: Path, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(InvalidArgument, match=said):
        await Web5.connect(**{"data_path": tmp_path / "data", **options})
    assert not (tmp_path / "data").exists()


async def test_a_connection_is_a_context_that_closes(tmp_path: Path) -> None:
    http = ClosableHttp()
    connection = await Web5.connect(sync="off", config={}, data_path=tmp_path, http=http)
    async with connection as web5:
        await web5.dwn.records.create("x")
        assert repr(connection) == f"<Connection {connection.did}>"
    assert http.closed
    async with (await Web5.connect(sync="off", config={}, data_path=tmp_path, http=ClosableHttp())).web5 as again:
        assert again.connected_did == connection.did


async def test_closing_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    for _ in range(2):
        web5, _did = await Web5.connect(
            sync="live", dwn_endpoints=["http://127.0.0.1:9/"], config={}, data_path=tmp_path, http=ClosableHttp()
        )
        await web5.close()
    await asyncio.sleep(0)
    gc.collect()
    assert failures == []
