"""The `simulate` command: sync under seeded faults."""

from __future__ import annotations

import argparse
import os
import subprocess

from web5_build import python_env
from web5_build.paths import PYSRC, PYTHON, ROOT, WORK
from web5_build.stamp import exclusive

PROGRAM = "tests.simulation"


def run(_options: argparse.Namespace, rest: list[str]) -> int:
    """Set up what it needs and pass the arguments on; the exit status."""
    with exclusive(WORK / "lock"):
        python_env.ensure()
    environment = {**os.environ, "PYTHONPATH": str(PYSRC)}
    return subprocess.call([PYTHON, "-m", PROGRAM, *rest], cwd=ROOT, env=environment)
