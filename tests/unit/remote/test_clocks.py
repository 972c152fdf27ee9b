"""The clocks of remote nodes, by what they say in their refusals."""

from __future__ import annotations

from email.utils import formatdate

import pytest

from tests.clocks import ManualClock
from web5.dwn.values.timestamps import format_timestamp
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


@pytest.mark.parametrize("seconds", [-400_000_000, -3600, 0, 90, 86_400])
async def test_3_how_far_the_clocks_are_from_each_other_is_known_and_moves_nothing(seconds: int) -> None:
    clocks = NodeClocks(ManualClock(NOW))
    assert clocks.ahead("https://a") is None and not clocks.is_off("https://a")
    clocks.answered("https://a", formatdate(NOW / 1e6 - seconds, usegmt=True), 0.2)
    assert abs((clocks.ahead("https://a") or 0) - seconds * 1_000_000) <= 1_000_000
    assert clocks.is_off("https://a") is (abs(seconds) > 60)
    assert clocks.of("https://a", DID).now() == NOW
    assert clocks.ahead("https://b") is None


async def test_3_a_refusal_tells_it_too() -> None:
    clocks = NodeClocks(ManualClock(NOW))
    clocks.of("https://a", DID).learn(refusal(NOW - 2 * HOUR))
    assert clocks.ahead("https://a") == 2 * HOUR
    clocks.of("https://a", DID).learn(refusal(NOW + 400 * HOUR))
    assert clocks.ahead("https://a") == -400 * HOUR


@pytest.mark.parametrize(
    "date",
    [
        None,
        "",
        "yesterday",
        "Wed, 01 May 2024 00:00:00 +0100",
        "Wed, 31 Feb 2024 00:00:00 GMT",
        "Wed, 01 May 0000 00:00:00 GMT",
        "Wed, 01 May 2024 23:59:60 GMT",
        "Wed, 01 May 2024 00:00:00 GMT, Wed, 01 May 2024 00:00:00 GMT",
        "Wed, 01 Mai 2024 00:00:00 GMT" * 10_000,
    ],
)
async def test_3_what_is_no_date_tells_nothing(date: str | None) -> None:
    clocks = NodeClocks(ManualClock(NOW))
    clocks.answered("https://a", date, 0.2)
    assert clocks.ahead("https://a") is None


async def test_3_a_slow_answer_tells_nothing() -> None:
    clocks = NodeClocks(ManualClock(NOW))
    clocks.answered("https://a", formatdate(0, usegmt=True), 11)
    assert clocks.ahead("https://a") is None


async def test_spans_are_those_of_this_device() -> None:
    own = ManualClock(NOW)
    clock = NodeClocks(own).of("https://a", DID)
    clock.learn(refusal(NOW - HOUR))
    before = clock.monotonic()
    await clock.sleep(5)
    assert clock.monotonic() - before == 5
