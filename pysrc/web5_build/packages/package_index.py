"""The site's own package index, and the micropip that installs from it.

Sources: PEP 503 (a page for each project), PEP 691 (the same as JSON), JupyterLite's piplite (all projects in one
file), Pyodide's lock file.
"""

from __future__ import annotations

import html
import json
import re
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

META = {"api-version": "1.0"}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="pypi:repository-version" content="1.0">
<title>{title}</title>
{links}
</html>
"""


def make(folder: Path, wheels: list[Path]) -> None:
    """Write an index of wheels, each in the folder of its project: relative links hold wherever the index is.

    A server that cannot choose by the request's headers gives the pages; `{name}/index.json` has the same as JSON, and
    `all.json` is what a JupyterLite takes among its `pipliteUrls`.
    """
    by_project: dict[str, list[Path]] = {}
    for wheel in wheels:
        by_project.setdefault(project_of(wheel), []).append(wheel)
    _write(folder, "Simple index", {name: f"{name}/" for name in sorted(by_project)})
    projects = [{"name": name} for name in sorted(by_project)]
    (folder / "index.json").write_text(json.dumps({"meta": META, "projects": projects}, indent=1) + "\n")
    everything: dict[str, Any] = {}
    for name, files in by_project.items():
        described = [_described(wheel) for wheel in files]
        releases: dict[str, list[Any]] = {}
        for one in described:
            releases.setdefault(one["filename"].split("-")[1], []).append(_for_piplite(name, one))
        everything[name] = {"releases": releases}
        links = {one["filename"]: f"{one['url']}#sha256={one['hashes']['sha256']}" for one in described}
        _write(folder / name, f"Links for {name}", links)
        for wheel in files:
            shutil.copy2(wheel, folder / name)
        about = {"meta": META, "name": name, "files": described}
        (folder / name / "index.json").write_text(json.dumps(about, indent=1) + "\n")
    (folder / "all.json").write_text(json.dumps(everything, indent=1) + "\n")


def project_of(wheel: Path) -> str:
    """Return the normalized name of the project that a wheel is of."""
    return re.sub(r"[-_.]+", "-", wheel.name.split("-")[0]).lower()


def carry_micropip(runtime: Path, micropip: Path) -> None:
    """Lay micropip into a Pyodide runtime, as the one package that its lock file names."""
    shutil.copy2(micropip, runtime)
    lock = json.loads((runtime / "pyodide-lock.json").read_text())
    entry: dict[str, Any] = {**lock["packages"]["micropip"], "version": micropip.name.split("-")[1]}
    entry |= {"file_name": micropip.name, "sha256": _hash(micropip)}
    lock["packages"] = {"micropip": entry}
    (runtime / "pyodide-lock.json").write_text(json.dumps(lock))


def _described(wheel: Path) -> dict[str, Any]:
    about = {"filename": wheel.name, "url": wheel.name, "hashes": {"sha256": _hash(wheel)}}
    return {**about, "size": wheel.stat().st_size}


def _for_piplite(name: str, described: dict[str, Any]) -> dict[str, Any]:
    return {**described, "digests": described["hashes"], "url": f"./{name}/{described['url']}"}


def _write(folder: Path, title: str, links: dict[str, str]) -> None:
    folder.mkdir(parents=True)
    lines = (f'<a href="{html.escape(url)}">{html.escape(text)}</a><br>' for text, url in links.items())
    (folder / "index.html").write_text(_PAGE.format(title=html.escape(title), links="\n".join(lines)))


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()
