"""`send` to somebody else, whose nodes are away, lack something, or refuse."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.conftest import World
from web5 import Web5
from web5.api.records.record import Record
from web5.errors import InvalidArgument, Unauthorized
from web5.sync import State

TALK: dict[str, Any] = {
    "protocol": "https://talk.example",
    "published": True,
    "types": {"line": {}},
    "structure": {"line": {"$actions": [{"who": "anyone", "can": ["create", "update"]}]}},
}


async def person(world: World, name: str) -> Web5:
    agent = await world.device(name)
    identity = await agent.create_identity(name, world.endpoints)
    assert await agent.publish_all()
    return Web5(agent, identity.did)


async def line(web5: Web5, text: str = "hello") -> Record:
    return await web5.dwn.records.create(
        text, protocol=TALK["protocol"], protocol_path="line", data_format="text/plain"
    )


@pytest.fixture
async def two(world: World) -> tuple[Web5, Web5]:
    alice, bob = await person(world, "alice"), await person(world, "bob")
    await alice.dwn.protocols.configure(TALK)
    return alice, bob


async def test_a_record_that_did_not_get_through_is_pending_and_arrives(world: World, two: tuple[Web5, Web5]) -> None:
    alice, bob = two
    await bob.dwn.protocols.configure(TALK)
    assert (await bob.sync.now()).ok
    record = await line(alice)
    world.down.update(("dwn0", "dwn1"))
    report = await record.send(bob.connected_did)
    assert report.delivered == [] and [one.endpoint for one in report.pending] == world.endpoints
    rows = alice.sync.unsettled(target=bob.connected_did)
    assert [(row.target, row.endpoint) for row in rows] == [(bob.connected_did, url) for url in world.endpoints]
    assert [(one.target, one.undelivered) for one in alice.sync.status().deliveries] == [(bob.connected_did, 1)] * 2
    assert bob.sync.unsettled() == []
    world.down.clear()
    assert (await alice.sync.now()).delivered == 2
    assert alice.sync.unsettled() == [] and list(alice.sync.status().deliveries) == []
    assert (await bob.sync.now()).ok
    [found] = await bob.dwn.records.query(protocol=TALK["protocol"])
    assert await found.data.text() == "hello"


async def test_what_is_sent_can_be_taken_back(world: World, two: tuple[Web5, Web5]) -> None:
    alice, bob = two
    one, other, last = [await line(alice, text) for text in ("one", "other", "last")]
    assert (await alice.sync.now()).ok
    world.down.update(("dwn0", "dwn1"))
    for record in (one, other, last):
        await record.send(bob.connected_did)
    assert await alice.sync.withdraw(alice.sync.unsettled()[0]) == 1
    assert await alice.sync.withdraw(other, bob.connected_did) == 1
    assert await alice.sync.withdraw(one) == 0
    assert await alice.sync.withdraw(target=bob.connected_did) == 1
    assert alice.sync.unsettled() == []
    await line(alice)
    own = alice.sync.unsettled()[0]
    for wrong in ({"what": own}, {}, {"what": 5}):
        with pytest.raises(InvalidArgument):
            await alice.sync.withdraw(**wrong)  # type: ignore[arg-type]


async def test_a_refusal_is_raised_and_kept_and_a_lack_is_waited_for(two: tuple[Web5, Web5]) -> None:
    alice, bob = two
    note = await alice.dwn.records.create("mine", schema="https://note.example")
    with pytest.raises(Unauthorized):
        await note.send(bob.connected_did)
    assert {row.state for row in alice.sync.unsettled(target=bob.connected_did)} == {State.REFUSED}
    assert await alice.sync.withdraw(note) == 1
    report = await (await line(alice)).send(bob.connected_did)
    words = f"the node of {bob.connected_did} lacks protocol https://talk.example: "
    assert report.pending and all(one.detail.startswith(words) for one in report.pending)
    await bob.dwn.protocols.configure(TALK)
    assert (await bob.sync.now()).ok
    await alice.sync.retry()
    assert alice.sync.unsettled(target=bob.connected_did) == []


async def test_a_request_for_a_permission_waits_too(world: World, two: tuple[Web5, Web5]) -> None:
    alice, bob = two
    request = await alice.dwn.permissions.request(
        scope={"interface": "Records", "method": "Read", "protocol": TALK["protocol"]}
    )
    world.down.update(("dwn0", "dwn1"))
    assert len((await request.send(bob.connected_did)).pending) == 2
    world.down.clear()
    await alice.sync.now()
    assert [found.id for found in await bob.dwn.permissions.query_requests(from_=bob.connected_did)] == [request.id]
