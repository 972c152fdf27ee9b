"""The machine's clock: put back, put forward, and while the device sleeps."""

from __future__ import annotations

import asyncio

import pytest

from tests.clocks import ManualClock
from web5.ports import clock as module
from web5.ports.clock import NAP, LaterClock, SystemClock

START = 1_000_000.0
DAY = 24 * 3600.0


class Machine:
    """The module `time` of a machine; `sleep` takes the place of asyncio's.

    Attributes:
        wall, ran: seconds by the wall clock, and by the one that stands still while the device sleeps.
        naps: the timers that were set.
        asleep: seconds that the device sleeps during the next nap.
    """

    def __init__(self) -> None:
        self.wall, self.ran = START, 5.0
        self.naps: list[float] = []
        self.asleep = 0.0

    def time_ns(self) -> int:
        return int(self.wall * 1e9)

    def monotonic(self) -> float:
        return self.ran

    def run(self, seconds: float) -> None:
        self.wall += seconds
        self.ran += seconds

    async def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.run(seconds)
        self.wall, self.asleep = self.wall + self.asleep, 0.0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine()
    monkeypatch.setattr(module, "time", machine)
    monkeypatch.setattr(asyncio, "sleep", machine.sleep)
    return machine


def test_a_coarse_clock_steps(machine: Machine) -> None:
    clock = SystemClock()
    first = clock.now()
    assert [clock.now() - first for _ in range(3)] == [1, 2, 3]
    machine.run(1 / 1024)
    assert clock.now() - first == 976
    machine.wall -= 1 / 2048  # adjusted bit by bit
    assert clock.now() - first == 977


@pytest.mark.parametrize("hours", [0.001, 3, 24 * 365])
def test_a_clock_that_is_put_back_is_followed(machine: Machine, hours: float) -> None:
    clock = SystemClock()
    machine.wall += hours * 3600
    clock.now()
    machine.wall -= hours * 3600
    assert clock.now() == int(START * 1_000_000)
    machine.run(60)
    assert clock.now() == int((START + 60) * 1_000_000)


def test_spans_never_go_back_and_count_what_the_device_slept(machine: Machine) -> None:
    clock = SystemClock()
    began = clock.monotonic()
    machine.wall -= 3 * 3600
    assert clock.monotonic() == began
    machine.run(10)
    assert clock.monotonic() == began + 10
    machine.wall += 8 * 3600  # while nothing ran
    assert clock.monotonic() == pytest.approx(began + 10 + 8 * 3600)
    for _ in range(100):
        machine.run(1)
        machine.wall += 0.1  # one of the two runs too fast
        clock.monotonic()
    assert clock.monotonic() == pytest.approx(began + 110 + 8 * 3600)


@pytest.mark.parametrize("seconds", [0.0, 5.0, 3600.0, 40 * DAY])
async def test_no_timer_is_so_long_that_a_browser_would_have_it_fire_at_once(machine: Machine, seconds: float) -> None:
    await SystemClock().sleep(seconds)
    assert machine.ran - 5.0 == pytest.approx(seconds)
    assert max(machine.naps) <= NAP


async def test_a_wait_ends_when_the_device_wakes_after_it(machine: Machine) -> None:
    machine.asleep = 8 * 3600.0
    await SystemClock().sleep(2 * 3600)
    assert machine.naps == [NAP]


async def test_a_wait_ends_neither_sooner_nor_later_when_the_clock_is_put_back(machine: Machine) -> None:
    machine.asleep = -8 * 3600.0
    await SystemClock().sleep(3600)
    assert machine.ran - 5.0 == pytest.approx(3600)


async def test_a_later_clock_is_never_before_its_moment() -> None:
    own = ManualClock(1000)
    clock = LaterClock(own, 1500)
    assert clock.now() == 1500
    await clock.sleep(1)
    assert (clock.now(), clock.monotonic()) == (own.us, own.monotonic())
