"""RecordsDelete with `prune`: nothing is left of what was written below a record."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, member, post_to, thread
from tests.unit.dwn.conftest import World
from web5.dwn import compose
from web5.dwn.store.memory import MemoryBlobs
from web5.dwn.values.cid import message_cid
from web5.dwn.values.types import Message

LARGE = bytes(40_000)


@pytest.fixture(autouse=True)
async def installed(world: World) -> Message:
    return await install(world, chat(types={"thread": {}, "member": {}, "post": {}, "image": {}}))


async def image(world: World, post: Message, data: bytes = b"hello") -> Message:
    return await world.write(
        data=data, protocol=URI, protocol_path="thread/post/image", parent_context_id=post["contextId"]
    )


async def sent_post(world: World, parent: Message, data: bytes = b"hello", **options: Any) -> Message:
    post = await post_to(world, parent, data=data, **options)
    await world.send(post, data)
    return post


async def test_descendants_go_and_the_record_itself_is_deleted(world: World, installed: Message) -> None:
    parent, other = await thread(world), await thread(world)
    await member(world, parent, world.bob)
    post = await sent_post(world, parent)
    await world.write(existing=post, data=b"two", tags={"a": 1})
    await image(world, post)
    gone = await sent_post(world, parent)
    await world.send(await world.delete(gone))
    kept = await sent_post(world, other)
    prune = await world.delete(parent, prune=True)
    assert await world.status(prune) == (202, "Accepted")
    assert await world.log() == [message_cid(one) for one in (installed, parent, other, kept, prune)]
    assert await world.query(by=world.alice, protocol=URI) == [one["recordId"] for one in (other, kept)]
    assert await world.query(by=world.alice, tags={"a": 1}) == []
    reply = await world.read(by=world.alice, recordId=parent["recordId"])
    assert reply["status"]["code"] == 404
    assert reply["entry"] == {"recordsDelete": prune, "initialWrite": parent}
    assert (await world.read(by=world.alice, recordId=post["recordId"]))["status"]["code"] == 404
    assert "entry" not in await world.read(by=world.alice, recordId=post["recordId"])


async def test_without_prune_descendants_stay(world: World) -> None:
    parent = await thread(world)
    post = await sent_post(world, parent)
    assert await world.status(await world.delete(parent)) == (202, "Accepted")
    assert await world.query(by=world.alice, contextId=parent["contextId"]) == [post["recordId"]]


async def test_a_deleted_record_can_be_pruned_once(world: World) -> None:
    parent = await thread(world)
    await sent_post(world, parent)
    await world.send(await world.delete(parent))
    prune = await world.delete(parent, prune=True)
    assert await world.status(prune) == (202, "Accepted")
    assert await world.query(by=world.alice, protocol=URI) == []
    assert await world.status(await world.delete(parent, prune=True)) == (404, "Not Found")
    assert await world.status(await world.delete(parent)) == (404, "Not Found")
    assert (await world.read(by=world.alice, recordId=parent["recordId"]))["entry"]["recordsDelete"] == prune


async def test_what_never_had_data_is_pruned_too(world: World) -> None:
    parent = await thread(world)
    post = await post_to(world, parent)
    assert await world.status(post) == (204, "No Content")
    assert message_cid(post) in await world.log()
    await world.send(await world.delete(parent, prune=True))
    assert message_cid(post) not in await world.log()


async def test_what_was_pruned_cannot_be_written_again(world: World) -> None:
    parent = await thread(world)
    post = await sent_post(world, parent)
    await world.send(await world.delete(parent, prune=True))
    assert await world.status(post, b"hello") == (400, "ProtocolAuthorizationIncorrectProtocolPath")


async def test_large_data_is_deleted(world: World) -> None:
    blobs = MemoryBlobs()
    world.dwn = world.engine(blobs=blobs)
    await world.dwn.open()
    await install(world, chat(types={"thread": {}, "member": {}, "post": {}, "image": {}}))
    parent, other = await thread(world, data=LARGE), await thread(world, data=LARGE)
    post = await sent_post(world, parent, LARGE)
    await image(world, post, b"small")
    await world.write(existing=post, data=LARGE + b"!")
    assert len(await blobs.keys()) == 3
    await world.send(await world.delete(parent, prune=True))
    assert len(await blobs.keys()) == 1
    reply = await world.read(by=world.alice, recordId=other["recordId"])
    assert await reply["entry"]["data"].read() == LARGE


async def test_pruning_needs_leave(world: World) -> None:
    """In the chat, the author of a thread may prune its posts, but nobody else's threads."""
    parent = await thread(world, by=world.bob, recipient=world.carol.did)
    post = await post_to(world, parent, by=world.carol)
    await world.send(post, b"hello")
    for by, expected in (
        (world.carol, (401, "ProtocolAuthorizationActionNotAllowed")),
        (world.bob, (202, "Accepted")),
    ):
        assert await world.status(await world.delete(post, by=by, prune=True)) == expected
    assert (await world.status(await world.delete(parent, by=world.bob, prune=True)))[0] == 401
    delete = await compose.records_delete(world.alice.signer, world.clock, record_id=parent["recordId"], prune=True)
    assert await world.status(delete) == (202, "Accepted")
