"""PostgreSQL for the tests of a node that keeps its data there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from web5_build.console import BuildError, step
from web5_build.process import run

PACKAGE = "postgresql"
"""Debian's package, which puts its programs beside the libraries, and not on PATH."""

ROOT = Path("/")
PROGRAMS = "usr/lib/postgresql/*/bin"


def ensure() -> None:
    """Install PostgreSQL if it is not on this machine yet (as root, with apt).

    Raises:
        BuildError: it is missing and cannot be installed.
    """
    if _newest() is None and shutil.which("apt-get") and os.geteuid() == 0:
        with step(f"{PACKAGE} from Debian's packages") as current:
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            run(current, ["apt-get", "update"], env=quiet)
            run(current, ["apt-get", "install", "-y", "--no-install-recommends", PACKAGE], env=quiet)
    postgres_folder()


def postgres_folder() -> Path:
    """Return the folder of the newest server's programs. Raises BuildError where there is none."""
    if (found := _newest()) is None:
        raise BuildError(f"PostgreSQL is not on this machine. On Debian: apt-get install {PACKAGE}")
    return found


def _newest() -> Path | None:
    folders = [path for path in ROOT.glob(PROGRAMS) if (path / "initdb").exists()]
    return max(folders, key=lambda path: int(path.parent.name), default=None)
