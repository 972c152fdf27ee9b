"""The licences of all that the site carries, in its folder licences/: a page that names everything, and the texts.

They are those that lie in the packages themselves. A package without one has a text of the same licence from another
that is carried, or from web/licences.
"""

from __future__ import annotations

import html
import json
import re
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from web5_build.paths import VENV, WEB

FOLDER = "licences"
MODULES = WEB / "node_modules"
OWN = WEB / FOLDER
"""Texts that no package brings along."""
TEXT = re.compile(r"(?:^|/)(?:LICEN[CS]E|COPYING|NOTICE)[^/]*$", re.IGNORECASE)
MPL, PSF = "micropip", "typing_extensions"
"""The packages whose texts are those of Pyodide's licence, and of Python's."""
NOT_CARRIED = ("@types/", "ws")
"""Packages of npm that are installed with the others, and of which nothing is in the site."""
EDITOR = "codemirror"
"""The packages that PyScript was built of and does not depend on; they have one author, and one text."""
DOCS = ("sphinx", "furo", "sphinx_basic_ng", "pygments")
"""The distributions whose scripts and styles the documentation has."""


@dataclass(frozen=True)
class Licensed:
    """Something that the site carries.

    Parameters:
        licence: its name, as the package gives it.
        text: the whole of it.
    """

    name: str
    version: str
    licence: str
    text: str


def carried(wheels: Iterable[Path]) -> list[Licensed]:
    """Return everything that a site carries which has these wheels, by name.

    Raises:
        LookupError: something has no text.
    """
    by_name = {wheel.name.split("-")[0]: _of_wheel(wheel) for wheel in wheels}
    python = Licensed("Python", _python_version(), "PSF-2.0", by_name[PSF].text)
    npm = [_of_npm(name, by_name[MPL].text) for name in npm_packages()]
    found = [python, _editor(), *by_name.values(), *npm, *(_of_installed(name) for name in DOCS)]
    if missing := [one.name for one in found if not one.text.strip()]:
        raise LookupError(f"no text of the licence of {', '.join(missing)}")
    return sorted({one.name: one for one in found}.values(), key=lambda one: one.name.lower())


def npm_packages() -> list[str]:
    """Return the packages of npm that the site has something of: those that PyScript was built of, too."""
    locked = json.loads((WEB / "package-lock.json").read_text())["packages"]
    paths = [path for path, about in locked.items() if path and not about.get("dev")]
    names = {path.rpartition("node_modules/")[2] for path in paths}  # some are there in two versions
    return sorted(name for name in names if not name.startswith(NOT_CARRIED))


def make(site: Path, wheels: Iterable[Path]) -> None:
    """Write the page and the texts into a site."""
    folder = site / FOLDER
    folder.mkdir()
    rows = []
    for one in carried(wheels):
        file = re.sub(r"[^\w.-]+", "-", one.name).strip("-") + ".txt"
        (folder / file).write_text(one.text, encoding="utf-8")
        cells = (html.escape(f"{one.name} {one.version}"), html.escape(one.licence))
        rows.append(f'<tr><td><a href="{html.escape(file)}">{cells[0]}</a></td><td>{cells[1]}</td></tr>')
    page = (OWN / "index.html").read_text(encoding="utf-8")
    (folder / "index.html").write_text(page.replace("<!-- rows -->", "\n".join(rows)), encoding="utf-8")


def _of_wheel(wheel: Path) -> Licensed:
    name, version = wheel.name.split("-")[:2]
    with zipfile.ZipFile(wheel) as opened:
        texts = [opened.read(path).decode() for path in opened.namelist() if TEXT.search(path)]
        about = opened.read(f"{name}-{version}.dist-info/METADATA").decode()
    return Licensed(name, version, _licence_of(about), "\n\n".join(texts))


def _of_installed(name: str) -> Licensed:
    [found] = metadata.distributions(name=name, path=[str(path) for path in VENV.glob("lib/python*/site-packages")])
    paths = [Path(str(path.locate())) for path in found.files or () if TEXT.search(str(path))]
    about = found.read_text("METADATA") or ""
    return Licensed(name, found.version, _licence_of(about), _text(paths))


def _of_npm(name: str, mpl: str) -> Licensed:
    folder = MODULES / name
    about = json.loads((folder / "package.json").read_text())
    text = _text([path for path in sorted(folder.iterdir()) if TEXT.search(path.name)])
    own = OWN / f"{name.rpartition('/')[2]}.txt"
    if not text:
        text = mpl if about.get("license") == "MPL-2.0" else _text([own] if own.exists() else [])
    return Licensed(name, about["version"], about.get("license", ""), text)


def _editor() -> Licensed:
    about = json.loads((MODULES / "@pyscript" / "core" / "package.json").read_text())
    return Licensed(EDITOR, about["devDependencies"][EDITOR].lstrip("^"), "MIT", _text([OWN / f"{EDITOR}.txt"]))


def _licence_of(about: str) -> str:
    """Return the licence that a distribution's metadata name: an expression, or the last word of a classifier."""
    if named := re.search(r"^License-Expression: (.+)$", about, re.MULTILINE):
        return named[1]
    classified = re.findall(r"^Classifier: License :: (?:OSI Approved :: )?(.+)$", about, re.MULTILINE)
    short = re.search(r"^License: (.{1,60})$", about, re.MULTILINE)
    return ", ".join(classified) or (short[1] if short else "")


def _python_version() -> str:
    info = json.loads((MODULES / "pyodide" / "pyodide-lock.json").read_text())["info"]
    return str(info["python"])


def _text(paths: Iterable[Path]) -> str:
    return "\n\n".join(path.read_text(encoding="utf-8") for path in paths)
