"""The .venv with everything pinned."""

from __future__ import annotations

import subprocess
import sys

from web5_build import project
from web5_build.console import BuildError, step
from web5_build.paths import PYSRC, PYTHON, VENV
from web5_build.process import run
from web5_build.stamp import Stamp, digest

VENV_ADVICE = "On Debian: apt-get install python3-venv"


def ensure() -> None:
    """Make .venv, or bring it up to date. Quick when there is nothing to do."""
    wanted = project.requirements()
    inputs = digest(*wanted, project.CONSTRAINTS, sys.version, str(VENV))
    stamp = Stamp(VENV / ".web5-stamp", inputs)
    if stamp.holds(PYTHON):
        return
    with step(f"Python packages into .venv: {len(project.pinned())} of them, pinned") as current:
        if not _usable():
            try:
                run(current, [sys.executable, "-m", "venv", "--clear", VENV])
            except BuildError as error:
                raise BuildError(f"python3 cannot make a virtual environment. {VENV_ADVICE} ({error})") from None
        stamp.clear()
        run(
            current, [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "-c", project.CONSTRAINTS, *wanted]
        )
        _expose_sources()
        stamp.set()


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
