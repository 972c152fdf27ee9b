"""The JupyterLite that the build makes: its notebooks, its settings, and the index that its kernel installs from."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from web5_build import project
from web5_build.paths import JUPYTER
from web5_build.site import jupyter


@pytest.fixture(scope="module")
def folder() -> Path:
    assert (JUPYTER / "index.html").exists(), "there is no JupyterLite: run python3 build.py jupyter first"
    return JUPYTER


def _read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_list_of_contents_has_every_notebook_as_it_is(folder: Path, site: Path) -> None:
    listed = _read(folder / "api" / "contents" / "all.json")["content"]
    notebooks = {path.name: path.read_bytes() for path in jupyter.NOTEBOOKS.glob("*.ipynb")}
    assert notebooks
    assert {one["path"]: (folder / "files" / one["path"]).read_bytes() for one in listed} == notebooks
    assert {name: (site / "examples" / name).read_bytes() for name in notebooks} == notebooks


def test_notebooks_are_kept_without_what_they_put_out() -> None:
    for path in jupyter.NOTEBOOKS.glob("*.ipynb"):
        for cell in _read(path)["cells"]:
            assert not cell.get("outputs") and cell.get("execution_count") is None, path


def test_its_kernel_and_its_packages_are_beside_it(folder: Path) -> None:
    kernel = _read(folder / "jupyter-lite.json")["jupyter-config-data"]["litePluginSettings"][jupyter.KERNEL]
    for address in (kernel["pyodideUrl"], *kernel["pipliteUrls"]):
        assert address.startswith("./") and (folder / address.split("?")[0]).exists(), address
    assert "./simple/all.json" in kernel["pipliteUrls"]


@pytest.mark.parametrize("of", ["site", "jupyter"])
def test_the_index_in_one_file_has_every_wheel_by_its_hash(folder: Path, site: Path, of: str) -> None:
    index = (site if of == "site" else folder) / "simple"
    named = {}
    for name, project_of_it in _read(index / "all.json").items():
        for version, file in [
            (version, file) for version, files in project_of_it["releases"].items() for file in files
        ]:
            wheel = (index / file["url"]).resolve()
            assert wheel.parent == (index / name).resolve() and wheel.name.split("-")[1] == version
            assert sha256(wheel.read_bytes()).hexdigest() == file["digests"]["sha256"]
            named[wheel] = name
    assert set(named) == {path.resolve() for path in index.rglob("*.whl")}
    assert "web5-py" in named.values()


def test_everything_that_the_kernel_loads_is_in_it(folder: Path) -> None:
    there = set(_read(folder / "simple" / "all.json"))
    direct = {one.split("==")[0] for one in project.pyproject()["dependency-groups"]["browser"]}
    assert direct - {project.MICROPIP} <= there
    assert not list(folder.rglob("*.map"))


def test_what_a_notebook_loads_is_installed_nowhere_else() -> None:
    assert not set(project.NOTEBOOK) & set(project.installed())
