"""RecordsSubscribe, MessagesSubscribe and the event stream (invariants as in `web5.dwn.events`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.dwn.chat import URI, chat, install, member, post_to, thread
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person, signed
from web5.dwn import compose
from web5.dwn.cid import message_cid
from web5.dwn.compose_permissions import permission_grant
from web5.dwn.store.database import Database, open_memory
from web5.errors import StorageError

Events = list[dict[str, Any]]


async def subscribe(world: World, by: Person | None, **filter: Any) -> tuple[Events, Any]:
    """What a RecordsSubscribe tells from now on, and the subscription."""
    told: Events = []
    message = await compose.records_subscribe(by and by.signer, world.clock, filter=filter)
    reply = await world.send(message, subscription_handler=told.append)
    assert reply["status"] == {"code": 200, "detail": "OK"}
    assert reply["subscription"].id == message_cid(message)
    return told, reply["subscription"]


def texts(events: Events) -> list[str]:
    return [event["message"]["descriptor"].get("schema", event["message"]["descriptor"]["method"]) for event in events]


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


async def test_after_the_close_nothing_is_told(world: World) -> None:
    """Invariant 4."""
    told, subscription = await subscribe(world, world.alice, schema="urn:a")
    others, _ = await subscribe(world, world.alice, schema="urn:a")
    await world.write(schema="urn:a")
    await subscription.close()
    await subscription.close()
    await world.write(schema="urn:a")
    assert (len(told), len(others)) == (1, 2)


async def test_a_subscriber_may_close_and_subscribe_while_it_is_told(world: World) -> None:
    """Invariant 4."""
    told: list[str] = []
    subscriptions: dict[str, Any] = {}

    def handler(name: str, then: Callable[[], Any]) -> Callable[[Any], None]:
        def tell(event: Any) -> None:
            told.append(name)
            then()

        return tell

    def close_second() -> None:
        closing = subscriptions["second"].close()
        with pytest.raises(StopIteration):
            closing.send(None)

    for name, then in (("first", close_second), ("second", lambda: None), ("third", lambda: None)):
        message = await compose.records_subscribe(world.alice.signer, world.clock, filter={"schema": "urn:a"})
        reply = await world.send(message, subscription_handler=handler(name, then))
        subscriptions[name] = reply["subscription"]
    await world.write(schema="urn:a")
    assert told == ["first", "third"]


async def test_a_subscriber_that_raises_harms_nobody(world: World) -> None:
    """Invariant 3."""
    seen: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: seen.append(context))

    def fail(event: Any) -> None:
        raise RuntimeError("the page is gone")

    message = await compose.records_subscribe(world.alice.signer, world.clock, filter={"schema": "urn:a"})
    await world.send(message, subscription_handler=fail)
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    for _ in range(2):
        await world.write(schema="urn:a")
    assert len(told) == 2
    assert [str(context["exception"]) for context in seen] == ["the page is gone"] * 2
    assert message_cid(message) in seen[0]["message"]


async def test_a_tenant_hears_nothing_of_another(world: World) -> None:
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    write = await world.compose(by=world.bob, schema="urn:a")
    assert (await world.send(write, b"hello", tenant=world.bob))["status"]["code"] == 202
    assert told == []


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


LATER = "2030-01-01T00:00:00.000000Z"
EARLIER = "2020-01-01T00:00:00.000000Z"
MATCHES: list[tuple[dict[str, Any], bool]] = [
    ({"schema": "urn:a"}, True),
    ({"schema": "urn:b"}, False),
    ({"protocol": "urn:a"}, False),
    ({"dataFormat": "text/plain", "schema": "urn:a"}, True),
    ({"recipient": []}, True),
    ({"recipient": ["did:x:1"]}, False),
    ({"author": []}, True),
    ({"dataSize": {"gt": 4}}, True),
    ({"dataSize": {"gt": 4, "lt": 5}}, False),
    ({"dateCreated": {"from": EARLIER, "to": LATER}}, True),
    ({"dateCreated": {"to": EARLIER}}, False),
    ({"dateUpdated": {"from": EARLIER}}, True),
    ({"datePublished": {"from": EARLIER}}, False),
    ({"published": False}, True),
    ({"tags": {"word": "b"}}, True),
    ({"tags": {"word": "c"}}, False),
    ({"tags": {"word": {"startsWith": "ab"}}}, True),
    ({"tags": {"word": {"gt": "b"}}}, False),
    ({"tags": {"word": {"gte": "b"}}}, True),
    ({"tags": {"word": {"gt": 1}}}, False),
    ({"tags": {"number": {"gt": 1.5, "lte": 2}}}, True),
    ({"tags": {"number": 2, "word": "b"}}, True),
    ({"tags": {"number": "2"}}, False),
    ({"tags": {"flag": True}}, True),
    ({"tags": {"flag": "true"}}, False),
    ({"tags": {"other": True}}, False),
]


@pytest.mark.parametrize(("filter", "expected"), MATCHES)
async def test_a_subscription_tells_what_a_query_finds(world: World, filter: dict[str, Any], expected: bool) -> None:
    """Invariant 2."""
    told, _ = await subscribe(world, world.alice, **filter)
    await world.write(schema="urn:a", tags={"word": ["abc", "b"], "number": 2, "flag": True})
    found = await world.query(by=world.alice, **filter)
    assert (len(told), len(found)) == (expected, expected)


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


async def make_grant(world: World, protocol: str) -> dict[str, Any]:
    """A grant of Alice's, sent and accepted, that is about a protocol."""
    scope = {"interface": "Records", "method": "Read", "protocol": protocol}
    signer, clock = world.alice.signer, world.clock
    grant = await permission_grant(
        signer, clock, granted_to=world.bob.did, date_expires="2030-01-01T00:00:00.000000Z", scope=scope
    )
    assert await world.status(grant.message, grant.data) == (202, "Accepted")
    return grant.message


