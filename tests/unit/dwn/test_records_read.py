"""RecordsRead: who may read what."""

from __future__ import annotations

from tests.unit.dwn.conftest import World
from web5.dwn import compose


async def test_a_record_comes_with_its_data(world: World) -> None:
    write = await world.write(data=b"hello")
    reply = await world.read(by=world.alice, recordId=write["recordId"])
    assert reply["status"] == {"code": 200, "detail": "OK"}
    assert reply["entry"].keys() == {"recordsWrite", "data"}
    assert reply["entry"]["recordsWrite"] == write
    assert reply["entry"]["data"].size == 5
    assert [chunk async for chunk in reply["entry"]["data"]] == [b"hello"]


async def test_an_update_comes_with_the_initial_write(world: World) -> None:
    first = await world.write()
    second = await world.write(existing=first, data=b"two")
    entry = (await world.read(by=world.alice, recordId=first["recordId"]))["entry"]
    assert (entry["recordsWrite"], entry["initialWrite"]) == (second, first)


async def test_what_is_not_there(world: World) -> None:
    without_data = await world.compose()
    await world.send(without_data)
    for record_id in ("nothing", without_data["recordId"]):
        assert await world.read(by=world.alice, recordId=record_id) == {"status": {"code": 404, "detail": "Not Found"}}


async def test_a_deleted_record_gives_the_delete_and_the_initial_write(world: World) -> None:
    write = await world.write(schema="urn:note")
    delete = await world.delete(write)
    await world.send(delete)
    for filter in ({"recordId": write["recordId"]}, {"schema": "urn:note"}):
        reply = await world.read(by=world.alice, **filter)
        assert reply["status"]["code"] == 404
        assert reply["entry"] == {"recordsDelete": delete, "initialWrite": write}
    assert (await world.read(by=world.bob, recordId=write["recordId"]))["status"]["code"] == 401


async def test_a_filter_must_find_one_record(world: World) -> None:
    first, _ = await world.write(schema="urn:note"), await world.write(schema="urn:note")
    reply = await world.read(by=world.alice, schema="urn:note")
    assert reply["status"]["code"] == 400
    assert reply["status"]["detail"].startswith("RecordsReadReturnedMultiple: ")
    await world.send(await world.delete(first))
    assert (await world.read(by=world.alice, schema="urn:note"))["status"]["code"] == 400


async def test_who_may_read(world: World) -> None:
    private = (await world.write(recipient=world.bob.did))["recordId"]
    public = (await world.write(published=True))["recordId"]
    readers = (world.alice, world.bob, world.carol, None)
    assert [(await world.read(by=by, recordId=private))["status"]["code"] for by in readers] == [200, 200, 401, 401]
    assert [(await world.read(by=by, recordId=public))["status"]["code"] for by in readers] == [200, 200, 200, 200]


async def test_a_grant_that_is_not_here_does_not_help(world: World) -> None:
    filter = {"recordId": (await world.write())["recordId"]}
    read = await compose.records_read(world.bob.signer, world.clock, filter=filter, permission_grant_id="grant")
    assert await world.status(read) == (401, "GrantAuthorizationGrantMissing")
