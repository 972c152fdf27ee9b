"""Runs seeds and tells of those that fail: `build.py simulate`."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter

from tests.simulation.pool import KINDS, simulators
from tests.simulation.simulation import Outcome


def main(arguments: list[str]) -> int:
    """Return the exit status: 1 if a seed failed."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.mutant not in (None, *KINDS[options.of][1]):
        parser.error(f"there is no mutant {options.mutant!r} of {options.of}: {', '.join(KINDS[options.of][1])}")
    if options.seed is not None:
        with simulators(processes=1, kind=options.of) as process:
            outcome = process.one(options.seed, options.mutant)
        print("\n".join(outcome.story))
        print(
            failure(outcome, options.of)
            if outcome.failures
            else f"\nseed {outcome.seed} is well: {_told(outcome.counts)}"
        )
        return int(bool(outcome.failures))
    return _many(options)


def _many(options: argparse.Namespace) -> int:
    began, total, failed = time.monotonic(), Counter[str](), list[int]()
    with simulators(kind=options.of) as processes:
        for outcome in processes.all(range(options.first, options.first + options.seeds), options.mutant):
            total += outcome.counts
            if outcome.failures:
                failed.append(outcome.seed)
                if len(failed) == 1:
                    print("\n".join(outcome.story))
                print(failure(outcome, options.of), flush=True)
    seconds = time.monotonic() - began
    print(f"{options.seeds} seeds from {options.first} in {seconds:.0f} s: {_told(total)}")
    print(f"{len(failed)} failed: {', '.join(map(str, failed))}" if failed else "All are well.")
    return int(bool(failed))


def failure(outcome: Outcome, kind: str = "sync") -> str:
    """Return the failures of a seed, and how to see them again."""
    what = "\n".join(f"    {line}" for line in outcome.failures)
    of = "" if kind == "sync" else f" --of {kind}"
    return f"\nseed {outcome.seed} failed:\n{what}\nIts story: python3 build.py simulate{of} --seed {outcome.seed}"


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="build.py simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many (default 1,000)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default 0)")
    parser.add_argument("--seed", type=int, help="this one only, with its story")
    parser.add_argument("--of", choices=KINDS, default="sync", help="sync alone, or whole agents (default sync)")
    parser.add_argument("--mutant", help="with a fault in the code, to see that it is found")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
