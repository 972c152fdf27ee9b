"""The site's boot/ folder: the worker's interpreter module, and everything it loads, under names with a hash."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from web5_build import bundles, compressed, esbuild
from web5_build.console import Step
from web5_build.paths import WEB, WORK

HASH_LENGTH = 16
ENTRIES = ("agent.mjs", "interpreter.mjs")
"""Our page's worker, and the interpreter for other pages' PyScript workers. Pages name them, so they have no hash."""

LINK = "link.js"
"""The script by which our page starts its worker, or calls another tab's."""


class Asset(TypedDict):
    """A file that the interpreter module loads."""

    url: str
    bytes: int


@dataclass(frozen=True)
class Modules:
    """The Python code that the worker starts with."""

    stdlib: bundles.Compiled
    packages: bundles.Compiled
    pyscript: bundles.Compiled
    web5: bundles.Compiled
    app: bundles.Compiled

    @property
    def folders(self) -> list[Path]:
        return [part.modules for part in (self.stdlib, self.packages, self.pyscript, self.web5, self.app)]


def make(current: Step, site: Path, pyodide: str, modules: Modules) -> None:
    """Fill boot/ of a site.

    Parameters:
        pyodide: the name of the site's folder with the Pyodide runtime.
    """
    folder = site / "boot"
    folder.mkdir()
    assets = _assets(site, pyodide, modules)
    fillings = [f"--define:ASSETS={json.dumps(assets)}", f"--inject:{WEB / 'boot' / 'shims.mjs'}", "--external:node:*"]
    for name in ENTRIES:
        esbuild.bundle(current, WEB / "boot" / name, folder / name, *fillings)
    version = json.dumps({"built": assets["built"]})
    # A script of its own kind, since modules run only once the whole page has been read.
    link = [f"--define:ASSETS={version}", "--format=iife"]
    esbuild.bundle(current, WEB / "boot" / "link.mjs", folder / LINK, *link)


def _assets(site: Path, pyodide: str, modules: Modules) -> dict[str, object]:
    """Copy what is loaded into boot/; the description of it that web/boot/downloads.mjs works from."""
    folder = site / "boot"
    packages = bundles.in_place(modules.packages.modules, "site-packages/")
    web5 = bundles.in_place(modules.web5.modules, "site-packages/")
    archives = {
        "stdlib": bundles.in_place(modules.stdlib.modules),
        "packages": {**packages, **bundles.as_cache(modules.pyscript.modules, "home/")},
        "web5": {**web5, **bundles.in_place(modules.app.modules, "home/")},
    }
    zipped = {name: _archive(name, members, folder) for name, members in archives.items()}
    extensions = {path: _hashed(source, folder, ".wasm") for path, source in modules.packages.extensions.items()}
    runtime, script = (
        _asset(site / pyodide / f"{name}.gz", folder) for name in ("pyodide.asm.wasm", "pyodide.asm.mjs")
    )
    assets = {
        "built": int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()),  # reproducible-builds.org
        "pyodide": f"../{pyodide}/",
        "info": json.loads((site / pyodide / "pyodide-lock.json").read_text())["info"],
        "runtime": runtime,
        "script": script,
        "stdlib": zipped["stdlib"],
        "packages": [zipped["packages"], zipped["web5"]],
        "extensions": extensions,
        "total": sum(asset["bytes"] for asset in (runtime, script, *zipped.values(), *extensions.values())),
    }
    code = hashlib.sha256(json.dumps(assets, sort_keys=True).encode())
    for module in sorted((WEB / "boot").glob("*.mjs")):
        code.update(module.read_bytes())
    return {**assets, "version": code.hexdigest()[:HASH_LENGTH]}


def _archive(name: str, members: Mapping[str, bytes], folder: Path) -> Asset:
    archive = WORK / f"{name}.zip"
    bundles.write_stored(archive, members)
    return _hashed(archive, folder, ".zip")


def _hashed(source: Path, folder: Path, suffix: str) -> Asset:
    """Copy a file, compressed, under a name with its hash."""
    content = source.read_bytes()
    stem = source.name.split(".")[0]
    if stem == "__init__":
        stem = source.parent.name
    name = f"{stem}.{hashlib.sha256(content).hexdigest()[:HASH_LENGTH]}{suffix}"
    return _asset(compressed.write(content, folder / name), folder)


def _asset(path: Path, folder: Path) -> Asset:
    return Asset(url=os.path.relpath(path, folder), bytes=path.stat().st_size)
