"""A running node: Alice's DWN behind HTTP and WebSockets, and a client of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.served import served
from tests.unit.dwn.conftest import World
from tests.unit.dwn.persons import Person
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn.data import DataStream
from web5.node.server import create_app
from web5.remote.dwn import RemoteDwn


@dataclass
class Wire(World):
    """A world whose messages go to Alice's DWN over HTTP, and whose subscriptions are WebSockets."""

    url: str
    remote: RemoteDwn

    async def send(self, message: Any, data: Any = None, *, tenant: Person | None = None, **more: Any) -> Any:
        answer = await self.remote.process_message(self.url, (tenant or self.alice).did, message, data)
        entry = answer.get("entry", {})
        if isinstance(entry.get("data"), DataStream):
            entry["data"] = DataStream(await entry["data"].read())
        return answer

    @asynccontextmanager
    async def subscribed(self, message: Any) -> AsyncIterator[tuple[Any, Heard]]:
        """The status of a subscription's reply, and what it tells."""
        heard = Heard()
        subscription = await self.remote.subscribe(self.url, self.alice.did, message, heard.events.put_nowait)
        yield subscription.reply["status"], heard
        await subscription.close()


@dataclass
class Heard:
    """The events of a subscription."""

    events: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    async def next(self) -> str:
        """The ID of the record that the next event is about."""
        async with asyncio.timeout(30):
            message = (await self.events.get())["message"]
        return str(message.get("recordId", message["descriptor"].get("recordId")))


@asynccontextmanager
async def over_the_wire(world: World) -> AsyncIterator[Wire]:
    async with served(create_app({"/dwn0": world.dwn})) as url:
        http = HttpxHttp()
        remote = RemoteDwn(http, CPythonWebSockets())
        yield Wire(world.dwn, world.clock, world.alice, world.bob, world.carol, f"{url}/dwn0", remote)
        await http.close()
