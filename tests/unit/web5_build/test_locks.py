"""Versions are pinned, in one place each, and no committed file says where they are downloaded from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from web5_build import project, wheels
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
    for requirement in project.requirements():
        name, version = requirement.split("==")
        assert pinned[name.split("[")[0].replace("_", "-").lower()] == version


def test_every_locked_file_is_known_by_its_hash() -> None:
    for name in project.pinned():
        assert re.fullmatch(rf"{name}==\S+( +--hash=sha256:[0-9a-f]{{64}})+\n", project.locked([name]))


def test_every_wheel_for_the_browser_is_pinned_and_every_dependency_has_one() -> None:
    pinned = project.pinned()
    assert [name for name in wheels.NEEDED_IN_BROWSER if name not in pinned] == []
    direct = {requirement.split("==")[0] for requirement in project.pyproject()["project"]["dependencies"]}
    assert direct <= set(wheels.NEEDED_IN_BROWSER)
