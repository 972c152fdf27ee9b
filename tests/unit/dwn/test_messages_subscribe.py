"""MessagesSubscribe: messages of all kinds, told to the tenant."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, thread
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person, signed
from tests.unit.dwn.subscribing import Events, texts
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant
from web5.dwn.permissions.grants import split_encoded_data

LATER = "2030-01-01T00:00:00.000000Z"


async def messages(world: World, *filters: Any, by: Person | None = None) -> tuple[Any, Events]:
    told: Events = []
    message = await compose.messages_subscribe((by or world.alice).signer, world.clock, filters=filters)
    return await world.send(message, subscription_handler=told.append), told


async def make_grant(world: World, protocol: str) -> dict[str, Any]:
    """A grant of Alice's, sent and accepted, that is about a protocol."""
    scope = {"interface": "Records", "method": "Read", "protocol": protocol}
    signer, clock = world.alice.signer, world.clock
    grant = await permission_grant(
        signer, clock, granted_to=world.bob.did, date_expires="2030-01-01T00:00:00.000000Z", scope=scope
    )
    message, data = split_encoded_data(grant)
    assert await world.status(message, data) == (202, "Accepted")
    return message


async def test_messages_of_all_kinds(world: World) -> None:
    reply, told = await messages(world)
    assert reply["status"]["code"] == 200
    write = await world.write()
    await world.send(await world.delete(write))
    assert texts(told) == ["Write", "Delete"]


async def test_messages_by_filter(world: World) -> None:
    _, deletes = await messages(world, {"interface": "Records", "method": "Delete"})
    _, late = await messages(world, {"messageTimestamp": {"from": LATER}})
    _, either = await messages(world, {"messageTimestamp": {"from": LATER}}, {"method": "Write"})
    _, configured = await messages(world, {"interface": "Protocols"})
    write = await world.write()
    await world.send(await world.delete(write))
    assert [texts(told) for told in (deletes, late, either, configured)] == [["Delete"], [], ["Write"], []]


async def test_messages_of_a_protocol(world: World) -> None:
    """Its configuration and its records; and of permissions, what regulates it."""
    _, told = await messages(world, {"protocol": URI})
    _, configured = await messages(world, {"interface": "Protocols"})
    configure = await install(world, chat())
    room = await thread(world)
    await world.write()
    grant = await make_grant(world, URI)
    await make_grant(world, "https://example.com/other")
    assert [event["message"] for event in told] == [configure, room, grant]
    assert configured == [{"message": configure}]


async def test_messages_are_for_the_tenant(world: World) -> None:
    reply, told = await messages(world, by=world.bob)
    assert reply["status"] == {
        "code": 401,
        "detail": "MessagesSubscribeAuthorizationFailed: message failed authorization",
    }
    await world.write()
    assert told == []


async def test_without_a_handler_there_is_no_subscription(world: World) -> None:
    message = await compose.messages_subscribe(world.alice.signer, world.clock)
    assert await world.status(message) == (501, "MessagesSubscribeEventStreamUnimplemented")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"filters": [{}]}, "SchemaValidatorFailure"),
        ({"filters": {}}, "SchemaValidatorFailure"),
        ({"filters": [{"unknown": 1}]}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"cursor": {"messageCid": "x", "value": "y"}}, "SchemaValidatorAdditionalPropertyNotAllowed"),
        ({"filters": [{"protocol": "http://EXAMPLE.com"}]}, "UrlProtocolNotNormalized"),
        ({"messageTimestamp": "yesterday"}, "TimestampInvalid"),
    ],
)
async def test_bad_subscriptions(world: World, change: dict[str, Any], code: str) -> None:
    message = await compose.messages_subscribe(world.alice.signer, world.clock)
    bad = await signed(world.alice.signer, {"descriptor": {**message["descriptor"], **change}})
    reply = await world.send(bad, subscription_handler=print)
    assert (reply["status"]["code"], reply["status"]["detail"].partition(":")[0]) == (400, code)
