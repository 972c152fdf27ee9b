"""New streams for the two engines, until they differ or the time is up: `build.py fuzz`.

A difference is shrunk to the fewest steps that show it. A seed gives the same stream again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time

from tests.interop.engine.streams.pair import differences
from tests.interop.engine.streams.shrink import smallest
from tests.interop.engine.streams.stream import Stream
from tests.interop.reference import ReferenceScript, reference_script

STEPS = 400


async def fuzz(minutes: float, seed: int, steps: int) -> int:
    """Run one seed after the other, at least one; the exit status."""
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as folder:
        async with reference_script("engine.mjs", REFERENCE_FOLDER=folder) as reference:
            first = seed
            while not await _differs(reference, seed, steps):
                seed += 1
                if time.monotonic() >= end:
                    print(f"No difference in {seed - first} streams of {steps} messages, seeds {first} to {seed - 1}.")
                    return 0
            return 1


async def _differs(reference: ReferenceScript, seed: int, count: int) -> bool:
    stream = Stream(seed)
    actors, steps = stream.world.actors, stream.steps(count)
    print(f"seed {seed}: {count} messages", flush=True)
    found, _ = await differences(reference, actors, steps)
    if not found:
        return False
    print(f"{len(found)} answers differ, the first one in\n{found[0]}", flush=True)
    print("\nLooking for the fewest steps that show it, which takes minutes", flush=True)
    print(await smallest(reference, actors, steps, found[0]))
    print(f"\nAgain with: python3 build.py fuzz --minutes 0 --seed {seed} --steps {count}")
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="build.py fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5, help="how long to go on (default 5)")
    parser.add_argument("--seed", type=int, help="where to start (default: a new seed every time)")
    parser.add_argument("--steps", type=int, default=STEPS, help=f"messages a seed (default {STEPS})")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else int(time.time())
    return asyncio.run(fuzz(options.minutes, seed, options.steps))


if __name__ == "__main__":
    sys.exit(main())
