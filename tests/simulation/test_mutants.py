"""The simulator can fail: it finds each of the faults that are put into the code on purpose."""

from collections.abc import Iterator

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.pool import Simulators, seeds, simulators

SEEDS = 100

FOUND_BY = {
    "rows stay": 29,
    "no backoff": 12,
    "never woken": 19,
    "no doubts": 23,
    "no pause": 14,
    "endless patience": 120,
    "missing is settled": 8,
    "not looked after": 39,
    "no write-back": 29,
    "reserve is kept": 12,
    "terms for ever": 59,
    "older writes": 25,
    "lock before store": 14,
    "revoked is allowed": 47,
    "revoked is settled": 47,
}
"""Seeds that find a mutant: the first to be tried, since the others take their time."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulators]:
    with simulators(processes=1) as one:
        yield one


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(simulator: Simulators, mutant: str) -> None:
    first = [FOUND_BY[mutant]] if mutant in FOUND_BY else []
    assert any(simulator.one(seed, mutant).failures for seed in [*first, *seeds(SEEDS)]), MUTANTS[mutant].says
