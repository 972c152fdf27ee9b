"""One agent for several interpreters: the whole API beside the node, and what becomes of it when the node goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.unit.agent.shared.origin import Origin, platform_of
from tests.unit.conftest import World
from web5 import ProtocolPermissions, Record, Web5
from web5.agent.shared import state
from web5.errors import Conflict, GrantMissing, InvalidArgument, NotFound, StorageBusy

LARGE = bytes(range(256)) * 8192


@pytest.fixture
async def origin(world: World) -> Origin:
    return Origin(world)


@pytest.fixture
async def three(origin: Origin) -> AsyncIterator[tuple[Web5, Web5, Web5]]:
    opened = [await origin.interpreter() for _ in range(3)]
    yield opened[0], opened[1], opened[2]
    for web5 in opened:
        await web5.close()


def kill_in(origin: Origin, node: Web5, name: str, *, after: bool, times: int = 1) -> list[str]:
    """Kill the node when a call of this name was made so often, before or after it was carried out."""
    killed: list[str] = []
    left = times

    async def kill(called: str) -> None:
        nonlocal left
        if called != name or killed:
            return
        left -= 1
        if left == 0:
            killed.append(called)
            task = asyncio.ensure_future(platform_of(node).kill())
            await asyncio.shield(task)

    if after:
        origin.after = kill
    else:
        origin.before = kill
    return killed


async def test_all_have_the_same_agent(three: tuple[Web5, Web5, Web5]) -> None:
    node, other, third = three
    assert {one.connected_did for one in three} == {node.connected_did}
    assert [one.agent.joined for one in three] == [False, True, True]
    record = await other.dwn.records.create("hello", tags={"a": 1})
    for web5 in three:
        [found] = await web5.dwn.records.query(tags={"a": 1})
        assert (found.id, await found.data.text()) == (record.id, "hello")
    await (await third.dwn.records.read(record.id)).update(data="changed", published=True)
    assert await (await node.dwn.records.read(record.id)).data.text() == "changed"
    with pytest.raises(Conflict):
        await record.store()
        await other.agent.messages.process(other.connected_did, record.raw_message, b"hello")
    cids = [one.cid for one in await node.dwn.messages.query()]
    assert [one.cid for one in await other.dwn.messages.query(limit=len(cids))] == cids
    assert (await (await third.dwn.messages.read(cids[0])).verify()).ok
    await third.dwn.records.delete(record.id)
    with pytest.raises(NotFound):
        await other.dwn.records.read(record.id)


async def test_what_is_read_without_waiting_is_told(three: tuple[Web5, Web5, Web5]) -> None:
    node, other, third = three
    assert [(one.vault.state, one.vault.protection) for one in three] == [("unlocked", "device")] * 3
    second = await other.identities.create("Work", dwn_endpoints=[])
    assert [one.name for one in other.identities.list()] == ["Default", "Work"]
    await other.identities.rename(second.did, "Office")
    assert node.identities.list() == other.identities.list()
    await other.sync.start("1 hour")
    assert other.sync.interval == node.sync.interval == "1 hour"
    await other.sync.now()
    await other.sync.start("off")
    await other.dwn.records.create("waits")
    await third.agent.refresh()  # type: ignore[attr-defined]
    assert list(third.sync.status()) == list(node.sync.status())
    assert list(third.sync.unsettled(limit=None)) == list(node.sync.unsettled(limit=None)) != []
    assert list(third.sync.unsettled(endpoint=third.sync.status()[0].endpoint, limit=None)) == list(
        node.sync.unsettled(endpoint=node.sync.status()[0].endpoint, limit=None)
    )


async def test_all_that_is_unsettled_is_to_be_had_beside_the_node_where_the_state_has_not_all(
    three: tuple[Web5, Web5, Web5], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state, "MOST_TOLD", 2)
    node, other, _third = three
    await node.sync.now()
    for _ in range(3):
        await other.dwn.records.create("waits")
    await other.agent.refresh()  # type: ignore[attr-defined]
    with pytest.raises(StorageBusy, match="all_unsettled"):
        other.sync.unsettled(limit=None)
    everything = list(node.sync.unsettled(limit=None))
    assert len(everything) > 2 and [one async for one in other.sync.all_unsettled()] == everything
    url = everything[0].endpoint
    assert [one async for one in other.sync.all_unsettled(endpoint=url, states=["pending"])] == [  # type: ignore[list-item]
        one for one in everything if one.endpoint == url and one.state == "pending"
    ]
    with pytest.raises(InvalidArgument, match="state"):
        [one async for one in other.sync.all_unsettled(states=["lost"])]  # type: ignore[list-item]


async def test_large_data_go_both_ways_in_chunks(three: tuple[Web5, Web5, Web5]) -> None:
    _node, other, third = three

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(LARGE), 70_000):
            yield LARGE[start : start + 70_000]

    for data in (chunks, LARGE):
        record = await other.dwn.records.create(data)
        for web5 in three:
            assert await (await web5.dwn.records.read(record.id)).data.bytes() == LARGE
    stream = await (await third.dwn.records.read(record.id)).data.stream()
    assert await anext(stream)
    await stream.aclose()  # type: ignore[attr-defined]

    async def broken() -> AsyncIterator[bytes]:
        yield b"a" * 100_000
        raise OSError("the card was pulled out")

    with pytest.raises(OSError, match="pulled out"):
        await other.dwn.records.create(broken)
    assert len(await other.dwn.records.query()) == 2


async def test_protocols_roles_and_encryption(three: tuple[Web5, Web5, Web5], world: World) -> None:
    node, other, third = three
    definition: dict[str, Any] = {
        "protocol": "https://diary.example/",
        "published": False,
        "types": {"entry": {"encryptionRequired": True}},
        "structure": {"entry": {}},
    }
    configured = await other.dwn.protocols.configure(definition)
    assert (await third.dwn.protocols.configure(definition)).message == configured.message
    entry = await other.dwn.records.create("secret", protocol="https://diary.example/", protocol_path="entry")
    assert entry.encrypted
    for web5 in three:
        assert await (await web5.dwn.records.read(entry.id)).data.text() == "secret"
    await (await third.dwn.records.read(entry.id)).update(data="still secret")
    assert await (await node.dwn.records.read(entry.id)).data.text() == "still secret"
    grant = await other.dwn.permissions.grant(
        granted_to="did:example:bob", date_expires="2040-01-01T00:00:00.000000Z",
        scope={"interface": "Records", "method": "Read", "protocol": "https://diary.example/"},
    )  # fmt: skip
    assert [one.id for one in await third.dwn.permissions.query_grants()] == [grant.id]


async def test_a_delegate_works_through_the_node(three: tuple[Web5, Web5, Web5], world: World) -> None:
    app = Origin(world, "apps")
    owner = three[1]
    definition = {"protocol": "https://p.example/", "published": True, "types": {"a": {}}, "structure": {"a": {}}}
    delegation = await owner.authorize(permissions=[ProtocolPermissions(definition, ["write", "read", "query"])])
    first, second = [await app.interpreter() for _ in range(2)]
    connection = await Web5.connect_as_delegate(delegation, agent=second.agent, sync="off")
    delegate = connection.web5
    assert delegate.connected_did == owner.connected_did
    assert delegate.delegation is not None and len(delegate.delegation.grants()) >= 3
    with pytest.raises(GrantMissing) as refused:
        await delegate.dwn.records.create("no", protocol="https://other.example/", protocol_path="a")
    assert refused.value.scope["protocol"] == "https://other.example"
    await first.close()
    await second.close()


async def test_a_subscription_hears_all_in_their_order(three: tuple[Web5, Web5, Web5]) -> None:
    _node, other, third = three
    heard: asyncio.Queue[Record] = asyncio.Queue()
    subscription = await other.dwn.records.subscribe(heard.put_nowait, schema="urn:note")
    ids = [(await web5.dwn.records.create(str(number), schema="urn:note")).id for number, web5 in enumerate(three * 4)]
    assert [(await asyncio.wait_for(heard.get(), 5)).id for _ in ids] == ids
    await subscription.close()
    await third.dwn.records.create("unheard", schema="urn:note")
    assert heard.empty()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["process", "sign"])
async def test_a_write_goes_on_at_the_next_node(
    three: tuple[Web5, Web5, Web5], origin: Origin, name: str, after: bool
) -> None:
    node, other, third = three
    killed = kill_in(origin, node, name, after=after)
    record = await other.dwn.records.create("written once")
    assert killed
    assert [one.id for one in await third.dwn.records.query()] == [record.id]


@pytest.mark.parametrize("after", [False, True])
async def test_questions_go_on_at_the_next_node(three: tuple[Web5, Web5, Web5], origin: Origin, after: bool) -> None:
    node, other, third = three
    record = await other.dwn.records.create("kept")
    killed = kill_in(origin, node, "process", after=after)
    assert [one.id for one in await third.dwn.records.query()] == [record.id]
    assert killed
    origin.before = origin.after = None
    killed = kill_in(origin, platform_web5(three, origin), "process", after=after)
    beside = next(one for one in (other, third) if platform_of(one) is not origin.node)
    assert await (await beside.dwn.records.read(record.id)).data.text() == "kept"
    assert killed


def platform_web5(three: tuple[Web5, Web5, Web5], origin: Origin) -> Web5:
    return next(one for one in three if platform_of(one) is origin.node)


async def test_an_upload_goes_on_at_the_next_node(three: tuple[Web5, Web5, Web5], origin: Origin) -> None:
    node, other, third = three
    readings = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal readings
        readings += 1
        for start in range(0, len(LARGE), 70_000):
            yield LARGE[start : start + 70_000]

    killed = kill_in(origin, node, "put", after=False, times=4)
    record = await other.dwn.records.create(chunks)
    assert killed
    assert readings == 3  # for its CID, up to the node that went, and for the next
    assert await (await third.dwn.records.read(record.id)).data.bytes() == LARGE


async def test_a_download_goes_on_where_it_was(three: tuple[Web5, Web5, Web5], origin: Origin) -> None:
    node, other, third = three
    record = await other.dwn.records.create(LARGE)
    found = await third.dwn.records.read(record.id)
    killed = kill_in(origin, node, "take", after=False, times=4)
    assert await found.data.bytes() == LARGE
    assert killed


@pytest.mark.parametrize("name", ["process", "listen"])
async def test_a_subscription_goes_on_without_loss_and_twice_nothing(
    three: tuple[Web5, Web5, Web5], origin: Origin, name: str
) -> None:
    node, other, third = three
    heard: dict[int, list[str]] = {0: [], 1: []}
    everything = asyncio.Event()
    ids: list[str] = []

    def hear(number: int, record: Record) -> None:
        heard[number].append(record.id)
        if ids and [len(one) for one in heard.values()] == [len(ids)] * 2 and len(ids) == 12:
            everything.set()

    for number, web5 in enumerate((other, third)):
        await web5.dwn.records.subscribe(lambda record, number=number: hear(number, record), schema="urn:note")
    ids += [(await node.dwn.records.create(str(number), schema="urn:note")).id for number in range(3)]
    killed = kill_in(origin, node, "process" if name == "process" else "listen", after=True, times=2)
    for number in range(9):  # while these come the node is killed, which has stored or told of the last one
        ids.append((await third.dwn.records.create(str(number), schema="urn:note")).id)
        hear_all = [len(one) for one in heard.values()] == [len(ids)] * 2
        if hear_all and len(ids) == 12:
            everything.set()
    await asyncio.wait_for(everything.wait(), 10)
    assert killed and heard == {0: ids, 1: ids}


async def test_what_concerns_keys_and_passwords_makes_this_one_the_node(
    three: tuple[Web5, Web5, Web5], origin: Origin
) -> None:
    node, other, third = three
    record = await node.dwn.records.create("kept")
    asked: list[str] = []

    async def note(name: str) -> None:
        asked.append(name)

    heard: asyncio.Queue[Record] = asyncio.Queue()
    await node.dwn.records.subscribe(heard.put_nowait)
    origin.before = note
    exported = await other.identities.export(other.connected_did)
    assert exported["portableDid"]["privateKeys"]
    assert origin.node is platform_of(other)
    assert await (await node.dwn.records.read(record.id)).data.text() == "kept"
    written = await third.dwn.records.create("after")
    assert (await asyncio.wait_for(heard.get(), 5)).id == written.id
    assert not {"export_identity", "portable_did"} & set(asked)


async def test_the_last_one_takes_over_and_closes(three: tuple[Web5, Web5, Web5], origin: Origin) -> None:
    node, other, third = three
    record = await node.dwn.records.create("kept")
    await node.close()
    await other.close()
    assert await (await third.dwn.records.read(record.id)).data.text() == "kept"
    assert third.sync.interval == "off"
    await third.close()
    assert origin.node is None


async def test_what_is_asked_is_bounded_and_checked(three: tuple[Web5, Web5, Web5]) -> None:
    _node, other, _third = three
    ask = platform_of(other)
    for name, args in (
        ("export_identity", "{}"),
        ("_delegate", "{}"),
        ("has", '{"tenant": 1}'),
        ("has", "[]"),
        ("sign", '{"did": "did:x:y", "data": "*", "more": 1}'),
        ("put", '{"stream": "a", "chunk": null}'),
    ):
        with pytest.raises(InvalidArgument):
            await ask.call(name, args, idempotent=False)
    with pytest.raises(StorageBusy, match="has not joined"):
        await ask.call("listen", '{"session": "another"}', idempotent=False)
    assert await other.dwn.records.create("still there")