async def messages(world: World, *filters: Any, by: Person | None = None) -> tuple[Any, Events]:
    told: Events = []
    message = await compose.messages_subscribe((by or world.alice).signer, world.clock, filters=filters)
    return await world.send(message, subscription_handler=told.append), told


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


async def test_messages_are_for_the_tenant(world: World) -> None:
    reply, told = await messages(world, by=world.bob)
    assert reply["status"] == {
        "code": 401,
        "detail": "MessagesSubscribeAuthorizationFailed: message failed authorization",
    }
    await world.write()
    assert told == []


@pytest.mark.parametrize("kind", ["Records", "Messages"])
async def test_without_a_handler_there_is_no_subscription(world: World, kind: str) -> None:
    make = {
        "Records": compose.records_subscribe(world.alice.signer, world.clock, filter={"schema": "urn:a"}),
        "Messages": compose.messages_subscribe(world.alice.signer, world.clock),
    }
    message = await make.pop(kind)
    for other in make.values():
        other.close()
    code = f"{kind}SubscribeEventStreamUnimplemented"
    assert await world.status(message) == (501, code)


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


class SlowDatabase(Database):
    """Its flush waits to be let through, and may be made to fail."""

    def __init__(self) -> None:
        super().__init__(open_memory().connection)
        self.gates: asyncio.Queue[asyncio.Future[None]] = asyncio.Queue()
        self.waiting = False

    async def flush(self) -> None:
        if self.waiting:
            gate: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self.gates.put_nowait(gate)
            await gate


async def test_events_come_in_the_order_of_the_log(world: World) -> None:
    """Invariant 1: also when a later write is durable first, and when a flush failed meanwhile."""
    database = SlowDatabase()
    world.dwn = world.engine(database=database)
    await world.dwn.open()
    told, _ = await subscribe(world, world.alice, dataFormat="text/plain")
    writes = [await world.compose(data=bytes([i]), schema=f"urn:{i}") for i in range(4)]
    database.waiting = True
    sending, gates = [], []
    for i, write in enumerate(writes):
        sending.append(asyncio.ensure_future(world.send(write, bytes([i]))))
        gates.append(await database.gates.get())
    assert told == []
    gates[0].set_exception(StorageError("full"))
    with pytest.raises(StorageError):
        await sending[0]
    assert told == []
    gates[2].set_result(None)
    await sending[2]
    assert texts(told) == ["urn:0", "urn:1", "urn:2"]
    for gate in (gates[1], gates[3]):
        gate.set_result(None)
    await asyncio.gather(sending[1], sending[3])
    assert texts(told) == ["urn:0", "urn:1", "urn:2", "urn:3"]
