"""Python's standard library in parts: what a start needs, and what is fetched when something imports it."""

from __future__ import annotations

import ast
import fnmatch
import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from web5_build.console import step
from web5_build.environment import node_env
from web5_build.packages import bundles
from web5_build.paths import WEB, WORK
from web5_build.process import run
from web5_build.stamp import Stamp, digest

START = "stdlib"
SCRIPT = Path(__file__).with_name("needed.mjs")
FINDER = WEB / "boot" / "late_stdlib.py"
GENERATED = WEB / "boot" / "generated_code.py"
PLACED = WEB / "boot" / "placed_modules.py"
GENERATED_FILE = "generated_code.bin"
"""The file that module reads."""
SHAPES = "web5/dwn/messages/shapes.bin"
"""The file that `web5.dwn.messages.prepared` reads."""

ALSO = (
    "_strptime",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "encodings.utf_8_sig",
    "generated_code",
    "importlib.readers",
    "importlib.resources._adapters",
    "late_stdlib",
    "micropip",
    "pkgutil",
)
"""Modules that code imports later than at its own import, or that a start has besides."""

TOOLS = (
    # for other processes, servers, terminals, windows
    "_aix_support.py",
    "_android_support.py",
    "_apple_support.py",
    "_ios_support.py",
    "_osx_support.py",
    "_pyrepl/*",
    "cmd.py",
    "curses/*",
    "ftplib.py",
    "getpass.py",
    "http/server.py",
    "idlelib/*",
    "imaplib.py",
    "mailbox.py",
    "multiprocessing/*",
    "netrc.py",
    "poplib.py",
    "pty.py",
    "smtplib.py",
    "socketserver.py",
    "tkinter/*",
    "tty.py",
    "turtle*",
    "webbrowser.py",
    "wsgiref/*",
    "xmlrpc/*",
    # for developers
    "_pyodide/tests/*",
    "bdb.py",
    "compileall.py",
    "doctest.py",
    "ensurepip/*",
    "lib2to3/*",
    "modulefinder.py",
    "pdb.py",
    "pickletools.py",
    "profile.py",
    "pyclbr.py",
    "pydoc.py",
    "pydoc_data/*",
    "tabnanny.py",
    "test/*",
    "trace.py",
    "unittest/*",
    "venv/*",
    "zipapp.py",
    # stand-ins for modules that Pyodide has in C
    "_pydatetime.py",
    "_pydecimal.py",
    "_pyio.py",
)
"""The modules that few pages ever import."""


@dataclass(frozen=True)
class Late:
    """A part that is fetched when something imports one of its modules.

    Parameters:
        names: its modules whose package is not in it.
        members: its files by their paths.
    """

    names: list[str]
    members: Mapping[str, bytes]


@dataclass(frozen=True)
class Stdlib:
    """The standard library.

    Parameters:
        start: the files of what a start needs, by their paths.
        late: the other parts by their names.
        shapes: the content of `SHAPES`, which is found out together with these.
    """

    start: Mapping[str, bytes]
    late: Mapping[str, Late]
    shapes: bytes = b""

    @property
    def digest(self) -> str:
        """The hash of all."""
        found = hashlib.sha256()
        for members in (self.start, {SHAPES: self.shapes}, *(part.members for part in self.late.values())):
            for name in sorted(members):
                found.update(name.encode() + hashlib.sha256(members[name]).digest())
            found.update(b"/")
        return found.hexdigest()


def compiled(wheels: list[Path], sources: Iterable[Path]) -> Stdlib:
    """Compile the standard library, and divide it; parameters as for `needed`."""
    own = WORK / "late-stdlib-sources.zip"
    bundles.write_stored(own, {path.name: path.read_bytes() for path in (FINDER, GENERATED, PLACED)})
    code = bundles.compiled(START, [bundles.PYODIDE / "python_stdlib.zip", own])
    names, generated, shapes = needed(wheels, sources)
    parts = split(code.modules, names)
    return Stdlib({**parts.start, GENERATED_FILE: generated}, parts.late, shapes)


def split(modules: Path, needed: Iterable[str]) -> Stdlib:
    """Divide compiled modules, by the names of those that a start needs."""
    members = bundles.in_place(modules)
    names = set(needed)
    parts: dict[str, dict[str, bytes]] = {START: {}, "library": {}, "tools": {}}
    for path, content in members.items():
        tool = any(fnmatch.fnmatch(path.removesuffix("c"), rule) for rule in TOOLS)
        part = START if _module(path) in names else "tools" if tool else "library"
        parts[part][path] = content
    late = {name: Late(_outermost(part), part) for name, part in parts.items() if name != START}
    return Stdlib(parts[START], late)


def _module(path: str) -> str:
    return path.removesuffix(".pyc").removesuffix("/__init__").replace("/", ".")


def _outermost(paths: Iterable[str]) -> list[str]:
    names = {_module(path) for path in paths if path.endswith(".pyc")}
    return sorted(name for name in names if name.rpartition(".")[0] not in names)


def needed(wheels: list[Path], sources: Iterable[Path]) -> tuple[list[str], bytes, bytes]:
    """Return the names of the modules that are loaded once what a page starts with is imported, and what those make.

    That is the code that they generate, and the shapes of messages.

    Parameters:
        wheels: micropip, then what it installs: web5 and what that depends on.
        sources: folders of code that is no wheel; the modules of the standard library that it names are imported.
    """
    own = {FINDER.stem, GENERATED.stem, PLACED.stem}
    named = sorted({*ALSO, *_named(sources)} - own)
    target, shapes, generated = WORK / "needed.json", WORK / Path(SHAPES).name, WORK / GENERATED_FILE
    inputs: tuple[Path | str, ...] = (*wheels, json.dumps(named), SCRIPT, GENERATED, bundles.PYODIDE / "package.json")
    stamp = Stamp(WORK / "needed.stamp", digest(*inputs))
    if not stamp.holds(target, shapes, generated):
        with step("Which modules of the standard library a start needs") as current:
            runtime = (bundles.PYODIDE / "pyodide.mjs").as_uri()
            targets = [target, shapes, generated, GENERATED]
            run(current, [node_env.node().program, SCRIPT, runtime, *targets, json.dumps(named), *wheels])
            stamp.set()
    found: list[str] = json.loads(target.read_text())
    return [*found, *sorted(own)], generated.read_bytes(), shapes.read_bytes()


def _named(folders: Iterable[Path]) -> set[str]:
    """Return the modules of the standard library that code imports."""
    found: set[str] = set()
    for path in (path for folder in folders for path in folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                found.add(node.module)
    return {name for name in found if name.split(".")[0] in sys.stdlib_module_names - {"__future__"}}
