"""Our DID DHT gateway as a live HTTP server, for the reference packages to publish to and resolve from."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.served import served
from web5.cpython.crypto import CPythonCrypto
from web5.dwn.store.database import open_memory
from web5.node.gateway import create_gateway


@asynccontextmanager
async def gateway_server() -> AsyncIterator[str]:
    """Its address, until the end of the block."""
    async with served(create_gateway(open_memory(), CPythonCrypto())) as url:
        yield url
