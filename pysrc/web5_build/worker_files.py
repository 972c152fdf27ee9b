"""Python files that a page's worker brings along, compiled with the rest instead of fetched and compiled at each start.

A PyScript configuration names them under `files`. Our interpreter module has them in its archives, so the site's copy
of a configuration that uses it does not name them any more.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import Any

from . import bundles
from .paths import WEB, WORK

INTERPRETER = "boot/interpreter.mjs"


def sources() -> Path:
    """A zip of all such files, by the place below the home folder where the worker looks for them."""
    members: dict[str, bytes] = {}
    for path in sorted(WEB.glob("*.json")):
        for url, place in _files(json.loads(path.read_text())).items():
            members[PurePosixPath(place).as_posix()] = (path.parent / url).read_bytes()
    archive = WORK / "app-sources.zip"
    bundles.write_stored(archive, members)
    return archive


def drop(config: Path) -> None:
    """Take the files that are compiled in out of a configuration, if it is one."""
    data = json.loads(config.read_text())
    compiled_in = _files(data)
    if compiled_in:
        data["files"] = {url: place for url, place in data["files"].items() if url not in compiled_in}
        config.write_text(json.dumps(data, indent=2) + "\n")


def _files(config: Any) -> dict[str, str]:
    if not isinstance(config, dict) or not str(config.get("interpreter", "")).endswith(INTERPRETER):
        return {}
    return {url: place for url, place in config.get("files", {}).items() if place.endswith(".py")}
