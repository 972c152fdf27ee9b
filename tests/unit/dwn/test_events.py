"""The event stream (invariants as in `web5.dwn.events`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.dwn.conftest import World
from tests.unit.dwn.store.tested_pages import TestedPages
from tests.unit.dwn.subscribing import subscribe, texts
from web5.dwn import compose
from web5.dwn.store.database import Database, open_memory
from web5.dwn.store.durable.paged import open_paged
from web5.dwn.values.cid import message_cid
from web5.errors import StorageError


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


async def test_those_who_ask_for_the_same_come_and_go_one_by_one(world: World) -> None:
    """Each hears each event once, in the order they subscribed, also where another's filter fits as well."""
    told: list[tuple[str, str]] = []

    async def ask(name: str, **filter: Any) -> Any:
        message = await compose.records_subscribe(world.alice.signer, world.clock, filter=filter)
        handler = lambda event: told.append((name, event["message"]["recordId"]))  # noqa: E731
        return (await world.send(message, subscription_handler=handler))["subscription"]

    first = await ask("first", schema="urn:a")
    await ask("second", schema="urn:a", dataFormat="text/plain")
    third = await ask("third", schema="urn:a")
    ids = [(await world.write(schema="urn:a"))["recordId"]]
    await first.close()
    ids.append((await world.write(schema="urn:a"))["recordId"])
    await third.close()
    ids.append((await world.write(schema="urn:a"))["recordId"])
    heard = (("first", "second", "third"), ("second", "third"), ("second",))
    assert told == [(name, id) for names, id in zip(heard, ids, strict=True) for name in names]


async def test_a_tenant_hears_nothing_of_another(world: World) -> None:
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    write = await world.compose(by=world.bob, schema="urn:a")
    assert (await world.send(write, b"hello", tenant=world.bob))["status"]["code"] == 202
    assert told == []


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
    again, subscription = await subscribe(world, world.alice, **filter)
    world.dwn.catch_up(subscription, world.alice.did, 0)
    assert again == told


async def test_what_was_missed_is_told_again_from_the_log(world: World) -> None:
    told, _ = await subscribe(world, world.alice, schema="urn:a")
    first, second = [await world.write(schema="urn:a") for _ in range(2)]
    await world.write(schema="urn:b")
    await world.send(await world.delete(second))
    seqs = [event.seq for event in told]
    assert seqs == sorted(set(seqs)) and len(seqs) == 3
    for after, expected in ((0, [told[0], told[2]]), (seqs[0], [told[2]]), (seqs[2], [])):
        again, subscription = await subscribe(world, world.alice, schema="urn:a")
        world.dwn.catch_up(subscription, world.alice.did, after)
        assert again == expected
        assert [event.seq for event in again] == [event.seq for event in expected]
    assert told[0]["message"]["recordId"] == first["recordId"]
    assert world.dwn.last_published == max(seqs)


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
    """Invariant 1: also when a later write is durable first."""
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
    gates[2].set_result(None)
    await sending[2]
    assert texts(told) == ["urn:0", "urn:1", "urn:2"]
    for gate in (gates[0], gates[1], gates[3]):
        gate.set_result(None)
    await asyncio.gather(sending[0], sending[1], sending[3])
    assert texts(told) == ["urn:0", "urn:1", "urn:2", "urn:3"]


async def test_what_was_undone_is_no_event(world: World) -> None:
    """Invariant 1: neither when it fails nor when later writes succeed."""
    store = TestedPages()
    world.dwn = world.engine(database=await open_paged(store))
    await world.dwn.open()
    told, _ = await subscribe(world, world.alice, dataFormat="text/plain")
    writes = [await world.compose(data=bytes([i]), schema=f"urn:{i}") for i in range(4)]
    store.failures = [StorageError("gone")]
    sending = [world.send(writes[i], bytes([i])) for i in (0, 1)]
    outcomes = await asyncio.gather(*sending, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [StorageError] * 2
    assert (told, await world.log()) == ([], [])
    for i in (2, 1, 3):
        await world.send(writes[i], bytes([i]))
    assert texts(told) == ["urn:2", "urn:1", "urn:3"]
