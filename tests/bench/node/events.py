"""The time until an event has reached one of many sockets."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.bench.node.clients import Client, did_key_person, request, row
from tests.bench.stage import BenchError
from tests.unit.dwn.persons import Person
from web5.dwn import compose
from web5.dwn.wire import rpc_socket
from web5.ports.clock import SystemClock

CLOCK = SystemClock()
WRITERS = 8
PER_ADDRESS = 100
"""Sockets that come from one address of loopback: a node gives each only so many subscriptions."""

PATIENCE = 120


class Subscriber:
    """A socket with a subscription to a tenant."""

    def __init__(self, whose: Person, socket: ClientConnection) -> None:
        self.whose = whose
        self._socket = socket
        self._told = asyncio.Event()

    @staticmethod
    async def open(url: str, number: int) -> Subscriber:
        address = f"127.0.1.{1 + number // PER_ADDRESS}"
        whose = await did_key_person()
        socket = await connect(url.replace("http", "ws", 1), local_addr=(address, 0), compression=None, max_size=None)
        self = Subscriber(whose, socket)
        message = await compose.messages_subscribe(whose.signer, CLOCK)
        await socket.send(rpc_socket.encode_subscribe(whose.did, message, f"s{number}", f"r{number}"))
        answer = await socket.recv()
        if '"code":200' not in str(answer):
            raise BenchError(f"a node refused a subscription: {str(answer)[-500:]}")
        return self

    async def listen(self) -> None:
        async for _ in self._socket:
            self._told.set()

    async def close(self) -> None:
        await self._socket.close()

    async def write(self, client: Client, turn: int) -> float:
        """Have something written, and return the seconds until the socket had its event."""
        data = b"event %d" % turn
        message = await compose.records_write(self.whose.signer, CLOCK, data=data, data_format="text/plain")
        sent = request(self.whose, message, data)
        self._told.clear()
        began = time.perf_counter()
        await asyncio.gather(client.send([sent], []), self._told.wait())
        return time.perf_counter() - began


async def measure_events(name: str, urls: list[str], sockets: int, events: int) -> dict[str, Any]:
    """Return the row of events: sockets at the last of the servers, writers at the first."""
    async with AsyncExitStack() as stack:
        subscribers = []
        for number in range(sockets):
            subscribers.append(await Subscriber.open(urls[-1], number))
            stack.push_async_callback(subscribers[-1].close)
        listening = [asyncio.create_task(one.listen()) for one in subscribers]
        stack.callback(lambda: [one.cancel() for one in listening])
        took: list[float] = []

        async def write(number: int, client: Client) -> None:
            # Each writer has subscribers of its own, so that none waits for two events at once.
            mine = subscribers[number::WRITERS]
            turns = range(events // WRITERS if mine else 0)
            took.extend([await mine[turn % len(mine)].write(client, turn) for turn in turns])

        writers = [await Client.open(urls[0]) for _ in range(WRITERS)]
        for one in writers:
            stack.push_async_callback(one.close)
        began = time.perf_counter()
        async with asyncio.timeout(PATIENCE):
            await asyncio.gather(*(write(number, one) for number, one in enumerate(writers)))
        return row("event", name, sockets, took, time.perf_counter() - began)
