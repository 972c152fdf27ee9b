"""A remote node as a process of its own, which a test can stop and start again.

    python tests/browser/remote_node.py --port 8001 --data FOLDER --gateway http://127.0.0.1:8000/dht

Serves one node at `/dwn`. It resolves did:dht through the gateway of another process.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import uvicorn

from web5.dids.resolver import default_resolver
from web5.node.crypto import NodeCrypto
from web5.node.http import HttpxHttp
from web5.node.server import create_app
from web5.node.store_open import open_node
from web5.ports.clock import SystemClock


async def serve(port: int, data: Path, gateway: str) -> None:
    http = HttpxHttp()
    resolver = default_resolver(http, NodeCrypto(), SystemClock(), gateway)
    async with open_node(data, resolver) as dwn:
        app = create_app({"/dwn": dwn})
        config = uvicorn.Config(app, port=port, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
        await uvicorn.Server(config).serve()
    await http.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gateway", required=True)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.data, options.gateway))
