"""The reference engine and ours answer the same streams of messages alike, step by step.

On a difference, `python3 build.py fuzz --minutes 0 --seed N --steps 520` shows the fewest steps that lead to it.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.interop.engine.streams.pair import differences
from tests.interop.engine.streams.shrink import smallest
from tests.interop.engine.streams.stream import Stream
from tests.interop.reference import ReferenceScript

pytestmark = pytest.mark.asyncio(loop_scope="module")

SEEDS = range(1, 11)
STEPS = 520


async def test_streams_are_answered_alike(reference_engine: ReferenceScript) -> None:
    codes: Counter[str] = Counter()
    events = refusals = encrypted = 0
    for seed in SEEDS:
        stream = Stream(seed)
        steps = stream.steps(STEPS)
        found, ours = await differences(reference_engine, stream.world.actors, steps)
        if found:
            least = await smallest(reference_engine, stream.world.actors, steps, found[0])
            raise AssertionError(f"seed {seed}, {len(found)} differences, the first one at its least:\n{least}")
        codes.update(outcome.code for outcome in ours)
        events += sum(len(outcome.events) for outcome in ours)
        for step, outcome in zip(steps, ours, strict=True):
            refusals += step.tenant in step.refused
            encrypted += outcome.code == "202 Accepted" and "encryption" in step.message
    assert_they_cover(codes, events)
    assert refusals > 50
    assert encrypted > 50


def assert_they_cover(codes: Counter[str], events: int) -> None:
    """The streams would prove little if nothing were accepted, or if one check refused everything."""
    assert codes["202 Accepted"] > 800
    assert codes["204 No Content"] > 20
    assert codes["200 OK"] > 800
    assert codes["409"] > 20
    assert events > 200
    assert len(codes) > 90, sorted(codes)
