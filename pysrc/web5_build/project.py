"""What pyproject.toml and web/package-lock.json say, so that every version is written down once."""

from __future__ import annotations

import json
import tomllib
from typing import Any, cast

from web5_build.paths import ROOT, WEB

CONSTRAINTS = ROOT / "constraints.txt"


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def version() -> str:
    return cast(str, pyproject()["project"]["version"])


def requirements() -> list[str]:
    """Everything .venv needs: the package, its server side, and what tests and builds it."""
    data = pyproject()
    project = data["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["node"], *data["dependency-groups"]["dev"]]


def pinned() -> dict[str, str]:
    """Exact versions by distribution name, as constraints.txt has them."""
    lines = (line.split("#")[0].strip() for line in CONSTRAINTS.read_text().splitlines())
    return dict(line.split("==") for line in lines if line)


def npm_version(package: str) -> str:
    """The version of a web dependency."""
    lock = json.loads((WEB / "package-lock.json").read_text())
    return cast(str, lock["packages"][f"node_modules/{package}"]["version"])
