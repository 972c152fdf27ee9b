"""The clocks of remote nodes, by what they say in their refusals."""

from __future__ import annotations

import pytest

from tests.clocks import ManualClock
from web5.dwn.timestamps import format_timestamp
from web5.remote.clocks import MOST_AHEAD, REMEMBERED, NodeClocks

NOW = 1_714_521_600_000_000
HOUR = 3600 * 1_000_000
DID = "did:example:alice"


def refusal(us: int, code: str = "TimestampOutsideWindow") -> str:
    more = " a message is dated 2024-05-01T00:00:00.000000Z at the latest" if code == "TimestampAhead" else ""
    return f"{code}: this node's clock says {format_timestamp(us)};{more}"


@pytest.mark.parametrize("code", ["TimestampOutsideWindow", "TimestampAhead"])
@pytest.mark.parametrize("hours", [-200_000, -3, 0, 3, 23.9])
async def test_1_a_node_moves_its_own_clock_and_no_other(code: str, hours: float) -> None:
    own = ManualClock(NOW)
    clocks = NodeClocks(own)
    assert clocks.of("https://a", DID).learn(refusal(int(NOW + hours * HOUR), code))
    assert clocks.of("https://a", DID).now() == NOW + hours * HOUR
    assert clocks.of("https://b", DID).now() == clocks.clock.now() == NOW
    assert clocks.of("https://a", "did:example:other").now() == NOW
    own.us += HOUR
    assert clocks.of("https://a", DID).now() == NOW + (hours + 1) * HOUR


async def test_2_a_node_that_is_further_ahead_is_not_followed() -> None:
    clock = NodeClocks(ManualClock(NOW)).of("https://a", DID)
    assert clock.learn(refusal(NOW + HOUR))
    for us in (NOW + MOST_AHEAD + 1, NOW + 1000 * HOUR):
        assert not clock.learn(refusal(us))
    assert clock.now() == NOW + HOUR


@pytest.mark.parametrize("detail", ["", "OK", "TimestampOutsideWindow", "TimestampOutsideWindow: who knows"])
async def test_other_details_teach_nothing(detail: str) -> None:
    clock = NodeClocks(ManualClock(NOW)).of("https://a", DID)
    assert not clock.learn(detail)
    assert clock.now() == NOW


async def test_only_the_nodes_of_late_are_remembered() -> None:
    clocks = NodeClocks(ManualClock(NOW))
    clocks.of("https://a", DID).learn(refusal(NOW - HOUR))
    for number in range(REMEMBERED):
        clocks.of(f"https://{number}", DID)
    assert clocks.of("https://a", DID).now() == NOW


async def test_spans_are_those_of_this_device() -> None:
    own = ManualClock(NOW)
    clock = NodeClocks(own).of("https://a", DID)
    clock.learn(refusal(NOW - HOUR))
    before = clock.monotonic()
    await clock.sleep(5)
    assert clock.monotonic() - before == 5
