"""The last hour of sync, minute by minute."""

from __future__ import annotations

from typing import Any

from app.last_hour import LastHour

from web5.sync import EndpointStatus, SyncEvent

NODE = "https://dwn.example"


class Clock:
    """Seconds since 1970, as a test sets them."""

    now = 6_000_000.0

    def __call__(self) -> float:
        return self.now


def moved(direction: Any, done: int, size: int) -> SyncEvent:
    return SyncEvent("progress", "did:a", NODE, direction, done, 10, size)


def status(pending: int) -> EndpointStatus:
    return EndpointStatus("did:a", NODE, True, False, None, None, pending, 0, 0)


def test_what_moves_is_counted_once_in_its_minute() -> None:
    clock = Clock()
    hour = LastHour(list, clock)
    for event in (moved("push", 1, 100), moved("push", 3, 400), moved("push", 0, 450), moved("pull", 2, 50)):
        hour.hear(event)
    hour.hear(SyncEvent("endpoint", "did:a", NODE))  # the visit has ended, and the next counts anew
    hour.hear(moved("push", 1, 10))
    told = hour.told()
    assert (told["sent"][-1], told["fetched"][-1], told["bytes"][-1]) == (4, 2, 510)
    assert all(len(minutes) == 60 for minutes in told.values())
    clock.now += 59 * 60
    assert hour.told()["sent"][0] == 4
    clock.now += 60
    assert sum(hour.told()["sent"]) == 0


def test_a_delay_is_the_time_until_all_nodes_have_what_is_new() -> None:
    clock, pending = Clock(), [1]
    hour = LastHour(lambda: [status(number) for number in pending], clock)
    hour.wrote("did:a", "bafy")
    clock.now += 2
    hour.hear(SyncEvent("endpoint", "did:a", NODE))
    assert max(hour.told()["delays"]) == 0
    clock.now += 1
    pending[:] = [0]
    hour.hear(SyncEvent("endpoint", "did:a", NODE))
    assert hour.told()["delays"][-1] == 3
    hour.hear(SyncEvent("endpoint", "did:a", NODE))
    pending.clear()
    hour.wrote("did:a", "bafy")
    hour.hear(SyncEvent("endpoint", "did:a", NODE))  # without a node there is no such time
    assert hour.told()["delays"][-1] == 3


def test_however_long_it_runs_it_holds_an_hour() -> None:
    clock = Clock()
    hour = LastHour(list, clock)
    for _ in range(200):
        hour.hear(moved("push", 1, 1))
        hour.hear(SyncEvent("endpoint", "did:a", NODE))
        clock.now += 60
    assert len(hour._minutes) == 60
    assert sum(hour.told()["sent"]) == 59
