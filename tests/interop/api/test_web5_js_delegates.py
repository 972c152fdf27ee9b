"""A delegate with grants of the other implementation, both ways, through reference dwn-servers and nodes of ours."""

from __future__ import annotations

import base64

import pytest

from tests.interop.api.conftest import World
from tests.interop.reference import ReferenceError
from web5 import ProtocolPermissions, Web5
from web5.errors import GrantEnded, GrantMissing

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTES = "https://example.org/notes"
DEFINITION = {
    "protocol": NOTES,
    "published": False,
    "types": {"note": {"schema": "https://example.org/note", "dataFormats": ["text/plain"]}},
    "structure": {"note": {}},
}


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_a_delegate_in_web5_js_acts_with_grants_of_ours(world: World) -> None:
    await web5_js_acts_with_grants_of_ours(world)


async def test_a_delegate_in_web5_js_acts_with_grants_of_ours_at_nodes_of_ours(world_of_ours: World) -> None:
    await web5_js_acts_with_grants_of_ours(world_of_ours)


async def web5_js_acts_with_grants_of_ours(world: World) -> None:
    alice = world.ours
    assert await alice.agent.publish_all()
    delegation = await alice.authorize(permissions=[ProtocolPermissions(DEFINITION, ["read", "write", "query"])])
    note = await alice.dwn.records.create(
        "from Alice", protocol=NOTES, protocol_path="note", schema="https://example.org/note"
    )
    assert (await alice.sync.now("push")).ok

    await world.peer.call("connect", endpoints=world.servers)
    await world.peer.call("connectAsDelegate", delegation=delegation)
    [seen] = await world.peer.call("query", filter={"protocol": NOTES})
    assert (seen["id"], base64.b64decode(seen["data"])) == (note.id, b"from Alice")
    theirs = await world.peer.call(
        "create",
        data=encoded("from the app"),
        protocol=NOTES,
        protocolPath="note",
        schema="https://example.org/note",
        dataFormat="text/plain",
    )
    await world.peer.call("update", id=note.id, protocol=NOTES, data=encoded("edited by the app"))
    with pytest.raises(ReferenceError, match="No permissions found for RecordsDelete"):
        await world.peer.call("remove", id=note.id, protocol=NOTES)
    await world.peer.call("sync", direction="push")

    assert (await alice.sync.now("pull")).ok
    found = {record.id: record for record in await alice.dwn.records.query(protocol=NOTES)}
    assert found.keys() == {note.id, theirs}
    assert {record.author for record in found.values()} == {alice.connected_did}
    assert await found[note.id].data.text() == "edited by the app"
    assert await found[theirs].data.text() == "from the app"


async def test_a_delegate_in_ours_acts_with_grants_of_web5_js(world: World) -> None:
    did = await world.peer.call("connect", endpoints=world.servers)
    delegation = await world.peer.call("authorize", definition=DEFINITION, permissions=["read", "write", "query"])
    note = await world.peer.call(
        "create",
        data=encoded("from JavaScript"),
        protocol=NOTES,
        protocolPath="note",
        schema="https://example.org/note",
        dataFormat="text/plain",
    )
    await world.peer.call("sync", direction="push")

    app, connected = await Web5.connect_as_delegate(delegation, agent=world.app, sync="1 hour")
    assert connected == did
    await app.sync.stop()
    [protocol] = await app.dwn.protocols.query(NOTES)
    assert protocol.definition == DEFINITION
    read = await app.dwn.records.read(note)
    await read.update(data="edited in Python")
    mine = await app.dwn.records.create(
        "from Python", protocol=NOTES, protocol_path="note", schema="https://example.org/note"
    )
    assert len((await mine.send()).delivered) == 2
    with pytest.raises(GrantMissing, match="RecordsDelete"):
        await read.delete()
    assert (await app.sync.now()).ok
    assert app.sync.unsettled() == []

    await world.peer.call("sync", direction="pull")
    seen = {one["id"]: one for one in await world.peer.call("query", filter={"protocol": NOTES})}
    assert base64.b64decode(seen[note]["data"]) == b"edited in Python"
    assert base64.b64decode(seen[mine.id]["data"]) == b"from Python"
    assert {one["author"] for one in seen.values()} == {did}

    await world.peer.call("revokeAll")
    assert app.delegation
    await app.delegation.refresh()
    with pytest.raises(GrantEnded, match="was revoked"):
        await app.dwn.records.query(protocol=NOTES)
