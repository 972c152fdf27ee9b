"""An app hears how its DIDs are registered with nodes that demand it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.watch import Watch
from web5 import Web5
from web5.agent.agent import Agent
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.errors import InvalidArgument
from web5.node.registration import RegistrationSettings
from web5.node.serve import embedded
from web5.sync import Registration, RegistrationState

ORIGIN = "http://world"
NODE = f"{ORIGIN}/dwn0"
TERMS = "Be kind.\n"


@pytest.fixture
async def agent(tmp_path: Path) -> AsyncIterator[Agent]:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(embedded(tmp_path / "remotes", None, RegistrationSettings(TERMS, 200)))
        http = HttpxHttp(httpx.ASGITransport(app))
        agent = await open_agent(gateway_uris=[f"{ORIGIN}/dht"], data_path=tmp_path / "agent", http=http)
        stack.push_async_callback(agent.close)
        yield agent


async def test_each_change_is_told_until_it_is_done(agent: Agent) -> None:
    told: list[tuple[str, str, Registration]] = []

    def on_registration(did: str, node: str, registration: Registration) -> None:
        told.append((did, node, registration))

    def states(did: str | None) -> list[RegistrationState]:
        return [one.state for of, _, one in told if of == did]

    web5, did = await Web5.connect(agent=agent, dwn_endpoints=[NODE], sync="off", registration=on_registration)
    watch = Watch(agent)
    assert told == []
    await web5.dwn.records.create("x")
    await agent.publish_all()
    await web5.sync.now()
    assert states(did)[-1] == states(agent.vault.agent_did)[-1] == "terms"
    assert {node for _, node, _ in told} == {NODE} and told[-1][2].asks

    later: list[Any] = []
    await Web5.connect(agent=agent, sync="off", registration=lambda *told: later.append(told))
    assert {(of, one.state) for of, _, one in later} == {(did, "terms"), (agent.vault.agent_did, "terms")}

    await web5.sync.accept_terms(NODE, sha256(TERMS.encode()).hexdigest())
    await web5.sync.now()
    await watch.until(lambda: not web5.sync.unsettled())
    assert states(did)[-1] == states(agent.vault.agent_did)[-1] == "done"
    assert all(one != other for one, other in pairwise(told))
    before = len(agent.sync.listeners)
    await web5.close()
    assert len(agent.sync.listeners) == before - 1


async def test_what_the_callback_raises_stops_nothing(agent: Agent) -> None:
    heard: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context["exception"]))
    error = ValueError("the page is gone")

    def broken(did: str, node: str, registration: Registration) -> None:
        raise error

    web5, _ = await Web5.connect(agent=agent, dwn_endpoints=[NODE], sync="off", registration=broken)
    await web5.dwn.records.create("x")
    await agent.publish_all()
    await web5.sync.now()
    assert [one.registration.asks for one in web5.sync.status()] == [True, True]
    assert heard and set(heard) == {error}


async def test_what_nobody_would_await_is_refused(agent: Agent) -> None:
    async def late(*told: object) -> None: ...

    for wrong in (late, "print"):
        with pytest.raises(InvalidArgument, match=r"registration=.* has to be a function, not `async def`"):
            await Web5.connect(agent=agent, dwn_endpoints=[NODE], registration=wrong)  # type: ignore[arg-type]
    assert agent.vault.state == "new"
