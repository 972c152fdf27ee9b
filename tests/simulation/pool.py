"""Many seeds on all cores: every process hashes texts alike, so that a seed gives the same there as anywhere."""

from __future__ import annotations

import logging
import multiprocessing
import multiprocessing.pool
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from tests.simulation.mutants import MUTANTS, unchanged
from tests.simulation.simulation import Outcome, simulate

SEEDS_A_PROCESS = 100
"""So many, and a new process takes over, so that memory that is not given back does not add up."""

CATCHING = (6, 12, 0, 7, 19)
"""Seeds that find mutants soon, and so faults: the first to be tried."""


def seeds(count: int) -> list[int]:
    """Return so many seeds, those first that find most."""
    return [*CATCHING, *(seed for seed in range(count) if seed not in CATCHING)][:count]


class Simulators:
    """Processes that simulate."""

    def __init__(self, pool: multiprocessing.pool.Pool) -> None:
        self._pool = pool

    def one(self, seed: int, mutant: str | None = None) -> Outcome:
        """Simulate a seed.

        Parameters:
            mutant: a key of `mutants.MUTANTS`, to be put in place of the real code.
        """
        return self._pool.apply(_one, [(seed, mutant)])

    def all(self, seeds: Iterable[int], mutant: str | None = None) -> Iterator[Outcome]:
        """Simulate all these; their outcomes in the order of the seeds."""
        return self._pool.imap(_one, ((seed, mutant) for seed in seeds))


@contextmanager
def simulators(processes: int | None = None) -> Iterator[Simulators]:
    """Start processes, as many as there are cores by default; at the end of the block what they do is broken off."""
    before, os.environ["PYTHONHASHSEED"] = os.environ.get("PYTHONHASHSEED"), "0"
    try:
        pool = multiprocessing.get_context("spawn").Pool(processes or os.cpu_count(), maxtasksperchild=SEEDS_A_PROCESS)
        with pool:
            yield Simulators(pool)
    finally:
        if before is None:
            del os.environ["PYTHONHASHSEED"]
        else:
            os.environ["PYTHONHASHSEED"] = before


def _one(what: tuple[int, str | None]) -> Outcome:
    logging.disable(logging.CRITICAL)  # what fails is meant to
    seed, mutant = what
    with MUTANTS[mutant].applied() if mutant else unchanged():
        return simulate(seed)
