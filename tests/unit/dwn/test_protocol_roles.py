"""Roles: what someone can do who was given one, and names it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, member, post_to, thread, with_actions
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.dwn.values.types import Message

MEMBER = "thread/member"
ACCEPTED = (202, "Accepted")
NOT_ALLOWED = (401, "ProtocolAuthorizationActionNotAllowed")
NO_ROLE = (401, "ProtocolAuthorizationMatchingRoleRecordNotFound")
NOT_A_ROLE = (401, "ProtocolAuthorizationNotARole")


@pytest.fixture
async def room(world: World) -> Message:
    """A thread of Alice's with Bob in it, and one post of hers."""
    await install(world, chat())
    parent = await thread(world)
    await member(world, parent, world.bob)
    await world.send(await post_to(world, parent), b"hello")
    return parent


async def query(
    world: World, by: Person, role: str | None = MEMBER, **filter: Any
) -> tuple[tuple[int, str], list[Message]]:
    filter = {"protocol": URI, "protocolPath": "thread/post", **filter}
    wanted = {name: value for name, value in filter.items() if value is not None}
    message = await compose.records_query(by.signer, world.clock, filter=wanted, protocol_role=role)
    reply = await world.send(message)
    status = reply["status"]
    return (status["code"], status["detail"].partition(":")[0]), reply.get("entries", [])


async def read(world: World, by: Person, write: Message, role: str | None = MEMBER) -> tuple[int, str]:
    filter = {"recordId": write["recordId"]}
    return await world.status(await compose.records_read(by.signer, world.clock, filter=filter, protocol_role=role))


async def test_members_create_and_update(world: World, room: Message) -> None:
    post = await post_to(world, room, by=world.bob, protocol_role=MEMBER)
    assert await world.status(post, b"hello") == ACCEPTED
    update = await world.compose(by=world.bob, existing=post, protocol_role=MEMBER)
    assert await world.status(update, b"hello") == ACCEPTED


async def test_a_role_must_be_named(world: World, room: Message) -> None:
    assert await world.status(await post_to(world, room, by=world.bob), b"hello") == NOT_ALLOWED


async def test_a_role_must_be_had(world: World, room: Message) -> None:
    post = await post_to(world, room, by=world.carol, protocol_role=MEMBER)
    assert await world.status(post, b"hello") == NO_ROLE


@pytest.mark.parametrize("role", ["thread", "thread/post", "thread/nobody", "", "member", "thread/member/x"])
async def test_a_role_must_be_one(world: World, room: Message, role: str) -> None:
    post = await post_to(world, room, by=world.bob, protocol_role=role)
    assert await world.status(post, b"hello") == NOT_A_ROLE
    assert (await query(world, world.bob, role, contextId=room["contextId"]))[0] == NOT_A_ROLE


async def test_a_role_holds_in_its_context(world: World, room: Message) -> None:
    other = await thread(world)
    post = await post_to(world, other, by=world.bob, protocol_role=MEMBER)
    assert await world.status(post, b"hello") == NO_ROLE
    assert (await query(world, world.bob, contextId=other["contextId"]))[0] == NO_ROLE


async def test_a_role_ends_with_its_record(world: World) -> None:
    await install(world, chat())
    parent = await thread(world)
    role = await member(world, parent, world.bob)
    post = await post_to(world, parent, by=world.bob, protocol_role=MEMBER)
    assert await world.status(post, b"hello") == ACCEPTED
    await world.send(await world.delete(role))
    update = await world.compose(by=world.bob, existing=post, protocol_role=MEMBER)
    assert await world.status(update, b"hello") == NO_ROLE


async def test_the_author_of_the_thread_gives_and_takes_roles(world: World) -> None:
    await install(world, chat())
    parent = await thread(world, by=world.bob)
    role = await member(world, parent, world.carol, by=world.bob)
    assert await world.status(await world.delete(role, by=world.carol)) == NOT_ALLOWED
    assert await world.status(await world.delete(role, by=world.bob)) == ACCEPTED


async def test_whoever_names_a_role_acts_in_no_other_way(world: World, room: Message) -> None:
    """The recipient of the thread may post, but not as a member, who cannot delete."""
    parent = await thread(world, recipient=world.bob.did)
    await member(world, parent, world.bob)
    post = await post_to(world, parent, by=world.bob)
    assert await world.status(post, b"hello") == ACCEPTED
    as_member = await world.delete(post, by=world.bob, protocol_role=MEMBER)
    assert await world.status(as_member) == NOT_ALLOWED
    assert await world.status(await world.delete(post, by=world.bob)) == ACCEPTED


async def test_the_tenant_may_name_a_role_only_to_query(world: World, room: Message) -> None:
    post = await post_to(world, room, protocol_role="nonsense")
    assert await world.status(post, b"hello") == ACCEPTED
    assert (await query(world, world.alice, contextId=room["contextId"]))[0] == NO_ROLE


async def test_members_read(world: World, room: Message) -> None:
    post = await post_to(world, room)
    await world.send(post, b"hello")
    assert await read(world, world.bob, post) == (200, "OK")
    assert await read(world, world.bob, room) == (200, "OK")
    assert await read(world, world.bob, post, None) == NOT_ALLOWED
    assert await read(world, world.carol, post) == NO_ROLE


async def test_members_query_what_is_in_their_context(world: World, room: Message) -> None:
    other = await thread(world)
    await world.send(await post_to(world, other), b"hello")
    status, entries = await query(world, world.bob, contextId=room["contextId"])
    assert status == (200, "OK")
    assert [entry["contextId"].split("/")[0] for entry in entries] == [room["contextId"]]
    # Without the role, only what is published or has to do with them.
    assert await query(world, world.bob, None, contextId=room["contextId"]) == ((200, "OK"), [])


