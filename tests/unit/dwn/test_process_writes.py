"""RecordsWrites that come together are each taken or refused as by itself, in one transaction and with one flush."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.dwn.conftest import Message, World
from web5.dwn import Applied, Delivery
from web5.dwn.store.database import Backing, Database, open_memory
from web5.dwn.values.cid import message_cid


class OneAnswer:
    async def refusal(self, tenant: str) -> str | None:
        return "did not pay"


def delivery(message: Message, data: bytes | None = b"hello") -> Delivery:
    return Delivery(message, data, message_cid(message))


def codes(replies: list[Any]) -> list[int]:
    return [reply["status"]["code"] for reply in replies]


async def test_each_is_answered_as_if_it_came_alone(world: World) -> None:
    first = await world.compose()
    update = await world.compose(existing=first, data=b"two")
    stranger = await world.compose(by=world.bob)
    orphan = await world.compose(existing=await world.compose(), data=b"two")
    bare = await world.compose()
    forged = await world.compose()
    forged["authorization"]["signature"]["signatures"][0]["signature"] = "A" * 86
    together = [
        delivery(first),
        delivery(update, b"two"),
        delivery(update, b"two"),
        delivery(stranger),
        delivery(orphan, b"two"),
        delivery(await world.compose(), b"other data"),
        delivery({**await world.compose(), "recordId": 7}),
        delivery(forged),
        delivery(bare, None),
    ]
    alone = world.engine()
    await alone.open()
    expected = [await alone.process_message(world.alice.did, message, data) for message, data, _ in together]
    replies = await world.dwn.process_writes(world.alice.did, together)
    assert replies == expected
    assert codes(replies) == [202, 202, 409, 401, 400, 400, 400, 401, 204]
    assert await world.log() == [message_cid(message) for message in (first, update, bare)]
    reply = await world.read(by=world.alice, recordId=first["recordId"])
    assert await reply["entry"]["data"].read() == b"two"


async def test_they_share_a_flush_and_are_told_in_order_after_it(world: World) -> None:
    flushed: list[int] = []
    told: list[Applied] = []

    class Flushed(Backing):
        async def flush(self) -> None:
            flushed.append(len(told))

    world.dwn = world.engine(database=Database(open_memory().connection, Flushed()))
    await world.dwn.open()
    flushed.clear()
    world.dwn.after_commit.append(told.append)
    writes = [await world.compose() for _ in range(5)]
    replies = await world.dwn.process_writes(world.alice.did, list(map(delivery, writes)), source="https://remote")
    assert codes(replies) == [202] * 5
    assert flushed == [0]
    assert [applied.message for applied in told] == writes
    assert {applied.source for applied in told} == {"https://remote"}
    await world.dwn.process_writes(world.alice.did, list(map(delivery, writes)))
    assert flushed == [0], "there is nothing to flush where all are refused"


async def test_a_hook_that_raises_undoes_all_of_them(world: World) -> None:
    first, second = await world.compose(), await world.compose()

    def hook(applied: Applied) -> None:
        if applied.message == second:
            raise RuntimeError("the ledger failed")

    world.dwn.in_transaction.append(hook)
    with pytest.raises(RuntimeError, match="the ledger failed"):
        await world.dwn.process_writes(world.alice.did, [delivery(first), delivery(second)])
    assert await world.log() == []


async def test_what_is_refused_changes_nothing(world: World) -> None:
    """Not even the list of tenants."""
    before = world.dwn.database.connection.total_changes()
    replies = await world.dwn.process_writes(world.alice.did, [delivery(await world.compose(by=world.bob))])
    assert codes(replies) == [401]
    assert world.dwn.database.connection.total_changes() == before


async def test_a_tenant_that_is_not_served_gets_that_for_each(world: World) -> None:
    world.dwn = world.engine(tenant_gate=OneAnswer())
    await world.dwn.open()
    replies = await world.dwn.process_writes(world.alice.did, [delivery(await world.compose()) for _ in range(2)])
    assert [reply["status"] for reply in replies] == [{"code": 401, "detail": "did not pay"}] * 2
