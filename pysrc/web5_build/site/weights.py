"""The weight of the pages, as the table in docs/how-to/hosting.md has it.

It is that of a first visit, from a server that compresses nothing. `tests/browser/test_weight.py` counts the same bytes
at a server.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from pathlib import Path

from web5_build.site import offline

NOTES, TEN_LINES = "index.html", "examples/hello.html"
LIMITS = {NOTES: 12_000_000, TEN_LINES: 8_000_000}
"""The most bytes of a page's first visit."""

PARTS = (
    ("Pyodide: Python itself", ("pyodide-*/pyodide.*", "pyodide-*/pyodide-lock.json")),
    ("The standard library, what a start needs", ("pyodide-*/stdlib.zip.gz",)),
    ("The rest of it, for when there is no network", ("pyodide-*/library.zip", "pyodide-*/tools.zip")),
    ("web5, and the page's node", ("simple/web5-py/*", "boot/web5.*", "boot/agent.mjs", "boot/link.js")),
    (
        "pydantic, cbor2, APSW with SQLite, idna, mnemonic; micropip",
        ("simple/*", "pyodide-*/micropip-*", "boot/packages.*", "boot/_*", "boot/apsw.*"),
    ),
    ("The page, PyScript and MicroPython", ("*",)),
)
"""The parts of a page, and the files of each that are of none before."""

HELLO = (
    *(TEN_LINES, "examples/style.css", "examples/config.mjs", "assets/mark.svg", "config.json"),
    *("pyodide-*/pyodide.*", "pyodide-*/pyodide-lock.json", "pyodide-*/stdlib.zip.gz", "pyodide-*/micropip-*"),
    *("simple/*/*-pyemscripten_*.whl", "simple/*/index.html"),
    *("pyscript-*/core*.js", "pyscript-*/core.css", "pyscript-*/py-*.js", "pyscript-*/donkey-*"),
    *("pyscript-*/deprecations-manager-*", "pyscript-*/error-*"),
)
"""The files that the page of ten lines fetches."""


@dataclass(frozen=True)
class Part:
    """Some of what a page fetches."""

    name: str
    bytes: int


def fetched(site: Path, page: str) -> list[str]:
    """Return the paths of the files that a page fetches: the notes, and what the service worker keeps for them."""
    if page == NOTES:
        return sorted({path or NOTES for path in offline.kept(site)} | {"config.json", offline.WORKER})
    found = (path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    return sorted(path for path in found if any(fnmatch.fnmatch(path, rule) for rule in HELLO))


def parts(site: Path, page: str) -> list[Part]:
    """Return what a page fetches, in parts."""
    left = fetched(site, page)
    found = []
    for name, rules in PARTS:
        files = [path for path in left if any(fnmatch.fnmatch(path, rule) for rule in rules)]
        left = [path for path in left if path not in files]
        found.append(Part(name, sum((site / path).stat().st_size for path in files)))
    return found


def table(site: Path) -> list[tuple[str, str, str]]:
    """Return the rows of the table, in MB: a part, and what the notes and the page of ten lines fetch of it."""
    notes, hello = parts(site, NOTES), parts(site, TEN_LINES)
    rows = [(one.name, one.bytes, other.bytes) for one, other in zip(notes, hello, strict=True)]
    rows.append(("All", sum(one.bytes for one in notes), sum(one.bytes for one in hello)))
    return [(name, f"{first / 1e6:.2f}", f"{second / 1e6:.2f}" if second else "") for name, first, second in rows]
