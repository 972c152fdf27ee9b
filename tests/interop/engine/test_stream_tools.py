"""A stream is the same every time, and shrinking finds the fewest of its steps that fail together."""

from __future__ import annotations

import random

import pytest

from tests.interop.engine.streams.pair import Outcome
from tests.interop.engine.streams.shrink import shrink
from tests.interop.engine.streams.step import Step
from tests.interop.engine.streams.stream import Stream


def steps(count: int) -> list[Step]:
    return [Step(number, "x", "did:x:y") for number in range(count)]


@pytest.mark.parametrize("seed", range(20))
async def test_only_the_needed_steps_are_left(seed: int) -> None:
    rng = random.Random(seed)
    count = rng.randrange(1, 80)
    needed = set(rng.sample(range(count), rng.randrange(1, min(count, 5) + 1)))
    runs = 0

    async def fails(part: list[Step]) -> bool:
        nonlocal runs
        runs += 1
        return needed <= {step.number for step in part}

    kept = await shrink(steps(count), fails)
    assert [step.number for step in kept] == sorted(needed)
    assert runs < 400


def test_a_seed_gives_the_same_stream_again() -> None:
    first, second = Stream(5).steps(300), Stream(5).steps(300)
    assert [step.wire for step in first] == [step.wire for step in second]


def test_outcome_codes() -> None:
    assert Outcome({"status": {"code": 400, "detail": "SomeCode: words"}}).code == "400 SomeCode"
    assert Outcome({"status": {"code": 404, "detail": "Not Found"}}).code == "404"
    assert Outcome({"status": {"code": 202, "detail": "Accepted"}}).code == "202 Accepted"
