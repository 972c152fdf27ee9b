"""Assembles dist/jupyter: a JupyterLite with a notebook, on the site's Pyodide and the site's package index.

It is a site of its own and not a folder of dist/site: what runs in a notebook could read everything of its origin.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from web5_build import project
from web5_build.console import step
from web5_build.packages import package_index, wheels
from web5_build.paths import JUPYTER, PYTHON, SITE, WEB, WORK
from web5_build.process import run
from web5_build.stamp import Stamp, digest

NOTEBOOKS = WEB / "examples"
PYODIDE = "pyodide"
INDEX = "simple"
KERNEL = "@jupyterlite/pyodide-kernel-extension:kernel"
APPS = ["lab", "notebooks", "tree"]
ALWAYS = "2000-01-01T00:00:00Z"
"""The date of every notebook, so that the same sources make the same files."""


def build() -> None:
    """Bring dist/jupyter up to date; the site has to be there."""
    carried = sorted((SITE / INDEX).rglob("*.whl")) + wheels.notebook()
    (runtime,) = SITE.glob(f"{PYODIDE}-*")
    made_by = project.locked(["jupyterlite-core", "jupyterlite-pyodide-kernel"])
    own = [Path(__file__), Path(package_index.__file__)]
    stamp = Stamp(JUPYTER / ".stamp", digest(*carried, runtime, *_notebooks(), *own, made_by))
    if stamp.holds(JUPYTER / "index.html"):
        return
    with step("JupyterLite into dist/jupyter") as current:
        work = WORK / "jupyter"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        fresh = work / "made"
        options = {"apps": APPS, "no_sourcemaps": True, "output_dir": str(fresh)}
        (work / "jupyter_lite_config.json").write_text(json.dumps({"LiteBuildConfig": options}))
        (work / "jupyter-lite.json").write_text(json.dumps(_settings()))
        run(current, [PYTHON.with_name("jupyter-lite"), "build"], cwd=work)
        shutil.copytree(runtime, fresh / PYODIDE)
        package_index.make(fresh / INDEX, carried)
        _lay_notebooks(fresh)
        shutil.rmtree(JUPYTER, ignore_errors=True)
        fresh.rename(JUPYTER)
        shutil.rmtree(work)
        stamp.set()


def address() -> str:
    """One line on what was built."""
    size = sum(path.stat().st_size for path in JUPYTER.rglob("*") if path.is_file())
    return (
        f"dist/jupyter is a JupyterLite with web5 {project.version()}, {size / 1e6:.1f} MB; any static server can "
        "serve it, best at an origin of its own: python3 -m http.server -d dist/jupyter 8001"
    )


def _settings() -> dict[str, Any]:
    kernel = {"pyodideUrl": f"./{PYODIDE}/pyodide.mjs", "pipliteUrls": [f"./{INDEX}/all.json"]}
    settings = {"contentsAllJsonFile": "all.json", "litePluginSettings": {KERNEL: kernel}}
    return {"jupyter-lite-schema-version": 0, "jupyter-config-data": settings}


def _notebooks() -> list[Path]:
    return sorted(NOTEBOOKS.glob("*.ipynb"))


def _lay_notebooks(folder: Path) -> None:
    """Copy the notebooks, and list them as Jupyter's contents API does."""
    (folder / "files").mkdir()
    for notebook in _notebooks():
        shutil.copy(notebook, folder / "files")
    listed = [_content(path.name, "notebook", size=path.stat().st_size) for path in _notebooks()]
    listing = folder / "api" / "contents" / "all.json"
    listing.parent.mkdir(parents=True, exist_ok=True)
    listing.write_text(json.dumps(_content("", "directory", format="json", content=listed)))


def _content(name: str, kind: str, **more: Any) -> dict[str, Any]:
    blank = {"content": None, "format": None, "mimetype": None, "size": None, "hash": None, "hash_algorithm": None}
    dates = {"created": ALWAYS, "last_modified": ALWAYS}
    return {**blank, **dates, "name": name, "path": name, "type": kind, "writable": True, **more}
