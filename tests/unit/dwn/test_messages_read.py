"""MessagesRead: one message of the log, with its data."""

from __future__ import annotations

from typing import Any

from tests.unit.dwn.conftest import World
from web5.dwn import compose
from web5.dwn.values.cid import message_cid


async def read(world: World, cid: str) -> Any:
    return await world.send(await compose.messages_read(world.alice.signer, world.clock, message_cid=cid))


async def test_a_message_comes_with_the_data_that_is_held(world: World) -> None:
    large = bytes(40_000)
    first = await world.write(data=large)
    second = await world.write(existing=first, data=None, published=True)
    # Both name the same data, which is still there; small data goes with the message that is replaced.
    for message in (first, second):
        entry = (await read(world, message_cid(message)))["entry"]
        assert (entry["message"], entry["messageCid"]) == (message, message_cid(message))
        assert await entry["data"].read() == large
    third = await world.write(existing=second, data=b"small")
    assert (await read(world, message_cid(first)))["entry"].keys() == {"message", "messageCid"}
    assert await (await read(world, message_cid(third)))["entry"]["data"].read() == b"small"


async def test_a_delete_is_read_without_data(world: World) -> None:
    write = await world.write()
    delete = await world.delete(write)
    await world.send(delete)
    assert (await read(world, message_cid(delete)))["entry"] == {"message": delete, "messageCid": message_cid(delete)}


async def test_what_cannot_be_read(world: World) -> None:
    write = await world.compose()
    assert (await read(world, message_cid(write)))["status"] == {"code": 404, "detail": "Not Found"}
    assert (await read(world, write["descriptor"]["dataCid"]))["status"]["detail"].startswith("MessagesReadInvalidCid")
    await world.send(write, b"hello")
    stranger = await compose.messages_read(world.bob.signer, world.clock, message_cid=message_cid(write))
    assert await world.status(stranger) == (404, "Not Found")  # as if it were not there; the reference says 401
