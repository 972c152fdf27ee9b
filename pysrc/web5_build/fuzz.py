"""The `fuzz` command: new message streams for the reference engine and ours."""

from __future__ import annotations

import argparse
import os
import subprocess

from web5_build import node_env, python_env
from web5_build.paths import INTEROP, PYSRC, PYTHON, ROOT, WORK
from web5_build.stamp import exclusive

PROGRAM = "tests.interop.engine.fuzz"


def run(_options: argparse.Namespace, rest: list[str]) -> int:
    """Set up what it needs and pass the arguments on; the exit status."""
    with exclusive(WORK / "lock"):
        python_env.ensure()
        node = node_env.npm_ci(INTEROP, "Reference packages from npm", compiled=("better-sqlite3",))
    environment = {**os.environ, **node.env, "PYTHONPATH": str(PYSRC)}
    return subprocess.call([PYTHON, "-m", PROGRAM, *rest], cwd=ROOT, env=environment)
