"""The node's side of a shared agent."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.conftest import World
from web5.agent.shared.office import Office


async def test_the_state_is_told_when_it_is_not_what_the_caller_has(world: World) -> None:
    agent = await world.device("a")
    assert await agent.publish_all()  # which changes the state, at some time
    office = Office(agent)
    session = json.loads(await office.answer("a", "join", "{}"))

    async def state_after(*events: str) -> Any:
        for cid in events:
            agent.on_change[-1]("did:example:a", cid)
        return json.loads(await office.answer("a", "listen", json.dumps({"session": session})))["state"]

    first = await state_after("one")
    assert first["interval"] == agent.sync.interval
    assert await state_after("two") is None
    # Who asked has the state of then, so that what was told before says nothing about what is the same.
    await office.answer("a", "state", "{}")
    assert await state_after("three") == first
    await office.answer("a", "start", json.dumps({"interval": "1 hour"}))
    assert (await state_after())["interval"] == "1 hour"
    await office.answer("a", "stop", "{}")
    assert (await state_after())["interval"] == "off"
    office.close()
