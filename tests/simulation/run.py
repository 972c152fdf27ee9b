"""Runs seeds and tells of those that fail: `build.py simulate`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.simulation.mutants import MUTANTS
from tests.simulation.pool import simulators
from tests.simulation.simulation import Outcome


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 if a seed failed."""
    options = _parser().parse_args(arguments)
    if options.seed is not None:
        with simulators(processes=1) as process:
            outcome = process.one(options.seed, options.mutant)
        print("\n".join(outcome.story))
        print(failure(outcome) if outcome.failures else f"\nseed {outcome.seed} is well: {_told(outcome.counts)}")
        return int(bool(outcome.failures))
    return _many(options)


def _many(options: argparse.Namespace) -> int:
    began, total, failed = time.monotonic(), Counter[str](), list[int]()
    with simulators() as processes:
        for outcome in processes.all(range(options.first, options.first + options.seeds), options.mutant):
            total += outcome.counts
            if outcome.failures:
                failed.append(outcome.seed)
                if len(failed) == 1:
                    print("\n".join(outcome.story))
                print(failure(outcome), flush=True)
    seconds = time.monotonic() - began
    print(f"{options.seeds} seeds from {options.first} in {seconds:.0f} s: {_told(total)}")
    print(f"{len(failed)} failed: {', '.join(map(str, failed))}" if failed else "All are well.")
    return int(bool(failed))


def failure(outcome: Outcome) -> str:
    """Return the failures of a seed, and how to see them again."""
    what = "\n".join(f"    {line}" for line in outcome.failures)
    return f"\nseed {outcome.seed} failed:\n{what}\nIts story: python3 build.py simulate --seed {outcome.seed}"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default 1,000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, help="this one only, with its story")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), help="with a fault in the code, to see that it is found")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
