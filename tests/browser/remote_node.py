"""A remote node as a process of its own, which a test can stop and start again.

    python tests/browser/remote_node.py --port 8001 --data FOLDER --gateway http://127.0.0.1:8000/dht

Serves one node at `/dwn`. It resolves did:dht through the gateway of another process. With `--terms FILE` it serves
only who agrees to them and does a small proof of work, and with `--invited` only who was invited.
"""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path

import uvicorn

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.dids.resolver import default_resolver
from web5.node.registration import RegistrationSettings
from web5.node.serve import open_node
from web5.node.server import create_app
from web5.node.tenants.tenancy import TenantRules
from web5.ports.clock import SystemClock

HASHES = 20_000
"""Of that proof of work, on average."""


async def serve(port: int, data: Path, gateway: str, terms: str | None, *, invited: bool) -> None:
    settings = RegistrationSettings() if terms is None else RegistrationSettings(terms, HASHES)
    http = HttpxHttp()
    resolver = default_resolver(http, CPythonCrypto(), SystemClock(), gateway)
    rules = TenantRules("invitation") if invited else None
    async with open_node(data, resolver, settings, rules=rules) as (dwn, registrations):
        app = create_app({"/dwn": dwn}, registrations={"/dwn": registrations})
        config = uvicorn.Config(app, port=port, lifespan="off", log_level="warning", timeout_graceful_shutdown=1)
        await uvicorn.Server(config).serve()
    await http.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gateway", required=True)
    parser.add_argument("--terms", type=Path)
    parser.add_argument("--invited", action="store_true")
    options = parser.parse_args()
    terms = options.terms.read_text(encoding="utf-8") if options.terms else None
    asyncio.run(serve(options.port, options.data, options.gateway, terms, invited=options.invited))
