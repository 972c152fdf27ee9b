"""The Python that our page's worker runs, compiled with the rest instead of fetched and compiled at each start."""

from __future__ import annotations

from pathlib import Path

from web5_build.packages import bundles
from web5_build.paths import WEB, WORK

NAMES = ("agent.py", "app")
"""The parts of web/ that belong to the worker; they go to the worker's home folder, and not into the site as files."""


def sources() -> Path:
    """Return a zip of it."""
    files = [WEB / "agent.py", *sorted((WEB / "app").rglob("*.py"))]
    archive = WORK / "app-sources.zip"
    bundles.write_stored(archive, {path.relative_to(WEB).as_posix(): path.read_bytes() for path in files})
    return archive
