"""RecordsDelete: the end of a record."""

from __future__ import annotations

from tests.unit.dwn.conftest import World
from web5.dwn.values.cid import message_cid
from web5.dwn.values.timestamps import format_timestamp, parse_timestamp


async def test_a_delete_leaves_the_initial_write_and_itself(world: World) -> None:
    first = await world.write()
    await world.write(existing=first, data=b"two")
    delete = await world.delete(first)
    assert await world.status(delete) == (202, "Accepted")
    assert await world.log() == [message_cid(first), message_cid(delete)]


async def test_a_record_that_is_not_there_cannot_be_deleted(world: World) -> None:
    assert await world.status(await world.delete({"recordId": "nothing"})) == (404, "Not Found")


async def test_an_initial_write_without_data_can_be_deleted(world: World) -> None:
    write = await world.compose()
    await world.send(write)
    assert await world.status(await world.delete(write)) == (202, "Accepted")


async def test_a_deleted_record_can_only_be_pruned_once(world: World) -> None:
    write = await world.write()
    assert await world.status(await world.delete(write)) == (202, "Accepted")
    assert await world.status(await world.delete(write)) == (404, "Not Found")
    prune = await world.delete(write, prune=True)
    assert await world.status(prune) == (202, "Accepted")
    assert await world.status(await world.delete(write, prune=True)) == (404, "Not Found")
    assert await world.log() == [message_cid(write), message_cid(prune)]


async def test_a_delete_must_be_newer_than_the_record(world: World) -> None:
    write = await world.write()
    written = parse_timestamp(write["descriptor"]["messageTimestamp"])
    older = await world.delete(write, message_timestamp=format_timestamp(written - 1))
    assert await world.status(older) == (409, "Conflict")


async def test_strangers_cannot_delete(world: World) -> None:
    write = await world.write(recipient=world.bob.did)
    assert await world.status(await world.delete(write, by=world.bob)) == (401, "RecordsDeleteAuthorizationFailed")
    assert await world.query(by=world.alice, recordId=write["recordId"]) == [write["recordId"]]
