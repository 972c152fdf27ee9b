"""MessagesQuery: the event log."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from web5.dwn import compose
from web5.dwn.store.database import open_memory
from web5.dwn.values.cid import message_cid


async def ask(world: World, *filters: dict[str, Any], cursor: Any = None) -> Any:
    return await world.send(
        await compose.messages_query(world.alice.signer, world.clock, filters=filters, cursor=cursor)
    )


async def test_the_log_is_in_the_order_of_arrival(world: World) -> None:
    writes = [await world.compose() for _ in range(3)]
    for write in reversed(writes):
        await world.send(write, b"hello")
    assert await world.log() == [message_cid(write) for write in reversed(writes)]


async def test_the_cursor_goes_on_after_the_last_entry(world: World) -> None:
    assert await ask(world) == {"status": {"code": 200, "detail": "OK"}, "entries": []}
    first = await world.write()
    reply = await ask(world)
    assert reply["cursor"]["messageCid"] == message_cid(first)
    again = await ask(world, cursor=reply["cursor"])
    assert (again["entries"], "cursor" in again) == ([], False)
    second = await world.write()
    assert (await ask(world, cursor=reply["cursor"]))["entries"] == [message_cid(second)]


@pytest.mark.parametrize("value", ["01HVX0000000000000000000", 5, "0123456789-0000000000000001", "", "x-y"])
async def test_a_cursor_of_another_store_starts_at_the_beginning(world: World, value: Any) -> None:
    """A remote that lost its store must not look as if it had nothing new."""
    write = await world.write()
    assert (await ask(world, cursor={"messageCid": "x", "value": value}))["entries"] == [message_cid(write)]


async def test_filters(world: World) -> None:
    write = await world.write()
    delete = await world.delete(write)
    await world.send(delete)
    written, deleted = message_cid(write), message_cid(delete)
    span = {"from": write["descriptor"]["messageTimestamp"], "to": delete["descriptor"]["messageTimestamp"]}
    assert (await ask(world, {"interface": "Records"}))["entries"] == [written, deleted]
    assert (await ask(world, {"interface": "Protocols"}))["entries"] == []
    assert (await ask(world, {"method": "Delete"}))["entries"] == [deleted]
    assert (await ask(world, {"messageTimestamp": span}))["entries"] == [written]
    assert (await ask(world, {"method": "Delete"}, {"messageTimestamp": span}))["entries"] == [written, deleted]
    assert (await ask(world, {"method": "Delete", "messageTimestamp": span}))["entries"] == []
    assert (await ask(world, {"protocol": "urn:none"}))["entries"] == []


async def test_only_the_tenant_sees_the_log(world: World) -> None:
    query = await compose.messages_query(world.bob.signer, world.clock)
    assert await world.status(query) == (401, "MessagesQueryAuthorizationFailed")
    query = await compose.messages_query(world.bob.signer, world.clock, permission_grant_id="grant")
    assert await world.status(query) == (401, "GrantAuthorizationGrantMissing")


async def test_a_place_in_the_log_is_given_once(world: World) -> None:
    """Also when the last message is replaced, and after a restart; else a cursor would miss what takes its place."""
    database = open_memory()
    world.dwn = world.engine(database=database)
    seen: list[int] = []
    for _ in range(4):
        await world.dwn.open()
        world.dwn.after_commit.append(lambda applied: seen.append(applied.seq))
        first = await world.write()
        second = await world.write(existing=first, data=b"second")
        await world.write(existing=second, data=b"third")
        await world.send(await world.delete(first))
        world.dwn = world.engine(database=database)
    assert seen == sorted(set(seen))
    assert len(seen) == 16
