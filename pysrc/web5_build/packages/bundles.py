"""Python code made ready for a fast start: compiled by Pyodide, trimmed, and packed without compression.

A browser then unpacks it by pointing at bytes it already has. It is compressed as a whole
(`web5_build.site.compressed`).
"""

from __future__ import annotations

import fnmatch
import json
import shutil
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from web5_build.console import Step, step
from web5_build.environment import node_env
from web5_build.paths import WEB, WORK
from web5_build.process import run
from web5_build.stamp import Stamp, digest

PYODIDE = WEB / "node_modules" / "pyodide"
COMPILER = Path(__file__).with_name("compile.mjs")
CACHE_TAG = "cpython-314"
DATA = ("*.mjs", "english.txt", "properties.bin")
"""The files that a package brings along beside its code."""
EXTENSION = f".{CACHE_TAG}-wasm32-emscripten.so"

UNUSED = {
    "packages": (
        "*.dist-info/*",
        "*.pyi",
        "*/py.typed",
        "annotated_types/test_cases.py",
        "apsw/__main__.py",
        "apsw/_unicode.*",  # full-text search and the shell want it
        "apsw/fts5*.py",
        "apsw/ftstools.py",
        "apsw/shell.py",
        "apsw/speedtest.py",
        "apsw/sqlite_extra*",
        "apsw/tests/*",
        "apsw/trace.py",
        "apsw/unicode.py",
        "cbor2/tool.py",
        "idna/cli.py",
        "idna/codec.py",
        "idna/compat.py",
        "markdown_it/cli/*",
        "pydantic/mypy.py",
        "pydantic/v1/*",
        "segno/cli.py",
        "segno/helpers.py",
    ),
    "web5": ("*.dist-info/*", "web5/cli/*", "web5/node/*", "web5/cpython/*"),
}
"""The files that no page needs, by bundle."""

DOCUMENTED = {"web5": ("web5/__init__.py", "web5/api/*", "web5/errors.py", "web5/platform.py")}
"""The modules whose docstrings are kept, for `help()`, by bundle."""


@dataclass(frozen=True)
class Compiled:
    """Python code after compilation.

    Parameters:
        modules: a folder of .pyc files, laid out like the sources.
        extensions: WebAssembly side modules by the path that Python imports them from.
    """

    modules: Path
    extensions: dict[str, Path]


def compiled(name: str, archives: Iterable[Path]) -> Compiled:
    """Compile the Python code of wheels, or of zips.

    Parameters:
        name: which entry of `UNUSED` says what is left out.
    """
    archives = sorted(archives)
    folder = WORK / "bundles" / name
    sources, modules = folder / "sources", folder / "modules"
    unused, documented = UNUSED.get(name, ()), DOCUMENTED.get(name, ())
    rules = (*unused, *documented, *DATA)
    stamp = Stamp(folder / ".stamp", digest(*archives, *rules, COMPILER, PYODIDE / "package.json"))
    if not stamp.holds(modules):
        with step(f"Compiling {name} with Pyodide") as current:
            shutil.rmtree(folder, ignore_errors=True)
            sources.mkdir(parents=True)
            for archive in archives:
                _unpack(archive, sources, unused)
            _compile(current, sources, modules, documented)
            _copy_data(sources, modules)
            stamp.set()
    found = sorted(sources.rglob(f"*{EXTENSION}"))
    return Compiled(modules, {path.relative_to(sources).as_posix(): path for path in found})


def _unpack(archive: Path, target: Path, unused: tuple[str, ...]) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not any(fnmatch.fnmatch(name, rule) for rule in unused)]
        opened.extractall(target, names)


def _compile(current: Step, sources: Path, modules: Path, documented: tuple[str, ...]) -> None:
    modules.mkdir()
    runtime = (PYODIDE / "pyodide.mjs").as_uri()
    run(current, [node_env.node().program, COMPILER, runtime, sources, modules, json.dumps(documented)])


def _copy_data(sources: Path, modules: Path) -> None:
    for path in _data(sources):
        target = modules / path.relative_to(sources)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)


def pyscript_sources() -> Path:
    """Return a zip of the Python package that PyScript writes into the worker's file system at every start."""
    artifact = WEB / "node_modules" / "@pyscript" / "core" / "src" / "stdlib" / "pyscript.js"
    text = artifact.read_text()
    files: dict[str, dict[str, str]] = json.loads(text[text.index("{") : text.rindex("}") + 1])
    archive = WORK / "pyscript-sources.zip"
    write_stored(archive, {f"{top}/{name}": code.encode() for top in files for name, code in files[top].items()})
    return archive


def in_place(tree: Path, prefix: str = "") -> dict[str, bytes]:
    """Archive members for code that is imported from the .pyc alone, and for the data beside it."""
    members = [*_modules(tree), *_data(tree)]
    return {prefix + path.relative_to(tree).as_posix(): path.read_bytes() for path in members}


def as_cache(tree: Path, prefix: str = "") -> dict[str, bytes]:
    """Archive members that spare Python the compiling of sources which someone else will put there."""
    members = {}
    for path in _modules(tree):
        folder = (path.parent / "__pycache__").relative_to(tree).as_posix()
        members[f"{prefix}{folder}/{path.stem}.{CACHE_TAG}.pyc"] = path.read_bytes()
    return members


def _modules(tree: Path) -> list[Path]:
    return sorted(tree.rglob("*.pyc"))


def _data(tree: Path) -> list[Path]:
    return sorted(path for pattern in DATA for path in tree.rglob(pattern))


def write_stored(archive: Path | IO[bytes], members: Mapping[str, bytes]) -> None:
    """Zip without compression, byte for byte the same for the same members."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        for name in sorted(members):
            opened.writestr(zipfile.ZipInfo(name), members[name])


def write_deflated(archive: Path, members: Mapping[str, bytes]) -> None:
    """Zip with compression, byte for byte the same for the same members."""
    with zipfile.ZipFile(archive, "w") as opened:
        for name in sorted(members):
            opened.writestr(zipfile.ZipInfo(name), members[name], zipfile.ZIP_DEFLATED, 9)
