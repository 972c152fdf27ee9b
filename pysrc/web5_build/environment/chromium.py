"""Chromium for the browser tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from web5_build.console import BuildError, step
from web5_build.process import run

NAMES = ("chromium", "chromium-browser", "google-chrome")


def ensure() -> Path:
    """Return the browser's program: from `WEB5_CHROMIUM`, on PATH, or (as root, with apt) installed now.

    Raises:
        BuildError: there is none; the message says how to get one.
    """
    named = os.environ.get("WEB5_CHROMIUM")
    if named:
        if not Path(named).exists():
            raise BuildError(f"WEB5_CHROMIUM names {named}, which is not there")
        return Path(named)
    found = _on_path()
    if found is None and shutil.which("apt-get") and os.geteuid() == 0:
        with step("Chromium from Debian's packages") as current:
            quiet = {"DEBIAN_FRONTEND": "noninteractive"}
            run(current, ["apt-get", "update"], env=quiet)
            run(current, ["apt-get", "install", "-y", "--no-install-recommends", "chromium"], env=quiet)
        found = _on_path()
    if found is None:
        raise BuildError("Chromium is not on this machine. On Debian: apt-get install chromium; or set WEB5_CHROMIUM")
    return found


def _on_path() -> Path | None:
    return next((Path(found) for name in NAMES if (found := shutil.which(name))), None)
