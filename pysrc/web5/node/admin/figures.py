"""The figures of a process over the last day, one sample a minute, in memory.

Invariants:
1. There are `KEPT` samples at the most, whatever happens; the oldest goes first.
2. A sample has sums alone: nothing of a tenant is in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

from web5.dwn.engine import Dwn
from web5.errors import StorageError
from web5.node.metrics import Metrics
from web5.node.tenants.use import Sum, whole_use
from web5.ports.clock import Clock
from web5.tasks import report

EVERY_SECONDS = 60.0
KEPT = 24 * 60


@dataclass(frozen=True, slots=True)
class Sample:
    """The figures of one minute.

    Parameters:
        at: seconds since 1970.
        requests, refused, failed: messages that were processed; those with a status from 400 on, and from 500 on.
        milliseconds: the mean time that one took.
        sockets: WebSockets that are open.
        messages, bytes: what all tenants keep.
    """

    at: int
    requests: int
    refused: int
    failed: int
    milliseconds: float
    sockets: int
    messages: int
    bytes: int


class Figures:
    """The samples of a process.

    Parameters:
        dwns: whose tenants are counted.
    """

    def __init__(self, metrics: Metrics, dwns: Sequence[Dwn], clock: Clock) -> None:
        self._metrics = metrics
        self._dwns = dwns
        self._clock = clock
        self._samples: deque[Sample] = deque(maxlen=KEPT)
        self._before = metrics.totals

    async def sample(self) -> None:
        """Add a sample.

        Raises:
            StorageError: it cannot be found out how much there is.
        """
        sums = [await whole(dwn) for dwn in self._dwns]
        now, before = self._metrics.totals, self._before
        requests, seconds = now.requests - before.requests, now.seconds - before.seconds
        self._before = now
        self._samples.append(
            Sample(
                self._clock.now() // 1_000_000,
                requests,
                now.refused - before.refused,
                now.failed - before.failed,
                round(1000 * seconds / requests, 2) if requests else 0.0,
                self._metrics.open_sockets,
                sum(one.messages for one in sums),
                sum(one.bytes for one in sums),
            )
        )

    async def run(self) -> None:
        """Add a sample every minute until cancelled."""
        while True:
            try:
                await self.sample()
            except StorageError as error:
                report("figures could not be taken", error)
            await asyncio.sleep(EVERY_SECONDS)

    def listed(self) -> dict[str, Any]:
        """Return the names of the figures, and the samples, oldest first."""
        return {"names": [field.name for field in fields(Sample)], "samples": [astuple(one) for one in self._samples]}


async def whole(dwn: Dwn) -> Sum:
    """Return what all tenants of a DWN keep."""
    connection = dwn.database.connection
    return await dwn.database.read(lambda: whole_use(connection))
