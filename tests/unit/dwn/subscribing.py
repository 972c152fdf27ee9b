"""Subscriptions, and what they were told."""

from __future__ import annotations

from typing import Any

from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.dwn.values.cid import message_cid

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
