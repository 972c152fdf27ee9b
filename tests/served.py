"""An ASGI app behind real sockets, in this process."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from web5.node.serve import server_config


@asynccontextmanager
async def served(app) -> AsyncIterator[str]:
    """An ASGI app on a free port, in this process; its URL without a slash."""
    ready = asyncio.Event()

    class Server(uvicorn.Server):
        async def startup(self, sockets=None) -> None:
            await super().startup(sockets)
            ready.set()

    server = Server(server_config(app))
    running = asyncio.ensure_future(server.serve())
    await ready.wait()
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await running
