"""One identity, two apps: web5-js on one device, web5-py on another, two reference dwn-servers between them."""

from __future__ import annotations

import base64

import pytest

from tests.interop.api.conftest import World

pytestmark = pytest.mark.asyncio(loop_scope="session")

SCHEMA = "https://schema.org/TextDigitalDocument"
TEXT = {"schema": SCHEMA, "dataFormat": "text/plain"}
LARGE = bytes(i & 255 for i in range(1_000_000))


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


async def test_an_identity_of_ours_is_used_by_web5_js(world: World) -> None:
    assert await world.ours.agent.publish_all()
    did = world.ours.connected_did
    note = await world.ours.dwn.records.create("from Python", schema=SCHEMA, data_format="text/plain")
    photo = await world.ours.dwn.records.create(LARGE, schema="https://example.org/photo", data_format="image/png")
    assert set((await note.send()).delivered) == set(world.servers)
    await world.ours.sync.now()

    await world.peer.call("connect", endpoints=world.servers)
    assert await world.peer.call("importIdentity", portableIdentity=await world.ours.identities.export(did)) == did
    await world.peer.call("sync", direction="pull")
    [seen] = await world.peer.call("query", filter={"schema": SCHEMA})
    assert seen["id"] == note.id
    assert base64.b64decode(seen["data"]) == b"from Python"
    [seen_photo] = await world.peer.call("query", filter={"recordId": photo.id})
    assert base64.b64decode(seen_photo["data"]) == LARGE

    await world.peer.call("update", id=note.id, data=encoded(b"edited in JavaScript"))
    theirs = await world.peer.call("create", data=encoded(b"from JavaScript"), **TEXT)
    await world.sync_all()
    assert await (await world.ours.dwn.records.read(note.id)).data.text() == "edited in JavaScript"
    found = {record.id: await record.data.text() for record in await world.ours.dwn.records.query(schema=SCHEMA)}
    assert found == {note.id: "edited in JavaScript", theirs: "from JavaScript"}

    await world.peer.call("remove", id=note.id)
    await world.ours.dwn.records.delete(theirs)
    await world.sync_all()
    assert await world.ours.dwn.records.query(schema=SCHEMA) == []
    assert await world.peer.call("query", filter={"schema": SCHEMA}) == []


async def test_an_identity_of_web5_js_is_used_by_ours(world: World) -> None:
    did = await world.peer.call("connect", endpoints=world.servers)
    note = await world.peer.call("create", data=encoded(b"from JavaScript"), **TEXT)
    large = await world.peer.call("create", data=encoded(LARGE), schema=SCHEMA, dataFormat="image/png")
    await world.peer.call("update", id=note, data=encoded(b"edited at once"))
    await world.peer.call("sync", direction="push")

    portable = await world.peer.call("exportIdentity", did=did)
    identity = await world.ours.identities.import_(portable)
    ours = world.ours = await world.ours.use(identity.did)
    await ours.sync.now("pull")
    assert await (await ours.dwn.records.read(note)).data.text() == "edited at once"
    assert await (await ours.dwn.records.read(large)).data.bytes() == LARGE
    assert (await ours.identities.export(did))["portableDid"] == portable["portableDid"]

    record = await ours.dwn.records.read(note)
    await record.update(data="edited in Python")
    await record.send()
    [remote] = await world.peer.call("query", filter={"recordId": note}, **{"from": did})
    assert base64.b64decode(remote["data"]) == b"edited in Python"
