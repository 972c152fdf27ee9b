"""How a device treats an endpoint, whatever it has to tell it.

Bounds:
1. While a pause lasts that the endpoint asked for, it is asked nothing: no message, listing or subscription, also by
   the next run of a device that had the time to note it.
2. It is asked for one list at a time for each tenant: rounds do not pile up, however late its answers are.
3. The tasks on a device are few, likewise.
What excuses the first: a clock that was set in between, and another run than that which was told.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.simulation.device import Device
    from tests.simulation.network import Endpoint

SLACK = 1.0
"""Seconds by which a pause may end early: dates have no fractions, and reckoning takes some."""

NOTED = 150.0
"""Seconds after which a pause outlives a crash: by then the visit has ended that it ends."""

TASKS_AT_MOST = 150


@dataclass(frozen=True, slots=True)
class _Pause:
    begun: float
    end: float
    run: int
    skew: tuple[float, int]


@dataclass(slots=True)
class Manners:
    """The manners of all devices; what is wrong is appended to `violations`."""

    violations: list[str]
    _pauses: dict[tuple[str, str], _Pause] = field(default_factory=dict)
    _seen: dict[str, float] = field(default_factory=dict)
    _lists: Counter[tuple[str, int, str, str]] = field(default_factory=Counter)

    def asked_to_wait(self, device: Device, endpoint: Endpoint, seconds: float) -> None:
        """Record that an endpoint asked a device for a pause."""
        known, now = self._pauses.get((device.name, endpoint.url)), _now()
        if known is None or now + seconds > known.end:
            self._pauses[device.name, endpoint.url] = _Pause(now, now + seconds, device.runs, _skew(device))

    @contextmanager
    def request(self, device: Device, endpoint: Endpoint, tenant: str, kind: str) -> Iterator[None]:
        """Look at a request before it is sent, and keep it in mind while it is under way."""
        where = f"{device.name} sends a {kind} to {endpoint.name}"
        if (left := self._left(device, endpoint)) > SLACK:
            self.violations.append(f"{where} {left:.0f} s before the pause is over that it asked for")
        if len(device.tasks) > TASKS_AT_MOST:
            self.violations.append(f"{device.name} has more than {TASKS_AT_MOST} tasks")
        one = (device.name, device.runs, endpoint.url, tenant)
        is_list = kind == "MessagesQuery"
        if is_list and self._lists[one]:
            self.violations.append(f"{where} while another is under way")
        self._lists[one] += is_list
        self._seen[device.name] = _now()
        try:
            yield
        finally:
            self._lists[one] -= is_list

    def _left(self, device: Device, endpoint: Endpoint) -> float:
        pause = self._pauses.get((device.name, endpoint.url))
        if pause is None or pause.skew != _skew(device):
            return 0.0
        if pause.run != device.runs and self._seen.get(device.name, 0.0) < pause.begun + NOTED:
            return 0.0
        return pause.end - _now()


def _now() -> float:
    return asyncio.get_running_loop().time()


def _skew(device: Device) -> tuple[float, int]:
    return device.clock.skew, device.clock.put_back
