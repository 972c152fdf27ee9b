"""Modules that are found where the build has put them (web/boot/placed_modules.py)."""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from web5_build.paths import WEB

CODE = {
    "placed_one.pyc": "value = 'a module'",
    "placed_many/__init__.pyc": "value = 'a package'",
    "placed_many/inner/__init__.pyc": "value = 'a package in it'",
    "placed_many/inner/last.pyc": "from placed_many import value as outer",
    "placed_many/unlisted.pyc": "value = 'found in the folder'",
}


@pytest.fixture
def finder(tmp_path: Path) -> Iterator[ModuleType]:
    """The module, with these files placed, but for the one that is not listed."""
    before, modules = list(sys.meta_path), set(sys.modules)
    for name, code in CODE.items():
        source = tmp_path / "source.py"
        source.write_text(code)
        py_compile.compile(str(source), str(tmp_path / "site" / name), doraise=True)
    spec = importlib.util.spec_from_file_location("placed_modules", WEB / "boot" / "placed_modules.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    files = "\n".join(f"{tmp_path}/site/{name}" for name in CODE if "unlisted" not in name)
    module.install(f"{tmp_path}/elsewhere\n{tmp_path}/site", files)
    yield module
    sys.meta_path[:] = before
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def test_modules_and_packages_are_found_without_a_search(
    finder: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(*args: object) -> None:
        raise AssertionError("folders were looked through")

    monkeypatch.setattr(importlib.machinery.PathFinder, "find_spec", look)
    assert importlib.import_module("placed_one").value == "a module"
    assert importlib.import_module("placed_many.inner.last").outer == "a package"
    inner = sys.modules["placed_many.inner"]
    assert inner.__path__ == [f"{tmp_path}/site/placed_many/inner"]
    assert inner.__file__ == f"{tmp_path}/site/placed_many/inner/__init__.pyc"
    assert inner.__spec__.parent == "placed_many.inner"


def test_what_is_not_placed_is_looked_for_as_ever(finder: ModuleType) -> None:
    assert importlib.import_module("placed_many.unlisted").value == "found in the folder"
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("placed_many.nothing")


def test_what_python_has_itself_comes_first(finder: ModuleType) -> None:
    at = next(at for at, one in enumerate(sys.meta_path) if isinstance(one, finder.PlacedFinder))
    assert sys.meta_path[at + 1] is importlib.machinery.PathFinder
    assert sys.meta_path.index(importlib.machinery.BuiltinImporter) < at
    assert sys.meta_path.index(importlib.machinery.FrozenImporter) < at
