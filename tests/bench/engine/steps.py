"""The steps of the engine bench on our engine, on CPython and in a worker; `steps.mjs` has them for the reference."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from web5.crypto.jose.jws import MessageSigner
from web5.dids.jwk import DidJwk, create
from web5.dids.keys import signer_for
from web5.dids.resolver import UniversalResolver
from web5.dwn import Dwn, compose
from web5.dwn.store.schema import columns_of
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.values.types import Message
from web5.ports.clock import SystemClock

SCHEMA = "http://bench.example/note"
BASE = 1_704_067_200_000_000
DATA = (b"Lorem ipsum dolor sit amet. " * 4)[:100]


class Steps:
    """
    Parameters:
        open_parts: `database`, `blobs` and `crypto` of an engine, by the name of its store.
    """

    dwn: Dwn
    did: str
    signer: MessageSigner
    made: list[Message]

    def __init__(self, open_parts: Callable[[str], Awaitable[dict[str, Any]]]) -> None:
        self._open_parts = open_parts
        self._clock = SystemClock()

    async def open(self, store: str) -> None:
        self._parts = await self._open_parts(store)
        self.dwn = Dwn(resolver=UniversalResolver([DidJwk()], self._clock), clock=self._clock, **self._parts)
        await self.dwn.open()
        portable = await create(self._parts["crypto"], "Ed25519")
        self.did, self.signer = portable.uri, await signer_for(portable, self._parts["crypto"])

    async def fill(self, start: int, count: int) -> None:
        """Records as its handler stores them, but for the signatures, which are all those of one."""
        template, store, database = await self._write(), self.dwn.store, self._parts["database"]
        descriptor = template["descriptor"]
        with database.transaction():
            tenant = store.enrol(self.did)
            for i in range(start, count):
                descriptor["dateCreated"] = descriptor["messageTimestamp"] = format_timestamp(BASE + i * 1_000_000)
                template["recordId"] = cid = f"bafyreibench{i:047}"
                given = {"latest": True, "initial": True, "data": DATA}
                store.put(columns_of(tenant, self.did, cid, template, self.did, template, **given))
        await database.flush()

    async def write(self, count: int) -> dict[str, float]:
        self.made = [await self._write() for _ in range(count)]
        return await self._timed(self.made, self._send_write)

    async def write_at_once(self, count: int, at_once: int) -> dict[str, float]:
        """The same with so many in flight, as a sync that pulls has them."""
        messages = [await self._write() for _ in range(count)]
        start = time.perf_counter()
        for i in range(0, count, at_once):
            for reply in await asyncio.gather(*map(self._send_write, messages[i : i + at_once])):
                assert reply["status"]["code"] == 202, reply
        return {"per_second": count / (time.perf_counter() - start)}

    async def read(self, count: int) -> dict[str, float]:
        async def send(message: Message) -> Any:
            reply = await self._send(message)
            assert await reply["entry"]["data"].read() == DATA
            return reply

        ids = [self.made[i % len(self.made)]["recordId"] for i in range(count)]
        messages = [await compose.records_read(self.signer, self._clock, filter={"recordId": id}) for id in ids]
        return await self._timed(messages, send)

    async def query(self, count: int) -> dict[str, float]:
        async def send(message: Message) -> Any:
            reply = await self._send(message)
            assert len(reply["entries"]) == 20
            return reply

        options: dict[str, Any] = {"date_sort": "createdDescending", "pagination": {"limit": 20}}
        messages = [
            await compose.records_query(self.signer, self._clock, filter={"schema": SCHEMA}, **options)
            for _ in range(count)
        ]
        return await self._timed(messages, send)

    async def fan_out(self, count: int, subscribers: int) -> dict[str, float]:
        """Events told in a second, with so many subscribers to what is written and as many to something else."""
        told: list[Any] = []
        subscriptions = []
        for i in range(2 * subscribers):
            filter = {"schema": SCHEMA if i % 2 else f"{SCHEMA}/{i}"}
            message = await compose.records_subscribe(self.signer, self._clock, filter=filter)
            reply = await self.dwn.process_message(self.did, message, subscription_handler=told.append)
            subscriptions.append(reply["subscription"])
        messages = [await self._write() for _ in range(count)]
        figures = await self._timed(messages, self._send_write)
        assert len(told) == count * subscribers
        for subscription in subscriptions:
            await subscription.close()
        return {"per_second": figures["per_second"] * subscribers}

    async def _write(self) -> Message:
        return await compose.records_write(self.signer, self._clock, data=DATA, data_format="text/plain", schema=SCHEMA)

    async def _send(self, message: Message, data: bytes | None = None) -> Any:
        return await self.dwn.process_message(self.did, message, data)

    async def _send_write(self, message: Message) -> Any:
        return await self._send(message, DATA)

    async def _timed(self, messages: list[Message], each: Callable[[Message], Awaitable[Any]]) -> dict[str, float]:
        start = time.perf_counter()
        for message in messages:
            status = (await each(message))["status"]
            assert status["code"] < 300, status
        return {"per_second": len(messages) / (time.perf_counter() - start)}
