"""The steps of the bench of many notes, the same on CPython and in a worker of the browser."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from app import state
from app.notes import notes

from web5 import Web5
from web5.dwn import Delivery, compose
from web5.dwn.values.cid import message_cid

AT_ONCE = 100
SHOWN = 50
ROUNDS = 3
"""A browser's clock is too coarse for one question."""


class Steps:
    """A device with notes that no node has, and what its page asks again and again.

    Parameters:
        connect: opens it, with sync off.
    """

    web5: Web5

    def __init__(self, connect: Callable[..., Awaitable[Web5]]) -> None:
        self._connect = connect
        self._filled = 0

    async def open(self, **options: Any) -> None:
        self.web5 = await self._connect(**options)
        await self.web5.agent.publish_all()
        await self.sync()  # from then on the node is known, and what is written waits for it

    async def fill(self, count: int) -> None:
        """Write notes, up to so many."""
        agent, did = self.web5.agent, self.web5.connected_did
        signer = await agent.signer(did)
        while self._filled < count:
            batch = []
            for number in range(self._filled, min(count, self._filled + AT_ONCE)):
                data = (f"Note {number} " + "lorem ipsum " * 10)[:120].encode()
                message = await compose.records_write(
                    signer, agent.clock, data=data, data_format=notes.FORMAT, schema=notes.SCHEMA
                )
                batch.append(Delivery(message, data, message_cid(message)))
            await agent.dwn.process_writes(did, batch)
            self._filled += len(batch)

    async def ask(self, repeat: int) -> dict[str, float]:
        """Ask everything so many times in a row, `ROUNDS` times; the median of milliseconds for one, by row."""
        found = {}
        for name, ask in self._questions().items():
            each = []
            for _ in range(ROUNDS):
                start = time.perf_counter()
                for _ in range(repeat):
                    await ask()
                each.append((time.perf_counter() - start) * 1000 / repeat)
            found[name] = statistics.median(each)
        return found

    def _questions(self) -> dict[str, Callable[[], Awaitable[Any]]]:
        sync = self.web5.sync

        async def status() -> None:
            sync.status()

        async def unsettled() -> None:
            sync.unsettled()

        async def state_of_page() -> None:
            state.state_of(self.web5)

        async def notes_of_page() -> None:
            await notes.newest(self.web5, SHOWN)

        async def write() -> None:
            await notes.create(self.web5, f"A note of {time.time_ns()}", time.time_ns() // 1000)

        return {
            "status()": status,
            "unsettled()": unsettled,
            "the page's state": state_of_page,
            "the page's 50 notes": notes_of_page,
            "a write": write,
        }

    async def sync(self) -> float:
        """Sync once; milliseconds."""
        start = time.perf_counter()
        report = await self.web5.sync.now()
        if not report.ok:
            raise RuntimeError(f"sync failed: {report}")
        return (time.perf_counter() - start) * 1000
