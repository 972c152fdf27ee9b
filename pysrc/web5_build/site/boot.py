"""The site's boot/ folder: the worker's interpreter module, and everything it loads, under names with a hash.

What any page needs to run Python lies beside the runtime, with a module that starts it (`PYODIDE`).
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, cast

from web5_build.console import Step
from web5_build.packages import bundles, stdlib
from web5_build.paths import WEB, WORK
from web5_build.site import compressed, esbuild, texts

HASH_LENGTH = 16
MICROPYTHON = WEB / "node_modules" / "@micropython" / "micropython-webassembly-pyscript" / "micropython.wasm"
ENTRIES = ("agent.mjs", "interpreter.mjs")
"""Our page's worker, and the interpreter for other pages' PyScript workers. Pages name them, so they have no hash."""
SHELL = "micropython.mjs"
"""The interpreter of our page itself, with that page's Python."""
PYODIDE = "pyodide.mjs"
"""The module that starts Pyodide with nothing else, on any page."""

WORKER = "service-worker.js"
"""The site's service worker, which has to be one script; the build writes the list of files into it (`offline`)."""

LINK = "link.js"
"""The script by which our page starts its worker, or calls another tab's."""
LANGUAGE = "language.js"
"""The script by which another page speaks the language that was chosen in ours."""


class Asset(TypedDict):
    """A file that the interpreter module loads."""

    url: str
    bytes: int


@dataclass(frozen=True)
class Modules:
    """The Python code that the worker starts with."""

    stdlib: stdlib.Stdlib
    packages: bundles.Compiled
    pyscript: bundles.Compiled
    web5: bundles.Compiled
    app: bundles.Compiled

    @property
    def folders(self) -> list[Path]:
        return [part.modules for part in (self.packages, self.pyscript, self.web5, self.app)]


def make(current: Step, site: Path, pyodide: str, modules: Modules) -> None:
    """Fill boot/ of a site, and the rest of the folder of its Pyodide runtime.

    Parameters:
        pyodide: the name of the site's folder with the Pyodide runtime.
    """
    folder = site / "boot"
    folder.mkdir()
    _write_stdlib(site / pyodide, modules.stdlib)
    alone = _described(_python(site / pyodide, site / pyodide, modules.stdlib), [], {})
    _bundle(current, PYODIDE, site / pyodide, {**alone, "pyodide": "./"})
    python = _python(site / pyodide, folder, modules.stdlib)
    assets = {
        "built": int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()),  # reproducible-builds.org
        "pyodide": f"../{pyodide}/",
        "info": json.loads((site / pyodide / "pyodide-lock.json").read_text())["info"],
        **_described(python, *_copy(folder, modules)),
    }
    code = hashlib.sha256(json.dumps(assets, sort_keys=True).encode())
    for module in sorted((WEB / "boot").glob("*.mjs")):
        code.update(module.read_bytes())
    for name in ENTRIES:
        _bundle(current, name, folder, {**assets, "version": code.hexdigest()[:HASH_LENGTH]})
    _bundle_shell(current, folder)
    _bundle_scripts(current, folder, {"built": assets["built"], "texts": _write_texts(folder)})


def _bundle_scripts(current: Step, folder: Path, assets: dict[str, object]) -> None:
    """Bundle what runs before a page has been read, as scripts of their own kind: modules run only after that."""
    for source, name in (("link.mjs", LINK), ("own_language.mjs", LANGUAGE)):
        options = [f"--define:ASSETS={json.dumps(assets)}", "--format=iife"]
        esbuild.bundle(current, WEB / "boot" / source, folder / name, *options)
    esbuild.bundle(current, WEB / WORKER, folder.parent / WORKER, "--format=iife")


def _write_texts(folder: Path) -> dict[str, str]:
    """Write what the texts are in each language, in a file that is fetched where that is spoken; the files' names."""
    names = {}
    for language, source in texts.languages().items():
        content = json.dumps(texts.read(source), ensure_ascii=False, separators=(",", ":")).encode()
        name = f"{texts.FILE}{language}.{hashlib.sha256(content).hexdigest()[:HASH_LENGTH]}.json"
        names[language] = compressed.write(content, folder / name).name
    return names


def _bundle(current: Step, name: str, folder: Path, assets: dict[str, object]) -> None:
    fillings = [f"--define:ASSETS={json.dumps(assets)}", f"--inject:{WEB / 'boot' / 'shims.mjs'}", "--external:node:*"]
    esbuild.bundle(current, WEB / "boot" / name, folder / name, *fillings)


def _bundle_shell(current: Step, folder: Path) -> None:
    """Bundle MicroPython, and write what it loads: its WebAssembly, and the page's Python."""
    page = {path.relative_to(WEB).as_posix(): path.read_bytes() for path in (WEB / "ui").rglob("*.py")}
    assets = {"runtime": _hashed(MICROPYTHON, folder, ".wasm"), "page": _archive("ui", page, folder)}
    fillings = [f"--define:SHELL={json.dumps(assets)}", f"--inject:{WEB / 'boot' / 'shell_shim.mjs'}"]
    of_node = [f"--external:{name}" for name in ("crypto", "fs", "module", "path", "url")]
    esbuild.bundle(current, WEB / "boot" / SHELL, folder / SHELL, *fillings, *of_node)


def _write_stdlib(folder: Path, parts: stdlib.Stdlib) -> None:
    """Write the standard library beside the runtime; parts that come late are such that Python can unpack them."""
    start = io.BytesIO()
    bundles.write_stored(start, parts.start)
    compressed.write(start.getvalue(), folder / f"{stdlib.START}.zip")
    for name, part in parts.late.items():
        bundles.write_deflated(folder / f"{name}.zip", part.members)


def _python(runtime: Path, folder: Path, parts: stdlib.Stdlib) -> dict[str, object]:
    """Return the description of what any page needs to run Python."""
    names = {"runtime": "pyodide.asm.wasm", "script": "pyodide.asm.mjs", "stdlib": f"{stdlib.START}.zip"}
    late = [{**_asset(runtime / f"{name}.zip", folder), "names": part.names} for name, part in parts.late.items()]
    return {**{key: _asset(runtime / f"{name}.gz", folder) for key, name in names.items()}, "late": late}


def _described(python: dict[str, object], packages: list[Asset], extensions: dict[str, Asset]) -> dict[str, object]:
    """Return the description that web/boot/downloads.mjs works from."""
    first = [cast(Asset, python[key]) for key in ("runtime", "script", "stdlib")]
    total = sum(asset["bytes"] for asset in (*first, *packages, *extensions.values()))
    return {**python, "packages": packages, "extensions": extensions, "total": total}


def _copy(folder: Path, modules: Modules) -> tuple[list[Asset], dict[str, Asset]]:
    """Copy packages and side modules into boot/; the description of both."""
    packages = bundles.in_place(modules.packages.modules, "site-packages/")
    web5 = {
        **bundles.in_place(modules.web5.modules, "site-packages/"),
        f"site-packages/{stdlib.SHAPES}": modules.stdlib.shapes,
    }
    archives = {
        "packages": {**packages, **bundles.as_cache(modules.pyscript.modules, "home/")},
        "web5": {**web5, **bundles.in_place(modules.app.modules, "home/")},
    }
    zipped = [_archive(name, members, folder) for name, members in archives.items()]
    return zipped, {path: _hashed(source, folder, ".wasm") for path, source in modules.packages.extensions.items()}


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
