"""The contents of pyproject.toml and constraints.txt, so that every version is written down once."""

from __future__ import annotations

import tomllib
from typing import Any, cast

from web5_build.paths import ROOT

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
