"""Python code made ready for a fast start: compiled by Pyodide, trimmed, and packed without compression.

A browser then unpacks it by pointing at bytes it already has. On the wire a server's gzip makes up for the missing
compression.
"""

from __future__ import annotations

import fnmatch
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from . import node_env
from .console import Step, step
from .paths import WEB, WORK
from .process import run
from .stamp import Stamp, digest

PYODIDE = WEB / "node_modules" / "pyodide"
COMPILER = Path(__file__).with_name("compile.mjs")
EXTENSION = ".cpython-314-wasm32-emscripten.so"

UNUSED = {
    "site": (
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
        "pydantic/mypy.py",
        "pydantic/v1/*",
    ),
    "stdlib": (
        "_pyodide/tests/*",
        "ensurepip/*",
        "idlelib/*",
        "pydoc_data/*",
        "test/*",
        "tkinter/*",
        "turtledemo/*",
        "venv/*",
    ),
    "web5": ("*.dist-info/*", "web5/node/*"),
}
"""What no page needs, by bundle."""


@dataclass(frozen=True)
class Bundle:
    """One folder of compiled Python, and the extension modules that go with it.

    Parameters:
        archive: a stored zip of .pyc files.
        extensions: WebAssembly side modules by the path that Python imports them from.
    """

    archive: Path
    extensions: dict[str, Path]


def make(name: str, archives: Iterable[Path]) -> Bundle:
    """Compile and pack the Python code of wheels (or of a zipped standard library).

    Parameters:
        name: which entry of `UNUSED` says what is left out.
    """
    archives = sorted(archives)
    folder = WORK / "bundles" / name
    tree, archive = folder / "tree", folder / f"{name}.zip"
    stamp = Stamp(folder / ".stamp", digest(*archives, *UNUSED[name], COMPILER, PYODIDE / "package.json"))
    if not stamp.holds(archive):
        with step(f"Compiling {name} with Pyodide") as current:
            shutil.rmtree(folder, ignore_errors=True)
            for source in archives:
                _unpack(source, tree, UNUSED[name])
            _compile(current, tree, folder / "compiled")
            _store(folder / "compiled", archive)
            stamp.set()
    found = sorted(tree.rglob(f"*{EXTENSION}"))
    return Bundle(archive, {path.relative_to(tree).as_posix(): path for path in found})


def _unpack(archive: Path, target: Path, unused: tuple[str, ...]) -> None:
    with zipfile.ZipFile(archive) as opened:
        names = [name for name in opened.namelist() if not any(fnmatch.fnmatch(name, rule) for rule in unused)]
        opened.extractall(target, names)


def _compile(current: Step, source: Path, target: Path) -> None:
    target.mkdir()
    node = node_env.node()
    run(current, [node.program, COMPILER, (PYODIDE / "pyodide.mjs").as_uri(), source, target])


def _store(tree: Path, archive: Path) -> None:
    """Zip without compression, byte for byte the same for the same files."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        for path in sorted(tree.rglob("*.pyc")):
            opened.writestr(zipfile.ZipInfo(path.relative_to(tree).as_posix()), path.read_bytes())
