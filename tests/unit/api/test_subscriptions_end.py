"""Who follows something is not left waiting once the agent is closed, and goes on where it was only locked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable
from typing import Any

import pytest
from pydantic import BaseModel

from tests.unit.api.test_web5_connect import connected
from tests.unit.conftest import World
from tests.watch import until
from web5 import Protocol, Web5

notes = Protocol("https://example.org/subscriptions/notes")


@notes.type("note")
class Note(BaseModel):
    text: str


@pytest.fixture
async def alice(world: World) -> Web5:
    return await connected(world, "alice")


async def read(events: AsyncIterable[Any], hear: Callable[[Any], None]) -> None:
    async for event in events:
        hear(event)


async def test_whoever_reads_comes_to_the_end_once_the_agent_is_closed(alice: Web5) -> None:
    records, typed = await alice.dwn.records.subscribe(), await alice.records(Note).subscribe()
    heard = [list[Any](), list[Any](), list[Any](), list[Any]()]
    states = alice.dwn.records.live(schema="https://example.org/none")
    followed: list[AsyncIterable[Any]] = [records, typed, states, alice.sync.events()]
    async with asyncio.timeout(20), asyncio.TaskGroup() as readers:
        for events, here in zip(followed, heard, strict=True):
            readers.create_task(read(events, here.append))
        await until(lambda: heard[2])
        await alice.records(Note).create(Note(text="one"))
        await until(lambda: heard[0] and heard[1])
        await alice.close()
    assert heard[1][0].value.text == "one"


async def test_events_of_a_type_go_on_once_the_agent_is_unlocked(alice: Web5) -> None:
    heard = list[str]()
    subscription = await alice.records(Note).subscribe(lambda note: heard.append(note.value.text))
    await alice.agent.lock()
    await alice.agent.unlock()
    await alice.records(Note).create(Note(text="after"))
    await until(lambda: heard == ["after"])
    await subscription.close()
    assert not [task for task in asyncio.all_tasks() if "forward" in str(task.get_coro())]
