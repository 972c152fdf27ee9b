"""A world without a network: the embedded nodes and gateway, and agents that reach them through ASGI."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from web5.agent.agent import Agent
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp, HttpxResponse
from web5.errors import Unreachable
from web5.node.serve import embedded

ORIGIN = "http://world"
UNHEARD = ("exception was never retrieved", "was destroyed but it is pending")
"""Parts of what asyncio says of a task or future whose end nobody waits for, once the collector comes across it."""


@pytest.fixture(autouse=True)
def every_end_is_heard(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a task or future whose failure nobody hears.

    Otherwise the collector comes across it in the middle of another test. In Python 3.11 that one fails then if it is
    just parsing Python, since a traceback is shown by parsing, too.
    """
    unheard: list[object] = []
    default = asyncio.BaseEventLoop.default_exception_handler

    def hear(loop: asyncio.BaseEventLoop, context: dict[str, Any]) -> None:
        if any(part in context["message"] for part in UNHEARD):
            unheard.append(context)
        default(loop, context)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(asyncio.BaseEventLoop, "default_exception_handler", hear)
        yield
        if inspect.iscoroutinefunction(request.function):
            gc.collect(1)
    assert unheard == []


class Network(HttpxHttp):
    """A way to the embedded nodes and gateway; what `down` names cannot be reached."""

    def __init__(self, transport: httpx.AsyncBaseTransport, down: set[str]) -> None:
        super().__init__(transport)
        self._down = down

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        timeout: float = 30.0,
    ) -> HttpxResponse:
        if any(url.startswith(f"{ORIGIN}/{name}") for name in self._down):
            raise Unreachable(f"{url} is down")
        return await super().request(method, url, headers=headers, body=body, timeout=timeout)


class World:
    """Two remote nodes and a gateway that really run, and any number of devices.

    Attributes:
        blank_device: opens the agent of a device, as it is on the first launch if it was never opened before.
        folder: where a device's agent keeps what it has.
        down: the first path segments ("dwn0", "dwn1", "dht") that cannot be reached just now.
        network: makes another way to them.
    """

    def __init__(
        self,
        open_device: Callable[..., Awaitable[Agent]],
        down: set[str],
        folder: Path,
        network: Callable[[], Network],
    ) -> None:
        self.network = network
        self.blank_device = open_device
        self.folder = folder.joinpath
        self.down = down
        self.endpoints = [f"{ORIGIN}/dwn0", f"{ORIGIN}/dwn1"]

    async def device(self, name: str, *options: Any) -> Agent:
        """The agent of a device, with a vault that needs no password."""
        agent = await self.blank_device(name, *options)
        if agent.vault.state == "new":
            await agent.initialize(dwn_endpoints=self.endpoints)
        return agent


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        app = await stack.enter_async_context(embedded(tmp_path / "remotes", None))
        down: set[str] = set()

        def network() -> Network:
            return Network(httpx.ASGITransport(app), down)

        async def device(name: str, gateways: Sequence[str] = ("dht",)) -> Agent:
            agent = await open_agent(
                gateway_uris=[f"{ORIGIN}/{path}" for path in gateways], data_path=tmp_path / name, http=network()
            )
            stack.push_async_callback(agent.close)
            return agent

        yield World(device, down, tmp_path, network)
