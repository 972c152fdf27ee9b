"""`build.py bench`: web5-py and web5-js side by side, in one Chromium, against one reference dwn-server, in one run.

Prints its tables: what an app sees, how soon a page is there, sync, the engines alone, remote nodes, and what many
notes, many tabs and long use mean for web5-py. They are written to a file as well, with the raw figures beside it.
When it is stopped, it prints and writes what it has.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "pysrc")]

from tests.bench.app import measure as app  # noqa: E402
from tests.bench.engine import measure as engine  # noqa: E402
from tests.bench.node import measure as node  # noqa: E402
from tests.bench.scale import measure as scale  # noqa: E402
from tests.bench.stage import BenchError  # noqa: E402
from tests.bench.start import measure as start  # noqa: E402
from tests.bench.sync import measure as sync  # noqa: E402
from tests.bench.tabs import measure as tabs  # noqa: E402
from tests.bench.use import measure as use  # noqa: E402
from tests.chromium import BASELINE_COMPILER, FLAGS  # noqa: E402

BENCHES: dict[str, Any] = {
    "app": app,
    "start": start,
    "sync": sync,
    "engine": engine,
    "node": node,
    "scale": scale,
    "tabs": tabs,
    "use": use,
}
"""Modules with their `SIZES`, with `Figures`, and with `measure(sizes, figures)`, which fills figures in."""

TABLES = ROOT / ".build" / "bench.txt"
STOPPED = 130


class Report:
    """The tables until now, on standard output and in a file, with their raw figures in a .json beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw: dict[str, Any] = {}
        self._text = ""
        load = os.getloadavg()[0]
        self._add(f"# {time.strftime('%Y-%m-%d %H:%M')}, {os.cpu_count()} cores, load {load:.1f}")

    def table(self, name: str, figures: Any, *, whole: bool) -> None:
        """Add what was measured of a bench."""
        note = "" if whole else ", not to its end"
        self._raw[name] = figures.as_json()
        self._add(f"\n## {name}{note}\n\n{figures.text()}")

    def _add(self, text: str) -> None:
        print(text, flush=True)
        self._text += text + "\n"
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self._text, encoding="utf-8")
        self._path.with_suffix(".json").write_text(json.dumps(self._raw, indent=2), encoding="utf-8")


async def _run(names: list[str], size: str, report: Report) -> int:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    for name in names:
        bench = BENCHES[name]
        figures, whole = bench.Figures(), False
        try:
            await bench.measure(bench.SIZES.get(size, bench.SIZES["full"]), figures)
            whole = True
        except BenchError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1
        except asyncio.CancelledError:
            print("bench: stopped", file=sys.stderr)
            return STOPPED
        finally:
            report.table(name, figures, whole=whole)
    return 0


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="build.py bench", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "--quick",
        action="store_const",
        dest="size",
        const="quick",
        help="a fraction of the records, and no figures to compare",
    )
    size.add_argument(
        "--every-size", action="store_const", dest="size", const="every", help="what takes web5-js many minutes too"
    )
    parser.set_defaults(size="full")
    parser.add_argument("--only", choices=BENCHES, help="one of the tables")
    parser.add_argument("--out", type=Path, default=TABLES, help="the file for the tables (.build/bench.txt)")
    options = parser.parse_args(arguments)
    if options.size == "quick":  # its figures only have to be there
        FLAGS.append(BASELINE_COMPILER)
    names = [options.only] if options.only else list(BENCHES)
    return asyncio.run(_run(names, options.size, Report(options.out)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
