"""Asks pip whether there are wheels of the wheel's requirements for every supported version of Python.

Run in .venv, as `python3 -m web5_build.environment.everywhere`, after a change of them. It needs the network.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from web5_build import project
from web5_build.paths import PYTHON

VERSIONS = ("3.11", "3.12", "3.13", "3.14")


def missing(version: str) -> list[str]:
    """Return the requirements without a wheel for a version of CPython, on a machine like this one."""
    # Imported here: the build itself needs nothing but Python.
    from packaging.requirements import Requirement

    found = []
    for one in map(Requirement, project.ranges()):
        if one.marker is not None and not one.marker.evaluate({"python_version": version}):
            continue
        with TemporaryDirectory() as folder:
            options = ["--no-deps", "--only-binary=:all:", "--python-version", version, "--dest", folder]
            command: list[str | Path] = [PYTHON, "-m", "pip", "download", "-q", *options, f"{one.name}{one.specifier}"]
            if subprocess.run(command, capture_output=True).returncode:
                found.append(str(one))
    return found


def main() -> int:
    """Print what is missing, by version; the exit status."""
    worst = 0
    for version in VERSIONS:
        found = missing(version)
        worst |= bool(found)
        print(f"Python {version}: {', '.join(found) or 'all there'}")
    return worst


if __name__ == "__main__":
    sys.exit(main())
