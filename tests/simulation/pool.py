"""Many seeds on all cores: every process hashes texts alike, so that a seed gives the same there as anywhere."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Iterable, Iterator

from tests.simulation.mutants import MUTANTS, unchanged
from tests.simulation.simulation import Outcome, simulate

SEEDS_A_PROCESS = 100
"""So many, and a new process takes over, so that memory that is not given back does not add up."""


def outcomes(seeds: Iterable[int], mutant: str | None = None, processes: int | None = None) -> Iterator[Outcome]:
    """Run each seed, and give the outcomes in their order.

    Parameters:
        mutant: a key of `mutants.MUTANTS`, to be put in place of the real code.
        processes: how many at once; None: as many as there are cores.
    """
    before, os.environ["PYTHONHASHSEED"] = os.environ.get("PYTHONHASHSEED"), "0"
    try:
        pool = multiprocessing.get_context("spawn").Pool(processes or os.cpu_count(), maxtasksperchild=SEEDS_A_PROCESS)
        with pool:  # whoever has seen enough does not wait for the rest
            yield from pool.imap(_one, ((seed, mutant) for seed in seeds))
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
