"""`web5.nodes`, and what is said of an identity without nodes or gateways, on real nodes and a real gateway."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.conftest import ORIGIN, World
from tests.watch import until
from web5 import Web5
from web5.agent.publication.status import PublicationState
from web5.api.nodes.nodes import NodeState, normalized
from web5.cpython.http import HttpxHttp
from web5.errors import (
    DidError,
    InvalidArgument,
    NodeNeeded,
    NoGateway,
    NotPublishedWarning,
    RemoteError,
    SettingsError,
)
from web5.settings import Settings
from web5.sync import Activity


async def connected(world: World, *options: Any, endpoints: int = 1) -> Web5:
    agent = await world.blank_device("laptop", *options)
    return (await Web5.connect(agent=agent, dwn_endpoints=world.endpoints[:endpoints], sync="off")).web5


async def test_nodes_are_listed_with_their_state_added_and_removed(world: World) -> None:
    web5 = await connected(world)
    assert await web5.agent.publish_all()
    await web5.sync.now()
    assert [(node.url, node.state, node.reason) for node in await web5.nodes.list()] == [
        (world.endpoints[0], NodeState.IN_STEP, None)
    ]
    await web5.dwn.records.create("a note")
    [node] = await web5.nodes.list()
    assert (node.state, node.reason) == (NodeState.PENDING, "1 to bring there, 0 to fetch")
    assert node.last_success is not None and node.last_success.tzinfo is not None

    await web5.nodes.add(world.endpoints[1])
    assert await web5.agent.publish_all()
    assert (await web5.sync.now()).complete
    assert [(node.url, node.state) for node in await web5.nodes.list()] == [
        (url, NodeState.IN_STEP) for url in world.endpoints
    ]
    assert all(found.same and found.both for found in await web5.nodes.check())
    [found] = await web5.nodes.check(world.endpoints[1])
    assert (found.endpoint, found.tenant) == (world.endpoints[1], web5.connected_did)

    await web5.nodes.remove(world.endpoints[0])
    await web5.nodes.remove(world.endpoints[0])
    assert [node.url for node in await web5.nodes.list()] == world.endpoints[1:]
    for did in (web5.connected_did, web5.vault.agent_did or ""):
        document = (await web5.did.resolve(did)).did_document
        assert document is not None and document.dwn_endpoints == world.endpoints[1:]


async def test_a_node_that_cannot_be_reached_says_so_and_is_not_removed_unless_forced(world: World) -> None:
    web5 = await connected(world, endpoints=2)
    assert await web5.agent.publish_all()
    assert (await web5.sync.now()).complete
    world.down.add("dwn1")
    await web5.dwn.records.create("a note")
    await web5.sync.now()
    states = {node.url: node for node in await web5.nodes.list()}
    assert states[world.endpoints[0]].state is NodeState.IN_STEP
    assert states[world.endpoints[1]].state is NodeState.UNREACHABLE
    assert "down" in str(states[world.endpoints[1]])
    with pytest.raises(NodeNeeded):
        await web5.nodes.remove(world.endpoints[1])
    assert len(await web5.nodes.list()) == 2
    await web5.nodes.remove(world.endpoints[1], force=True)
    assert [node.url for node in await web5.nodes.list()] == world.endpoints[:1]


async def test_an_identity_moves_to_another_node_and_only_once_that_is_whole(world: World) -> None:
    web5 = await connected(world)
    old, new = world.endpoints
    assert await web5.agent.publish_all()
    note = await web5.dwn.records.create(b"x" * 40_000, data_format="application/octet-stream")
    await web5.sync.now()
    dids = (web5.connected_did, web5.vault.agent_did or "")

    for source, target in ((old, old), (new, old), ("https://stranger.example", new)):
        with pytest.raises(InvalidArgument):
            await web5.nodes.move(source, target)
    await web5.sync.scope(["https://example.org/notes"])
    with pytest.raises(NodeNeeded, match="limited to some protocols"):
        await web5.nodes.move(old, new)
    await web5.sync.scope(None)
    assert [node.url for node in await web5.nodes.list()] == [old]

    world.down.update(("dwn1", "dht"))
    with pytest.raises(NodeNeeded, match="dwn1"):
        await web5.nodes.move(old, new)
    assert [node.url for node in await web5.nodes.list()] == [old, new]
    world.down.remove("dwn1")
    with pytest.raises(NodeNeeded, match="do not find"):
        await web5.nodes.move(old, new)
    assert [node.url for node in await web5.nodes.list()] == [old, new]
    world.down.clear()

    told: list[tuple[str, int, int]] = []
    proof = await web5.nodes.move(old, new, on_progress=lambda *step: told.append(step))
    assert {(one.tenant, one.endpoint) for one in proof} == {(did, node) for did in dids for node in (old, new)}
    assert all(one.same and one.both for one in proof)
    assert list(dict.fromkeys(step for step, *_ in told)) == ["fill", "compare", "publish", "leave"]
    assert [(step, done) for step, done, _ in told][-1] == ("leave", 1)
    assert [(node.url, node.state) for node in await web5.nodes.list()] == [(new, NodeState.IN_STEP)]
    assert all(one.same and one.both for one in await web5.sync.check())
    for did in dids:
        document = (await web5.did.resolve(did)).did_document
        assert document is not None and document.dwn_endpoints == [new]
    world.down.add("dwn0")
    agent = await world.blank_device("phone")
    words = await web5.vault.recovery_phrase()
    phone, did = await Web5.connect(agent=agent, recovery_phrase=words, dwn_endpoints=[], sync="off")
    assert did == web5.connected_did
    assert (await phone.sync.now("pull")).complete
    assert len(await (await phone.dwn.records.read(note.id)).data.bytes()) == 40_000


async def test_a_node_s_description_is_known_once_it_was_asked(world: World) -> None:
    web5 = await connected(world)
    [node] = await web5.nodes.list()
    assert node.info is None
    info = await web5.nodes.info(node.url)
    assert info.web_socket_support and info.server
    assert (await web5.nodes.list())[0].info == info
    world.down.add("dwn0")
    with pytest.raises(RemoteError, match="down"):
        await web5.nodes.info(node.url)


async def test_what_is_no_node_is_refused(world: World) -> None:
    web5 = await connected(world)
    for call in (web5.nodes.add, web5.nodes.remove, web5.nodes.check, web5.nodes.info):
        with pytest.raises(InvalidArgument, match="address"):
            await call("two words")
    with pytest.raises(InvalidArgument, match="none of this identity's nodes"):
        await web5.nodes.check("https://stranger.example")
    assert [node.url for node in await web5.nodes.list()] == world.endpoints[:1]


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("dwn.example.org", "https://dwn.example.org"),
        (" dwn.example.org:8443/dwn/ ", "https://dwn.example.org:8443/dwn"),
        ("http://localhost:3000", "http://localhost:3000"),
    ],
)
def test_the_address_of_a_node(typed: str, url: str) -> None:
    assert normalized(typed) == url


@pytest.mark.parametrize(
    "typed", ["", " ", "https://", "ftp://example.org", "two words", "a?b", "a#b", "a:port", "[::1", "\ud800", 7, None]
)
def test_what_is_no_address(typed: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"address|has half of|has to be a str"):
        normalized(typed)


async def test_a_new_identity_is_on_the_nodes_of_the_agent(world: World) -> None:
    web5 = await connected(world, endpoints=2)
    did = (await web5.identities.create("Work")).did
    assert [node.url for node in await (await web5.use(did)).nodes.list()] == world.endpoints


async def test_whether_a_did_is_published_is_told(world: World) -> None:
    world.down.add("dht")
    web5 = await connected(world)
    await until(lambda: web5.nodes.published.reason)
    told = web5.nodes.published
    assert (told.did, told.state, told.is_found) == (web5.connected_did, PublicationState.PENDING, False)
    assert "down" in (told.reason or "") and told.next_try is not None and told.next_try.tzinfo is not None
    assert set(web5.sync.status().unpublished) == {web5.connected_did, web5.vault.agent_did}
    world.down.clear()
    assert await web5.agent.publish_all()
    assert web5.nodes.published.state is web5.vault.published.state is PublicationState.PUBLISHED
    assert web5.sync.status().unpublished == {}


async def test_without_a_gateway_an_identity_is_made_and_published_once_there_is_one(world: World) -> None:
    web5 = await connected(world, ())
    told = web5.nodes.published
    assert (told.state, told.next_try) == (PublicationState.NO_GATEWAY, None)
    assert "Web5.connect(did_dht_gateways=[…])" in (told.reason or "")
    record = await web5.dwn.records.create("kept here")
    assert not await web5.agent.publish_all()
    report = await web5.sync.now()
    assert "No DID DHT gateway is set" in report.did_errors[web5.connected_did]
    assert "No DID DHT gateway is set" in web5.sync.status().unpublished[web5.connected_did]
    [node] = await web5.nodes.list()
    assert node.state is NodeState.BLOCKED and "No DID DHT gateway is set" in (node.reason or "")

    stranger = await world.device("stranger")
    assert await stranger.publish_all()
    other = stranger.vault.agent_did or ""
    with pytest.raises(NoGateway, match="did_dht_gateways"):
        await web5.dwn.records.query(from_=other)
    with pytest.raises(DidError):
        await web5.dwn.records.query(from_=other)

    again, did = await Web5.connect(agent=web5.agent, did_dht_gateways=[f"{ORIGIN}/dht"], sync="off")
    assert did == web5.connected_did
    assert await web5.agent.publish_all()
    assert again.nodes.published.state is PublicationState.PUBLISHED
    assert (await again.sync.now()).complete
    assert [one.id for one in await again.dwn.records.query(from_=did)] == [record.id]


async def test_an_agent_that_had_no_gateway_publishes_by_itself_when_it_is_opened_with_one(world: World) -> None:
    web5 = await connected(world, ())
    await web5.close()
    web5 = await connected(world)
    await until(lambda: web5.nodes.published.is_found and web5.vault.published.is_found)


# -- what is set, and by whom


def nowhere() -> HttpxHttp:
    return HttpxHttp(httpx.MockTransport(lambda _: httpx.Response(503)))


async def opened(folder: Path, **options: Any) -> tuple[Web5, list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        connection = await Web5.connect(sync="off", data_path=folder / "agent", http=nowhere(), **options)
    return connection.web5, [one for one in caught if issubclass(one.category, NotPublishedWarning)]


async def test_without_settings_it_is_local_and_says_so_once(tmp_path: Path) -> None:
    web5, [warning] = await opened(tmp_path)
    assert warning.filename == __file__
    assert "did_dht_gateways" in str(warning.message)
    assert web5.agent.gateways.uris == () and await web5.nodes.list() == []
    assert [one.activity for one in web5.sync.status()] == [Activity.NOWHERE, Activity.NOWHERE]
    assert set(web5.sync.status().unpublished) == {web5.connected_did, web5.vault.agent_did}
    await web5.close()


@pytest.mark.parametrize(
    "config",
    [
        {"dwn_endpoints": ["https://node.example"], "did_dht_gateways": ["https://dht.example"]},
        Settings(dwn_endpoints=["https://node.example"], did_dht_gateways=["https://dht.example"]),
        "file",
        Path("file"),
        None,
    ],
)
async def test_settings_come_as_a_dict_a_model_a_path_or_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: Any
) -> None:
    file = tmp_path / "config.json"
    file.write_text('{"dwn_endpoints": ["https://node.example"], "did_dht_gateways": ["https://dht.example"]}')
    if config is None:
        monkeypatch.setenv("WEB5_CONFIG", str(file))
    elif not isinstance(config, dict | Settings):
        config = type(config)(file)
    web5, told = await opened(tmp_path, config=config)
    assert (web5.agent.gateways.uris, told) == (("https://dht.example",), [])
    assert [node.url for node in await web5.nodes.list()] == ["https://node.example"]
    await web5.close()


async def test_what_is_given_by_name_counts_before_the_settings(tmp_path: Path) -> None:
    config = {"dwn_endpoints": ["https://node.example"], "did_dht_gateways": ["https://dht.example"]}
    web5, told = await opened(tmp_path, config=config, did_dht_gateways=[], dwn_endpoints=[])
    assert (web5.agent.gateways.uris, await web5.nodes.list(), told) == ((), [], [])
    await web5.close()


@pytest.mark.parametrize(
    ("config", "error", "said"),
    [
        (7, InvalidArgument, "config=7 has to be a Settings, a dict"),
        ("", InvalidArgument, "config='' has to be"),
        (b"config.json", InvalidArgument, "has to be"),
        ({"did_dht_gateway": []}, SettingsError, "config: did_dht_gateway: there is no such setting"),
        ({"did_dht_gateways": ["dht"]}, SettingsError, "config: did_dht_gateways.0: 'dht' is not a URL"),
        ({"dwn_endpoints": "https://node.example"}, SettingsError, "config: dwn_endpoints"),
        ("nowhere/config.json", SettingsError, "nowhere/config.json: it cannot be read"),
    ],
)
async def test_settings_that_are_none_are_refused_before_anything_happens(
    tmp_path: Path, config: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        await opened(tmp_path, config=config)
    assert not (tmp_path / "agent").exists()
