"""The simulator can fail: it finds each of the faults that are put into the code on purpose."""

import pytest

from tests.simulation.mutants import MUTANTS
from tests.simulation.pool import outcomes

SEEDS = range(40)


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(mutant: str) -> None:
    assert any(outcome.failures for outcome in outcomes(SEEDS, mutant)), MUTANTS[mutant].says
