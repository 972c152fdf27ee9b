"""RecordsSubscribe: who is told of which records."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, member, post_to, thread
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person, signed
from tests.unit.dwn.subscribing import Events, subscribe, texts
from web5.dwn import compose


async def test_an_event_is_the_message_and_the_initial_write(world: World) -> None:
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    first = await world.write(schema="urn:a")
    update = await world.write(existing=first, data=b"two")
    delete = await world.delete(first)
    await world.send(delete)
    assert told == [
        {"message": first},
        {"message": update, "initialWrite": first},
        {"message": delete, "initialWrite": first},
    ]


async def test_what_is_not_the_latest_state_is_not_told(world: World) -> None:
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    first = await world.compose(schema="urn:a")
    assert (await world.send(first))["status"]["code"] == 204
    update = await world.write(existing=first, data=b"hello", schema=None)
    assert (await world.send(first, b"hello"))["status"]["code"] == 409
    assert told == [{"message": update, "initialWrite": first}]


async def test_strangers_are_told_what_they_may_see(world: World) -> None:
    """`filterAsNonOwner`: what is published, theirs, or for them; and no deletes, which are neither."""
    owner, _ = await subscribe(world, world.alice, dataFormat="text/plain")
    bob, _ = await subscribe(world, world.bob, dataFormat="text/plain")
    nobody, _ = await subscribe(world, None, dataFormat="text/plain")
    private = await world.write(schema="urn:private")
    public = await world.write(schema="urn:public", published=True)
    await world.write(schema="urn:to-bob", recipient=world.bob.did)
    await world.write(schema="urn:to-carol", recipient=world.carol.did)
    for write in (private, public):
        await world.send(await world.delete(write))
    assert texts(owner) == ["urn:private", "urn:public", "urn:to-bob", "urn:to-carol"]
    assert texts(bob) == ["urn:public", "urn:to-bob"]
    assert texts(nobody) == ["urn:public"]


async def test_the_owner_is_told_of_deletes_by_what_is_immutable(world: World) -> None:
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    wide, _ = await subscribe(world, world.alice, dateCreated={"from": "2024-01-01T00:00:00.000000Z"})
    strict, _ = await subscribe(world, world.alice, schema="urn:a", published=False)
    write = await world.write(schema="urn:a")
    await world.send(await world.delete(write))
    assert (len(told), len(wide), len(strict)) == (2, 2, 1)


async def test_a_filter_that_leaves_a_stranger_nothing_tells_nothing(world: World) -> None:
    """Here the reference tells the stranger every message of the tenant."""
    told, _ = await subscribe(world, world.bob, published=False, author=world.alice.did, recipient=world.carol.did)
    await world.write(recipient=world.carol.did)
    await world.write(published=True)
    assert told == []


async def test_who_asks_for_what_is_unpublished_must_sign(world: World) -> None:
    message = await compose.records_subscribe(None, world.clock, filter={"published": False})
    reply = await world.send(message, subscription_handler=print)
    assert (reply["status"]["code"], reply["status"]["detail"][:22]) == (401, "AuthenticateJwsMissing")


async def test_an_anonymous_published_filter(world: World) -> None:
    told, _ = await subscribe(world, None, published=True, schema="urn:a")
    await world.write(schema="urn:a")
    write = await world.write(schema="urn:a", published=True)
    assert told == [{"message": write}]


@pytest.mark.parametrize("who", ["alice", "bob"])
async def test_by_author(world: World, who: str) -> None:
    author: Person = getattr(world, who)
    told, _ = await subscribe(world, world.alice, author=[author.did, world.carol.did])
    await world.write()
    assert len(told) == (who == "alice")


async def test_a_role_opens_what_is_not_published(world: World) -> None:
    await install(world, chat())
    room, other = await thread(world), await thread(world)
    await member(world, room, world.bob)
    told: Events = []

    async def ask(by: Person, context: str) -> Any:
        filter = {"protocol": URI, "protocolPath": "thread/post", "contextId": context}
        message = await compose.records_subscribe(by.signer, world.clock, filter=filter, protocol_role="thread/member")
        return (await world.send(message, subscription_handler=told.append))["status"]

    assert (await ask(world.bob, room["contextId"]))["code"] == 200
    for by, context in ((world.carol, room["contextId"]), (world.bob, other["contextId"])):
        assert (await ask(by, context))["detail"].startswith("ProtocolAuthorizationMatchingRoleRecordNotFound")
    post = await post_to(world, room)
    await world.send(post, b"hello")
    await world.send(await post_to(world, other), b"hello")
    await world.send(await world.delete(post))
    assert told == [{"message": post}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"filter": {}}, "SchemaValidatorFailure"),
        ({"filter": {"unknown": 1}}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"dateSort": "createdAscending"}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"filter": {"schema": "http://EXAMPLE.com"}}, "UrlSchemaNotNormalized"),
        ({"filter": {"protocol": "http://EXAMPLE.com"}}, "UrlProtocolNotNormalized"),
        ({"messageTimestamp": "2024-02-30T00:00:00.000000Z"}, "TimestampInvalid"),
    ],
)
async def test_bad_subscriptions(world: World, change: dict[str, Any], code: str) -> None:
    message = await compose.records_subscribe(None, world.clock, filter={"schema": "urn:a"})
    bad = await signed(world.alice.signer, {"descriptor": {**message["descriptor"], **change}})
    reply = await world.send(bad, subscription_handler=print)
    assert (reply["status"]["code"], reply["status"]["detail"].partition(":")[0]) == (400, code)


async def test_a_role_needs_a_path(world: World) -> None:
    message = await compose.records_subscribe(
        world.bob.signer, world.clock, filter={"protocol": "urn:a"}, protocol_role="friend"
    )
    reply = await world.send(message, subscription_handler=print)
    assert reply["status"]["detail"].startswith("RecordsSubscribeFilterMissingRequiredProperties")


async def test_without_a_handler_there_is_no_subscription(world: World) -> None:
    message = await compose.records_subscribe(world.alice.signer, world.clock, filter={"schema": "urn:a"})
    assert await world.status(message) == (501, "RecordsSubscribeEventStreamUnimplemented")


async def test_nobody_to_tell_is_what_is_refused_last(world: World) -> None:
    good = await compose.records_subscribe(world.bob.signer, world.clock, filter={"schema": "urn:a"})
    assert (await world.send(good))["status"]["code"] == 501
    role = {"filter": {"protocol": URI, "protocolPath": "thread"}, "protocol_role": "none"}
    bad = await compose.records_subscribe(world.bob.signer, world.clock, **role)
    assert (await world.send(bad))["status"]["detail"].startswith("ProtocolAuthorizationProtocolNotFound")
