"""The .venv with everything pinned."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile

from web5_build import project
from web5_build.console import BuildError, Step, step
from web5_build.paths import PYSRC, PYTHON, VENV
from web5_build.process import run
from web5_build.stamp import Stamp, digest

VENV_ADVICE = "On Debian: apt-get install python3-venv"


def ensure() -> None:
    """Make .venv, or bring it up to date. Quick when there is nothing to do."""
    inputs = digest(project.LOCK, sys.version, str(VENV))
    stamp = Stamp(VENV / ".web5-stamp", inputs)
    if stamp.holds(PYTHON):
        return
    names = project.installed()
    with step(f"Python packages into .venv: {len(names)} of them, each by its hash") as current:
        if not _usable():
            try:
                run(current, [sys.executable, "-m", "venv", "--clear", VENV])
            except BuildError as error:
                raise BuildError(f"python3 cannot make a virtual environment. {VENV_ADVICE} ({error})") from None
        stamp.clear()
        pip("install", current, names)
        _expose_sources()
        stamp.set()


def pip(command: str, current: Step, names: Iterable[str], *options: str | Path) -> None:
    """Have pip "install" or "download" packages, but no file whose hash is not in requirements.txt.

    Raises:
        BuildError: a file is another one, or pip failed otherwise.
    """
    with NamedTemporaryFile("w", suffix=".txt") as wanted:
        wanted.write(project.locked(names))
        wanted.flush()
        secured = ["--disable-pip-version-check", "--require-hashes", "--no-deps", "-r", wanted.name]
        run(current, [PYTHON, "-m", "pip", command, *secured, *options])


def _usable() -> bool:
    """Return True if .venv runs the interpreter that runs this build."""
    if not PYTHON.exists():
        return False
    asked = subprocess.run([PYTHON, "-c", "import sys, pip; print(sys.version)"], capture_output=True, text=True)
    return asked.returncode == 0 and asked.stdout.strip() == sys.version.strip()


def _expose_sources() -> None:
    """Let `python -m web5…` in .venv find the sources of this tree."""
    asked = subprocess.run(
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    with open(f"{asked.stdout.strip()}/web5-sources.pth", "w") as link:
        link.write(f"{PYSRC}\n")
