"""The simulator can fail: it finds each of the faults that are put into the code on purpose."""

from collections.abc import Iterator

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.pool import Simulators, seeds, simulators

SEEDS = 100


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulators]:
    with simulators(processes=1) as one:
        yield one


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(simulator: Simulators, mutant: str) -> None:
    assert any(simulator.one(seed, mutant).failures for seed in seeds(SEEDS)), MUTANTS[mutant].says
