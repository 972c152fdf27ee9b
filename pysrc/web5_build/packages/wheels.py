"""The wheels the browser needs: those of the dependencies, built for Pyodide, and our own."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from web5_build import project
from web5_build.console import step
from web5_build.environment import python_env
from web5_build.paths import PYSRC, PYTHON, ROOT, WORK
from web5_build.process import run
from web5_build.stamp import Stamp, digest

PYODIDE_TAGS = ("--python-version", "314", "--implementation", "cp", "--abi", "cp314", "--abi", "none")
PYODIDE_PLATFORM = "pyemscripten_2026_0_wasm32"
NEEDED_IN_BROWSER = (
    "annotated-types",
    "apsw",
    "cbor2",
    "idna",
    "mnemonic",
    "pydantic",
    "pydantic-core",
    "typing-inspection",
    "typing-extensions",
)
"""`project.dependencies` of pyproject.toml and what they depend on. pip cannot work this out for us: markers are
evaluated for the machine that runs it."""

NEEDED_BY_PAGE = (*project.PAGE, "mdurl")
"""The group `page` of pyproject.toml, and what it depends on, for our page's worker, beside `NEEDED_IN_BROWSER`."""

NEEDED_IN_NOTEBOOK = (*project.NOTEBOOK, "pygments", "traitlets")
"""IPython and what it depends on, beside `NEEDED_IN_BROWSER`."""


def dependencies() -> list[Path]:
    """Return the wheels of the dependencies, downloaded once."""
    return _downloaded(WORK / "wasm-wheels", NEEDED_IN_BROWSER)


def page() -> list[Path]:
    """Return the wheels of what our page needs beside, downloaded once."""
    return _downloaded(WORK / "page-wheels", NEEDED_BY_PAGE)


def notebook() -> list[Path]:
    """Return the wheels of what JupyterLite's kernel loads, downloaded once."""
    return _downloaded(WORK / "notebook-wheels", NEEDED_IN_NOTEBOOK)


def micropip() -> Path:
    """Return micropip's wheel, downloaded once."""
    [wheel] = _downloaded(WORK / "micropip", (project.MICROPIP,))
    return wheel


def _downloaded(folder: Path, names: Sequence[str]) -> list[Path]:
    stamp = Stamp(folder / ".stamp", digest(project.locked(names), PYODIDE_PLATFORM))
    if not stamp.holds():
        with step(f"WebAssembly wheels: {', '.join(names)}") as current:
            shutil.rmtree(folder, ignore_errors=True)
            platforms = ["--only-binary=:all:", *PYODIDE_TAGS, "--platform", PYODIDE_PLATFORM, "--platform", "any"]
            python_env.pip("download", current, names, *platforms, "--dest", folder)
            stamp.set()
    return sorted(folder.glob("*.whl"))


def own() -> Path:
    """Return the web5 wheel, pure Python, built when its sources have changed."""
    sources = [ROOT / "pyproject.toml", ROOT / "LICENSE", *_readme(), PYSRC / "web5"]
    folder = WORK / "web5-wheel"
    stamp = Stamp(folder / ".stamp", digest(*sources))
    if not stamp.holds():
        with step(f"Wheel of web5 {project.version()}") as current:
            shutil.rmtree(folder, ignore_errors=True)
            # Built from a copy: setuptools keeps old files in its build folder, and would pack them.
            tree = folder / "tree"
            tree.mkdir(parents=True)
            for source in sources:
                target = tree / source.relative_to(ROOT)
                if source.is_dir():
                    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy2(source, target)
            options = ["--disable-pip-version-check", "--no-deps", "--no-build-isolation"]
            run(current, [PYTHON, "-m", "pip", "wheel", *options, "--wheel-dir", folder, tree])
            shutil.rmtree(tree)
            stamp.set()
    return next(folder.glob("*.whl"))


def _readme() -> list[Path]:
    return [ROOT / "README.md"] if (ROOT / "README.md").exists() else []
