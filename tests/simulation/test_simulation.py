"""Devices and endpoints come to hold the same, whatever happens between them, and what sync says of it is true.

More seeds: `python3 build.py simulate --seeds 5000 --first 100`.
"""

import pytest

from tests.simulation.pool import seeds, simulators
from tests.simulation.run import failure

SEEDS = 60
FOUND = (
    *(10002007, 30000519, 30000645, 30000652, 31000273, 31000617, 40000837, 40000901, 40001336),
    *(42000400, 42000414, 42000671, 42000711, 42001321, 42001947),
    *(42002066, 42002108, 42002126, 42002228, 42002270, 42002614, 42004881, 42005576, 42007068, 42007261),
    *(43000349, 43003805, 43003968, 43004029, 43004710, 43004777, 43007402, 43007654, 43008218, 43008280),
    *(43008868, 43013639, 43014031, 43014404, 43016092, 43016236, 43016518),
)
"""Seeds that have found faults, or alarmed without one."""

PARTS = 10
"""The seeds are simulated in so many tests, so that none comes near its time on a busy machine."""


@pytest.mark.parametrize("part", range(PARTS))
def test_every_seed_is_well(part: int) -> None:
    with simulators() as processes:
        for outcome in processes.all([*seeds(SEEDS), *FOUND][part::PARTS]):
            if outcome.failures:
                pytest.fail("\n".join([*outcome.story, failure(outcome)]), pytrace=False)


def test_a_seed_is_the_same_in_every_process() -> None:
    chosen = [7, 8, 23]
    with simulators() as processes:
        first = list(processes.all(chosen))
    with simulators(processes=1) as process:
        second = list(process.all(reversed(chosen)))
    assert [one.digest for one in first] == [one.digest for one in reversed(second)]
    assert len({one.digest for one in first}) == len(chosen)
