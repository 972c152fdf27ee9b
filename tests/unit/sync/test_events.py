"""Iterating over the events of sync."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable

import pytest

from web5.sync.events import KEPT_EVENTS, SyncEvents
from web5.sync.states import SyncEvent

Listeners = list[Callable[[SyncEvent], None]]


def tell(listeners: Listeners, *endpoints: str) -> None:
    for endpoint in endpoints:
        for listener in listeners:
            listener(SyncEvent("endpoint", "did:example:alice", endpoint))


async def test_what_came_before_the_first_step_is_there() -> None:
    listeners: Listeners = []
    events = SyncEvents(listeners)
    tell(listeners, "one", "two")
    assert [(await anext(events)).endpoint, (await anext(events)).endpoint] == ["one", "two"]


async def test_a_reader_that_is_behind_loses_the_oldest() -> None:
    listeners: Listeners = []
    events = SyncEvents(listeners)
    tell(listeners, *map(str, range(KEPT_EVENTS + 2)))
    assert (await anext(events)).endpoint == "2"


async def test_closing_it_ends_it_for_whoever_waits() -> None:
    listeners: Listeners = []
    events = SyncEvents(listeners)
    waiting = asyncio.ensure_future(anext(events, None))
    await asyncio.sleep(0)
    await events.aclose()
    await events.aclose()
    assert await waiting is None
    assert listeners == []
    with pytest.raises(StopAsyncIteration):
        await anext(events)


async def test_one_that_nobody_has_any_more_listens_no_more() -> None:
    listeners: Listeners = []
    async for _ in SyncEvents(filled(listeners)):
        break
    gc.collect()
    assert listeners == []


def filled(listeners: Listeners) -> Listeners:
    """These; the first listener that joins is told something at once."""
    asyncio.get_running_loop().call_soon(tell, listeners, "one")
    return listeners
