import logging
import sys
import time

from tests.simulation.simulation import simulate


def main():
    logging.disable(logging.CRITICAL)
    first, count = int(sys.argv[1]), int(sys.argv[2])
    bad = 0
    for seed in range(first, first + count):
        t = time.perf_counter()
        out = simulate(seed)
        took = time.perf_counter() - t
        print(seed, f"{took:.2f}s", dict(out.counts), out.digest, "FAIL" if out.failures else "", flush=True)
        if out.failures:
            bad += 1
            if "-v" in sys.argv:
                print("\n".join(out.story))
            for f in out.failures[:8]:
                print("   ", f)
    return bad > 0
