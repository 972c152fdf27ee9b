"""Our DID DHT gateway as a live HTTP server, for the reference packages to publish to and resolve from."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn

from web5.dwn.store.database import open_memory
from web5.node.crypto import NodeCrypto
from web5.node.gateway import create_gateway


class _Server(uvicorn.Server):
    """Says when it accepts requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.accepting.set()


@asynccontextmanager
async def gateway_server() -> AsyncIterator[str]:
    """Its address, until the end of the block."""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_gateway(open_memory(), NodeCrypto())
    server = _Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
    running = asyncio.ensure_future(server.serve([listener]))
    await server.accepting.wait()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await running
