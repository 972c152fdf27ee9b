"""Code of dataclasses and named tuples that is compiled beforehand (web/boot/generated_code.py)."""

from __future__ import annotations

import collections
import dataclasses
import importlib.util
import marshal
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, get_type_hints

import pytest

from web5_build.paths import WEB


@pytest.fixture
def generated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setattr(dataclasses, "exec", exec, raising=False)
    monkeypatch.setattr(collections, "eval", eval, raising=False)
    if annotations := getattr(dataclasses, "annotationlib", None):
        monkeypatch.setattr(annotations, "compile", compile, raising=False)
    path = tmp_path / "generated_code.py"
    path.write_text((WEB / "boot" / path.name).read_text())
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _made() -> list[Any]:
    """One of each, anew."""

    @dataclasses.dataclass(frozen=True)
    class Point:
        x: int
        y: int = 2

    class Pair(NamedTuple):
        first: int
        second: int = 2

    return [Point(1), Pair(1), get_type_hints(Point)]


def _never(*_: Any) -> None:
    raise AssertionError("this was to be compiled")


def test_what_was_noted_makes_the_same_without_the_compiler(
    generated: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    give = generated.note()
    expected = list(map(repr, _made()))
    noted = give()
    assert len(marshal.loads(noted)) >= 2
    (tmp_path / generated.FILE).write_bytes(noted)
    generated.install()
    monkeypatch.setattr(generated, "_compiled", _never)
    assert list(map(repr, _made())) == expected


def test_what_was_not_noted_is_compiled(generated: ModuleType, tmp_path: Path) -> None:
    (tmp_path / generated.FILE).write_bytes(marshal.dumps({}))
    generated.install()
    point, pair, hints = _made()
    assert (point.x, point.y) == (pair.first, pair.second) == (1, 2)
    assert hints == {"x": int, "y": int}
