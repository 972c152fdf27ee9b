"""How a device treats an endpoint, whatever it has to tell it.

Bounds:
1. While a pause lasts that the endpoint asked for, it is asked nothing: no message, listing or subscription, also by
   the next run of a device that had the time to note it.
2. It is asked for one list at a time for each tenant: rounds do not pile up, however late its answers are.
3. The tasks on a device are few, likewise.
What excuses the first: a clock that was set in between, or wrong at the end of the run that was told, and another run
than that which was told and went on.
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
    skew: tuple[float, int]


@dataclass(slots=True)
class Manners:
    """The manners of all devices; what is wrong is appended to `violations`."""

    violations: list[str]
    _pauses: dict[tuple[str, str], dict[int, _Pause]] = field(default_factory=dict)
    _seen: dict[tuple[str, int], tuple[float, tuple[float, int]]] = field(default_factory=dict)
    _lists: Counter[tuple[str, int, str, str]] = field(default_factory=Counter)

    def asked_to_wait(self, device: Device, endpoint: Endpoint, seconds: float) -> None:
        """Record that an endpoint asked a device for a pause."""
        by_run, now = self._pauses.setdefault((device.name, endpoint.url), {}), _now()
        if device.runs not in by_run or now + seconds > by_run[device.runs].end:
            by_run[device.runs] = _Pause(now, now + seconds, _skew(device))

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
        self._seen[device.name, device.runs] = _now(), _skew(device)
        try:
            yield
        finally:
            self._lists[one] -= is_list

    def _left(self, device: Device, endpoint: Endpoint) -> float:
        """Return the seconds that are left of the longest pause which the device has to know of."""
        left = 0.0
        for run, pause in self._pauses.get((device.name, endpoint.url), {}).items():
            seen, skew = self._seen.get((device.name, run), (0.0, pause.skew))
            noted = run == device.runs or (seen >= pause.begun + NOTED and skew == pause.skew)
            if noted and pause.skew == _skew(device):
                left = max(left, pause.end - _now())
        return left


def _now() -> float:
    return asyncio.get_running_loop().time()


def _skew(device: Device) -> tuple[float, int]:
    return device.clock.skew, device.clock.put_back
