"""Who the devices belong to, and what a server holds before they come, made on CPython."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.bench.stage import BenchError
from web5.agent.agent import Agent
from web5.cpython.agent import open_agent
from web5.cpython.http import HttpxHttp
from web5.dwn import compose
from web5.remote.dwn import RemoteDwn

SCHEMA = "https://schema.org/TextDigitalDocument"
IN_FLIGHT = 6


class Author:
    """Makes identities whose node is `endpoint`, and fills a server with records of theirs."""

    def __init__(self, agent: Agent, http: HttpxHttp, endpoint: str) -> None:
        self._agent = agent
        self._remote = RemoteDwn(http)
        self._endpoint = endpoint

    async def identity(self) -> dict[str, Any]:
        """A new identity, published, as a device imports it."""
        made = await self._agent.create_identity("bench", [self._endpoint])
        if not await self._agent.publish_all():
            raise BenchError("the gateway does not take the bench's identities")
        return await self._agent.export_identity(made.did)

    async def fill(self, identity: dict[str, Any], server: str, count: int) -> None:
        """Send signed records of 120 bytes, several in flight."""
        did = identity["portableDid"]["uri"]
        signer = await self._agent.signer(did)
        numbers = iter(range(count))

        async def work() -> None:
            for number in numbers:
                data = (f"Note {number} " + "lorem ipsum " * 10)[:120].encode()
                message = await compose.records_write(
                    signer, self._agent.clock, data=data, data_format="text/plain", schema=SCHEMA
                )
                reply = await self._remote.process_message(server, did, message, data)
                if reply["status"]["code"] != 202:
                    raise BenchError(f"the server was not filled: {reply['status']}")

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(work())


@asynccontextmanager
async def author(folder: Path, gateway: str, endpoint: str) -> AsyncIterator[Author]:
    """An author with keys in `folder`, until the end of the block."""
    agent, http = await open_agent(gateway_uris=[gateway], data_path=folder), HttpxHttp()
    try:
        await agent.initialize(password=None, dwn_endpoints=[])
        yield Author(agent, http, endpoint)
    finally:
        await http.close()
        await agent.close()
