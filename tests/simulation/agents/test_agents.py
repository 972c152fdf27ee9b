"""The devices of one person come to the same identities and notes, whatever happens, and the words bring all back.

More seeds: `python3 build.py simulate --of agents --seeds 500 --first 100`.
"""

from collections.abc import Iterator

import pytest

from tests.simulation.agents.mutants import MUTANTS
from tests.simulation.pool import Simulators, simulators
from tests.simulation.run import failure

SEEDS = [*range(16), 4000007, 4000019, 4000020, 20001008, 21000019]
"""The last ones have found faults."""
CATCHING = {"older document": [6], "rename beats deletion": [35], "empty is nothing": [44], "vault first": [5]}
"""Seeds that find a mutant: the first to be tried."""


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulators]:
    with simulators(processes=1, kind="agents") as one:
        yield one


def test_every_seed_is_well() -> None:
    with simulators(kind="agents") as processes:
        for outcome in processes.all(SEEDS):
            if outcome.failures:
                pytest.fail("\n".join([*outcome.story, failure(outcome, "agents")]), pytrace=False)


def test_a_seed_is_the_same_in_every_process(simulator: Simulators) -> None:
    with simulators(processes=1, kind="agents") as another:
        first, second = ([process.one(seed).digest for seed in (1, 2)] for process in (simulator, another))
    assert first == second
    assert len(set(first)) == 2


@pytest.mark.parametrize("mutant", MUTANTS)
def test_a_mutant_is_caught(simulator: Simulators, mutant: str) -> None:
    assert any(simulator.one(seed, mutant).failures for seed in [*CATCHING.get(mutant, []), *range(100)]), MUTANTS[
        mutant
    ].says
