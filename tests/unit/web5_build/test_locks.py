"""Versions are pinned, in one place each, and no committed file says where they are downloaded from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from web5_build import project
from web5_build.packages import wheels
from web5_build.paths import INTEROP, ROOT, WEB

LOCKS = [WEB / "package-lock.json", INTEROP / "package-lock.json"]


@pytest.mark.parametrize("lock", LOCKS, ids=["web", "interop"])
def test_npm_locks_record_no_download_address(lock: Path) -> None:
    packages: dict[str, dict[str, Any]] = json.loads(lock.read_text())["packages"]
    assert len(packages) > 10
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
    # What is left are the addresses where authors ask for money.
    others = [{key: value for key, value in entry.items() if key != "funding"} for entry in packages.values()]
    assert re.findall(r"https?://[^\"]*", json.dumps(others)) == []


@pytest.mark.parametrize(
    "name", ["requirements.txt", "pyproject.toml", "web/package.json", "tests/interop/package.json"]
)
def test_dependency_files_name_no_host(name: str) -> None:
    assert "://" not in (ROOT / name).read_text()


def test_npm_dependencies_are_pinned() -> None:
    for folder in (WEB, INTEROP):
        package = json.loads((folder / "package.json").read_text())
        versions = {**package["dependencies"], **package.get("devDependencies", {})}
        assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []


def test_python_dependencies_are_pinned_and_locked() -> None:
    pinned = project.pinned()
    groups = project.pyproject()["dependency-groups"]
    for one in (Requirement(one) for group in groups.values() for one in group):
        assert f"=={pinned[canonicalize_name(one.name)]}" == str(one.specifier), one


def test_the_wheel_s_ranges_are_met_by_what_is_locked_and_by_what_pyodide_ships() -> None:
    pinned = project.pinned()
    lock = json.loads((WEB / "node_modules" / "pyodide" / "pyodide-lock.json").read_text())["packages"]
    of_pyodide = {canonicalize_name(entry["name"]): entry["version"] for entry in lock.values()}
    checked = set()
    for one in map(Requirement, project.ranges()):
        assert len(one.specifier) >= 1 and not any(part.operator == "==" for part in one.specifier), one
        assert pinned[one.name] in one.specifier, one
        if one.name in of_pyodide and one.name in wheels.NEEDED_IN_BROWSER:
            assert of_pyodide[one.name] in one.specifier, one
            checked.add(one.name)
    assert {"pydantic", "idna"} <= checked


def test_what_is_required_for_some_versions_of_python_is_installed_for_no_others() -> None:
    markers = {one.name: one.marker for one in map(Requirement, project.ranges()) if one.marker is not None}
    locked = {name: Requirement(project.locked([name]).split(" --hash")[0]).marker for name in markers}
    assert "coincurve" in markers
    assert locked == markers


def test_the_site_s_index_meets_them(site: Path) -> None:
    for one in map(Requirement, project.pyproject()["project"]["dependencies"]):
        files = json.loads((site / "simple" / one.name / "index.json").read_text())["files"]
        assert [file["filename"] for file in files if file["filename"].split("-")[1] in one.specifier], one


def test_every_locked_file_is_known_by_its_hash() -> None:
    for name in project.pinned():
        assert re.fullmatch(rf"{name}==\S+( ; [^\\]+?)?( +--hash=sha256:[0-9a-f]{{64}})+\n", project.locked([name]))


def test_every_wheel_for_the_browser_is_pinned_and_every_dependency_has_one() -> None:
    pinned = project.pinned()
    assert [name for name in wheels.NEEDED_IN_BROWSER if name not in pinned] == []
    direct = {Requirement(one).name for one in project.pyproject()["project"]["dependencies"]}
    assert direct <= set(wheels.NEEDED_IN_BROWSER)
