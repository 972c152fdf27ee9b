"""web5-js on one device, web5-py on another, two nodes and our gateway between them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.node.serving import EmbeddedServer
from tests.interop.reference import ReferenceScript, reference_script
from web5 import Web5
from web5.agent.agent import Agent
from web5.cpython.agent import open_agent


@dataclass
class World:
    """
    Parameters:
        app: another agent of ours, which has nothing yet.
    """

    gateway: str
    servers: list[str]
    peer: ReferenceScript
    ours: Web5
    app: Agent

    async def sync_all(self) -> None:
        """Everything that either app has reaches the other: push first, then pull."""
        await self.ours.sync.now("push")
        await self.peer.call("sync")
        await self.ours.sync.now("pull")
        assert self.ours.sync.unsettled() == []


@pytest_asyncio.fixture(loop_scope="session")
async def world(tmp_path: Path, gateway: str, servers: list[ReferenceDwnServer]) -> AsyncIterator[World]:
    """With reference dwn-servers as nodes."""
    async with AsyncExitStack() as stack:
        yield await _world(stack, tmp_path, gateway, [server.url for server in servers])


@pytest_asyncio.fixture(loop_scope="session")
async def world_of_ours(tmp_path: Path, embedded: EmbeddedServer) -> AsyncIterator[World]:
    """With nodes of ours."""
    async with AsyncExitStack() as stack:
        nodes = [f"{embedded.url}/{name}" for name in ("dwn0", "dwn1")]
        yield await _world(stack, tmp_path, f"{embedded.url}/dht", nodes)


async def _world(stack: AsyncExitStack, folder: Path, gateway: str, servers: list[str]) -> World:
    (folder / "web5-js").mkdir()
    env = {"DATA_DIR": str(folder / "web5-js"), "GATEWAY_URL": gateway}
    peer = await stack.enter_async_context(reference_script("web5.mjs", **env))
    devices = [folder / name for name in ("web5-py", "app")]
    agents = [await open_agent(gateway_uris=[gateway], data_path=device, allow_local=True) for device in devices]
    for agent in agents:
        stack.push_async_callback(agent.close)
    ours, _ = await Web5.connect(agent=agents[0], dwn_endpoints=servers, sync="off")
    return World(gateway, servers, peer, ours, agents[1])
