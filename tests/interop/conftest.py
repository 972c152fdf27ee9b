"""Servers that start once and serve all: each test has identities of its own there."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.gateway import gateway_server
from tests.interop.node.serving import EmbeddedServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def gateway() -> AsyncIterator[str]:
    """The address of a DID DHT gateway of ours."""
    async with gateway_server() as url:
        yield url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def reference_servers(
    gateway: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[ReferenceDwnServer]]:
    folder = tmp_path_factory.mktemp("servers")
    servers = [ReferenceDwnServer(folder / name, gateway) for name in ("one", "two")]
    async with AsyncExitStack() as stack:
        for server in servers:
            await stack.enter_async_context(server)
        yield servers


@pytest_asyncio.fixture(loop_scope="session")
async def servers(
    reference_servers: list[ReferenceDwnServer], request: pytest.FixtureRequest
) -> AsyncIterator[list[ReferenceDwnServer]]:
    """Two reference dwn-servers, which a test may kill and wipe."""
    failed = request.session.testsfailed
    yield reference_servers
    for server in reference_servers:
        if request.session.testsfailed > failed:
            await server.wipe()
        elif not server.is_alive:
            await server.restart()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedServer]:
    """A server of ours: two nodes and a gateway."""
    async with EmbeddedServer(tmp_path_factory.mktemp("embedded") / "data") as server:
        yield server
