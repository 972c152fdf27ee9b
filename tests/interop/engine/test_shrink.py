"""Shrinking finds the fewest steps that fail together."""

from __future__ import annotations

import random

import pytest
from tests.interop.engine.streams.shrink import shrink
from tests.interop.engine.streams.step import Step


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
