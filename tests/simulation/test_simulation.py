"""Devices and endpoints come to hold the same, whatever happens between them, and what sync says of it is true.

More seeds: `python3 build.py simulate --seeds 5000 --first 300`.
"""

import pytest

from tests.simulation.pool import outcomes
from tests.simulation.run import failure

SEEDS = 300


def test_every_seed_is_well() -> None:
    for outcome in outcomes(range(SEEDS)):
        if outcome.failures:
            pytest.fail("\n".join([*outcome.story, failure(outcome)]), pytrace=False)


def test_a_seed_is_the_same_in_every_process() -> None:
    seeds = [7, 8, 23]
    first, second = list(outcomes(seeds)), list(outcomes(reversed(seeds), processes=1))
    assert [one.digest for one in first] == [one.digest for one in reversed(second)]
    assert len({one.digest for one in first}) == len(seeds)
