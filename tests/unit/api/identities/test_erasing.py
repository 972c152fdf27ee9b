"""`web5.identities.erase`: nothing of an identity is left on the device, and nothing is lost unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.unit.conftest import World
from web5 import ProtocolPermissions, Web5
from web5.agent.agent import Agent
from web5.agent.recovery import recover
from web5.errors import IdentityError, InvalidArgument, OnlyHere

SECRET = "nobody is to find this again"
LARGE = SECRET.encode() * 3000


async def connect(agent: Agent, endpoints: list[str]) -> Web5:
    return (await Web5.connect(agent=agent, dwn_endpoints=endpoints, sync="off")).web5


async def write(web5: Web5) -> None:
    await web5.dwn.records.create(SECRET, schema="https://example.org/note")
    await web5.dwn.records.create(LARGE, schema="https://example.org/film")


def found_in(folder: Path) -> list[str]:
    """The files that have the text."""
    return [path.name for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def rows_about(agent: Agent, did: str) -> dict[str, int]:
    """The tables in which a DID stands, but those of the DIDs that were resolved."""
    db = agent.dwn.database.connection
    found = {}
    for (table,) in [*db.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]:
        columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]
        texts = [f"CAST({column} AS TEXT) = ?" for column in columns]
        [(count,)] = db.execute(f"SELECT count(*) FROM {table} WHERE {' OR '.join(texts)}", [did] * len(texts))
        if count:
            found[table] = count
    return found


async def test_nothing_of_an_identity_is_left_on_the_device(world: World) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    other = await agent.create_identity("Other", [])
    did = web5.connected_did
    await write(web5)
    await (await connect(agent, [])).use(other.did)
    kept = await Web5(agent, other.did).dwn.records.create("stays", schema="https://example.org/note")
    assert await agent.publish_all()
    assert (await web5.sync.now()).ok
    assert found_in(world.folder("laptop"))
    report = await web5.identities.erase(did)
    assert (report.messages, report.data_bytes) == (2, len(LARGE))
    assert [one.did for one in web5.identities.list()] == [other.did]
    assert rows_about(agent, did) == {}
    assert not await agent.dwn.blobs.keys()
    assert await (await Web5(agent, other.did).dwn.records.read(kept.id)).data.text() == "stays"
    await agent.close()
    assert found_in(world.folder("laptop")) == []
    reopened = await world.device("laptop")
    assert rows_about(reopened, did) == {}
    assert await (await Web5(reopened, other.did).dwn.records.read(kept.id)).data.text() == "stays"


async def test_what_is_nowhere_else_is_said_first(world: World) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    did = web5.connected_did
    await write(web5)
    with pytest.raises(OnlyHere, match="2 messages would be lost"):
        await web5.identities.erase(did)
    assert await agent.publish_all()
    world.down.add("dwn1")
    await web5.sync.now()
    await web5.dwn.records.create("late", schema="https://example.org/note")
    with pytest.raises(OnlyHere, match="1 message would"):
        await web5.identities.erase(did)
    await web5.sync.now()  # to the one node that is up, which will do
    await web5.identities.erase(did)
    assert web5.identities.list() == []


@pytest.mark.parametrize("force", [True, False])
async def test_one_without_nodes_is_erased_by_force_alone(world: World, force: bool) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    await write(web5)
    if not force:
        with pytest.raises(OnlyHere, match="no nodes"):
            await web5.identities.erase(web5.connected_did)
        assert len(await web5.dwn.records.query()) == 2
        return
    await web5.identities.erase(web5.connected_did, force=True)
    assert rows_about(agent, web5.connected_did) == {}


async def test_what_was_sent_to_others_and_has_not_arrived_is_not_given_up(world: World) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    bob = await world.device("bob")
    theirs = await connect(bob, world.endpoints[1:])
    assert await agent.publish_all() and await bob.publish_all()
    record = await web5.dwn.records.create(SECRET, schema="https://example.org/note")
    world.down.add("dwn1")
    await record.send(theirs.connected_did)
    await web5.sync.now()
    with pytest.raises(OnlyHere, match="sent to others"):
        await web5.identities.erase(web5.connected_did)
    await web5.identities.erase(web5.connected_did, force=True)
    assert rows_about(agent, web5.connected_did) == {}


async def held_at(world: World, web5: Web5) -> list[Any]:
    return [*await web5.dwn.records.query(from_=web5.connected_did)]


async def test_records_are_deleted_at_the_nodes_and_on_other_devices(world: World) -> None:
    laptop = await world.device("laptop")
    web5 = await connect(laptop, world.endpoints)
    stranger = await connect(await world.device("stranger"), [])
    did = web5.connected_did
    for number in range(3):
        await web5.dwn.records.create(f"{SECRET} {number}", schema="https://example.org/note", published=True)
    assert await laptop.publish_all()
    assert (await web5.sync.now()).complete
    assert len(await stranger.dwn.records.query(from_=did)) == 3
    phone = await world.blank_device("phone")
    await recover(phone, str(await laptop.vault.recovery_phrase()))
    await phone.sync.now()
    world.down.add("dwn0")
    with pytest.raises(OnlyHere, match="deletes among them"):
        await web5.identities.erase(did, at_nodes=True)
    world.down.clear()
    await laptop.sync.retry()
    report = await web5.identities.erase(did, at_nodes=True)
    assert report.deleted == 0, "they were deleted before"
    assert await stranger.dwn.records.query(from_=did) == []
    assert rows_about(laptop, did) == {}


async def test_a_delegate_leaves_nothing_of_whom_it_acted_for(world: World) -> None:
    owner = await connect(await world.device("laptop"), world.endpoints)
    definition = {
        "protocol": "https://example.org/notes",
        "published": True,
        "types": {"note": {"dataFormats": ["text/plain"]}},
        "structure": {"note": {}},
    }
    given = await owner.authorize(permissions=[ProtocolPermissions(definition, ["read", "write", "delete", "query"])])
    agent = await world.device("phone")
    web5 = (await Web5.connect_as_delegate(given, agent=agent, sync="off")).web5
    delegate = str(web5.delegate_did)
    assert (await owner.sync.now()).ok
    await web5.sync.now("pull")
    await web5.dwn.records.create(SECRET, protocol="https://example.org/notes", protocol_path="note")
    with pytest.raises(IdentityError, match="acts for"):
        await web5.identities.erase(web5.connected_did)
    with pytest.raises(InvalidArgument, match="Only who has the keys"):
        await web5.identities.erase(delegate, at_nodes=True)
    with pytest.raises(OnlyHere):
        await web5.identities.erase(delegate)
    await web5.identities.erase(delegate, force=True)
    for did in (delegate, web5.connected_did):
        assert rows_about(agent, did) == {}
    await agent.close()
    assert found_in(world.folder("phone")) == []


async def test_an_archive_brings_back_what_was_erased(world: World, tmp_path: Path) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    did = web5.connected_did
    await write(web5)
    assert await agent.publish_all()
    assert (await web5.sync.now()).complete
    await web5.export(tmp_path / "me.zip", keys="plain")
    await web5.identities.erase(did)
    report = await web5.import_(tmp_path / "me.zip")
    assert (report.taken, report.created_identity, report.complete) == (2, True, True)
    back = await web5.use(did)
    assert (await back.sync.now()).ok
    assert all(one.same for one in await back.sync.check() if one.tenant == did)
    [film] = await back.dwn.records.query(schema="https://example.org/film")
    assert await film.data.bytes() == LARGE


async def test_leftovers_are_erased_by_the_did_alone(world: World) -> None:
    agent = await world.device("laptop")
    web5 = await connect(agent, [])
    await write(web5)
    did = web5.connected_did
    await web5.identities.delete(did)
    assert rows_about(agent, did)
    assert (await web5.identities.erase(did)).messages == 2
    assert rows_about(agent, did) == {}
    with pytest.raises(IdentityError, match="Nothing of"):
        await web5.identities.erase(did)
    with pytest.raises(InvalidArgument, match="agent itself"):
        await web5.identities.erase(str(agent.vault.agent_did))


async def test_numbers_are_not_mixed_up_after_an_erasure(world: World) -> None:
    """The newest messages of the store are erased, it is opened again, and others write: all of that is sent."""
    agent = await world.device("laptop")
    web5 = await connect(agent, world.endpoints)
    first = await agent.create_identity("First", world.endpoints)
    last = await agent.create_identity("Last", [])
    assert await agent.publish_all()
    await Web5(agent, first.did).dwn.records.create("before", schema="https://example.org/note")
    assert (await web5.sync.now()).ok
    for number in range(5):
        await Web5(agent, last.did).dwn.records.create(f"{number}", schema="https://example.org/note")
    await web5.identities.erase(last.did, force=True)
    await agent.close()
    again = await world.device("laptop")
    record = await Web5(again, first.did).dwn.records.create("after", schema="https://example.org/note")
    assert await again.publish_all()
    assert (await again.sync.now(tenant=first.did)).complete
    assert await Web5(again, first.did).dwn.records.read(record.id, from_=first.did)
    assert all(one.same for one in await again.sync.check(first.did))
