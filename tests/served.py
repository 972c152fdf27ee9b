"""An ASGI app behind real sockets, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from web5.node.http.connections import ConnectionLimits
from web5.node.http.server import Server, listen, server_config
from web5.tasks import first_of


@asynccontextmanager
async def served(app, limits: ConnectionLimits | None = None, proxies=()) -> AsyncIterator[str]:
    """An ASGI app on a free port, in this process; its URL without a slash."""
    ready = asyncio.Event()

    class Waited(Server):
        async def startup(self, sockets=None) -> None:
            await super().startup(sockets)
            ready.set()

    listener = listen("127.0.0.1", 0)
    server = Waited(server_config(app, limits, proxies))
    running = asyncio.ensure_future(server.serve([listener]))
    await first_of(ready.wait(), asyncio.shield(running))
    if running.done():
        await running
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await running