async def test_members_query_published_and_unpublished(world: World, room: Message) -> None:
    shown = await post_to(world, room, published=True)
    await world.send(shown, b"hello")
    context = room["contextId"]
    assert len((await query(world, world.bob, contextId=context))[1]) == 2
    assert (await query(world, world.bob, contextId=context, published=True))[1] == (
        await query(world, world.bob, None, contextId=context)
    )[1]
    assert len((await query(world, world.bob, contextId=context, published=False))[1]) == 1
    assert len((await query(world, world.bob, contextId=context, author=world.alice.did))[1]) == 2


async def test_what_a_role_query_needs(world: World, room: Message) -> None:
    missing_path = (400, "RecordsQueryFilterMissingRequiredProperties")
    assert (await query(world, world.bob, protocolPath=None))[0] == missing_path
    assert (await query(world, world.bob))[0] == (401, "ProtocolAuthorizationMissingContextId")
    context, unknown = room["contextId"], (401, "ProtocolAuthorizationProtocolNotFound")
    assert (await query(world, world.bob, contextId=context, protocol=None))[0] == unknown
    assert (await query(world, world.bob, protocol=None))[0] == unknown
    no_rules = (401, "ProtocolAuthorizationMissingRuleSet")
    assert (await query(world, world.bob, contextId=context, protocolPath="thread/none"))[0] == no_rules
    assert (await query(world, world.bob, contextId=context, protocol="https://example.com/none"))[0] == unknown


async def test_a_role_that_cannot_query(world: World, room: Message) -> None:
    image = {"protocolPath": "thread/post/image", "contextId": room["contextId"]}
    assert (await query(world, world.bob, **image))[0] == NOT_ALLOWED
    silent = {"protocolPath": "thread/member", "contextId": room["contextId"]}
    assert (await query(world, world.bob, **silent))[0] == NOT_ALLOWED


async def test_a_role_at_the_root_holds_everywhere(world: World) -> None:
    definition = {
        "protocol": "https://example.com/club",
        "published": True,
        "types": {"admin": {}, "note": {}},
        "structure": {
            "admin": {"$role": True},
            "note": {
                "$actions": [{"role": "admin", "can": ["create", "delete", "co-delete", "read", "query", "subscribe"]}]
            },
        },
    }
    await install(world, definition)
    options = {"protocol": "https://example.com/club", "protocol_path": "note"}
    refused = await world.compose(by=world.bob, protocol_role="admin", **options)
    assert await world.status(refused, b"hello") == NO_ROLE
    await world.write(protocol=options["protocol"], protocol_path="admin", recipient=world.bob.did)
    note = await world.compose(by=world.bob, protocol_role="admin", **options)
    assert await world.status(note, b"hello") == ACCEPTED
    other = await world.write(**options)
    filter = {"protocol": options["protocol"], "protocolPath": "note"}
    asked = await compose.records_query(world.bob.signer, world.clock, filter=filter, protocol_role="admin")
    assert len((await world.send(asked))["entries"]) == 2
    delete = await world.delete(other, by=world.bob, protocol_role="admin")
    assert await world.status(delete) == ACCEPTED


async def test_a_role_deep_in_a_protocol(world: World) -> None:
    """The role is looked for in the context that it shares with the record."""
    definition = with_actions() | {
        "types": {name: {} for name in ("room", "table", "seat", "word")},
        "structure": {
            "room": {
                "table": {
                    "seat": {"$role": True},
                    "word": {"$actions": [{"role": "room/table/seat", "can": ["create"]}]},
                }
            }
        },
    }
    await install(world, definition)
    options: dict[str, Any] = {"protocol": definition["protocol"]}
    room = await world.write(protocol_path="room", **options)
    tables = [
        await world.write(protocol_path="room/table", parent_context_id=room["contextId"], **options) for _ in range(2)
    ]
    await world.write(
        protocol_path="room/table/seat",
        parent_context_id=tables[0]["contextId"],
        recipient=world.bob.did,
        **options,
    )
    for table, expected in zip(tables, (ACCEPTED, NO_ROLE), strict=True):
        word = await world.compose(
            by=world.bob,
            protocol_path="room/table/word",
            protocol_role="room/table/seat",
            parent_context_id=table["contextId"],
            **options,
        )
        assert await world.status(word, b"hello") == expected


async def test_members_subscribe_to_what_is_in_their_context(world: World, room: Message) -> None:
    async def subscribed(by: Person, role: str | None, context: str | None) -> tuple[tuple[int, str], list[Message]]:
        told: list[Message] = []
        filter = {"protocol": URI, "protocolPath": "thread/post"} | ({"contextId": context} if context else {})
        message = await compose.records_subscribe(by.signer, world.clock, filter=filter, protocol_role=role)
        status = (await world.send(message, subscription_handler=told.append))["status"]
        return (status["code"], status["detail"].partition(":")[0]), told

    status, told = await subscribed(world.bob, MEMBER, room["contextId"])
    assert status == (200, "OK")
    assert (await subscribed(world.carol, MEMBER, room["contextId"]))[0] == NO_ROLE
    assert (await subscribed(world.bob, MEMBER, None))[0] == (401, "ProtocolAuthorizationMissingContextId")
    unnamed, nothing = await subscribed(world.bob, None, room["contextId"])
    assert unnamed == (200, "OK")
    post = await post_to(world, room)
    await world.send(post, b"hello")
    await world.send(await post_to(world, await thread(world)), b"hello")
    assert [event["message"] for event in told] == [post]
    assert nothing == []
