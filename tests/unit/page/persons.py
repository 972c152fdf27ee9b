"""People with a device each, who write to one another through remote nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from tests.unit.conftest import World
from tests.unit.page.devices import Device

SECONDS = 60
"""The longest that anything here may take."""


class Person:
    """Somebody with one device."""

    def __init__(self, device: Device, did: str) -> None:
        self.device = device
        self.ask = device.ask
        self.did = did

    async def sync(self) -> None:
        assert (await self.ask("sync_now"))["ok"]

    async def write(self, to: Person, text: str) -> Any:
        return await self.ask("send_message", did=to.did, text=text, key=text)

    async def sees(self, other: Person) -> list[Any]:
        """The messages with somebody, as they are shown: text, and state of those that are one's own."""
        found = await self.ask("conversation", did=other.did, limit=50)
        return [(one["text"], one["state"]) for one in found["messages"]]

    async def shown(self, thread: str) -> Any:
        return await self.ask("conversation", did=thread, limit=50)

    async def wait(self, thread: str, fits: Callable[[Any], object], *, sync: bool = False) -> Any:
        """What a conversation is once it fits."""
        async with asyncio.timeout(SECONDS):
            while not fits(found := await self.shown(thread)):
                if sync:
                    await self.sync()
                await self.device.posted.get()
        return found

    async def until(self, other: Person, state: str) -> None:
        """Wait until all that was written to somebody is in this state."""
        async with asyncio.timeout(SECONDS):
            while {found for _, found in await self.sees(other) if found} != {state}:
                await self.device.posted.get()

    async def until_one(self, other: Person, text: str, state: str) -> None:
        """Wait until one message to somebody is in this state."""
        await self.wait(other.did, lambda found: (text, state) in [(m["text"], m["state"]) for m in found["messages"]])


async def person(world: World, name: str) -> Person:
    device = Device(await world.blank_device(name), world.endpoints)
    await device.session.open()
    assert await device.agent.publish_all()
    made = Person(device, device.session.web5.connected_did)
    await made.ask("turn_on_messages")
    await made.sync()
    return made
