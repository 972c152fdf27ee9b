"""Many seeds on all cores: every process hashes texts alike, so that a seed gives the same there as anywhere."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.pool
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.simulation import mutants, simulation
from tests.simulation.agents import mutants as agent_mutants
from tests.simulation.agents import simulation as agent_simulation
from tests.simulation.mutants import unchanged
from tests.simulation.simulation import Outcome

KINDS = {
    "sync": (simulation.simulate, mutants.MUTANTS),
    "agents": (agent_simulation.simulate, agent_mutants.MUTANTS),
}
"""The simulations, each with its mutants."""

SEEDS_A_PROCESS = 100
"""So many, and a new process takes over, so that memory that is not given back does not add up."""

CATCHING = (6, 12, 13, 8, 29, 14, 0, 7, 19, 59, 16, 15, 39)
"""Seeds that find mutants soon, and so faults: the first to be tried."""


def seeds(count: int) -> list[int]:
    """Return so many seeds, those first that find most."""
    return [*CATCHING, *(seed for seed in range(count) if seed not in CATCHING)][:count]


class Simulators:
    """Processes that simulate, each a key of `KINDS`."""

    def __init__(self, pool: multiprocessing.pool.Pool, kind: str) -> None:
        self._pool = pool
        self._kind = kind

    def one(self, seed: int, mutant: str | None = None) -> Outcome:
        """Simulate a seed.

        Parameters:
            mutant: a key of the simulation's mutants, to be put in place of the real code.
        """
        return self._pool.apply(_one, [(self._kind, seed, mutant)])

    def all(self, seeds: Iterable[int], mutant: str | None = None) -> Iterator[Outcome]:
        """Simulate all these; their outcomes in the order of the seeds."""
        return self._pool.imap(_one, ((self._kind, seed, mutant) for seed in seeds))


@contextmanager
def simulators(processes: int | None = None, kind: str = "sync") -> Iterator[Simulators]:
    """Start processes, as many as there are cores by default; at the end of the block what they do is broken off."""
    before, os.environ["PYTHONHASHSEED"] = os.environ.get("PYTHONHASHSEED"), "0"
    try:
        pool = multiprocessing.get_context("spawn").Pool(processes or os.cpu_count(), maxtasksperchild=SEEDS_A_PROCESS)
        with pool:
            yield Simulators(pool, kind)
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def _one(what: tuple[str, int, str | None]) -> Outcome:
    logging.disable(logging.CRITICAL)  # what fails is meant to
    kind, seed, mutant = what
    simulate, faults = KINDS[kind]
    with faults[mutant].applied() if mutant else unchanged():
        return simulate(seed)
