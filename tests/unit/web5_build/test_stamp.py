"""A result is made anew exactly when what it is made from has changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from web5_build.stamp import Stamp, digest


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner" / "a.py").write_text("a")
    (folder / "b.py").write_text("b")
    return folder


def test_the_same_inputs_give_the_same_digest(source: Path) -> None:
    assert digest("x", source) == digest("x", source)


def test_every_kind_of_change_changes_the_digest(source: Path) -> None:
    seen = [digest("x", source)]
    (source / "b.py").write_text("c")
    seen.append(digest("x", source))
    (source / "b.py").rename(source / "d.py")
    seen.append(digest("x", source))
    (source / "e.py").write_text("")
    seen.append(digest("x", source))
    seen.append(digest("y", source))
    assert len(set(seen)) == len(seen)


def test_texts_do_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")


def test_what_python_leaves_behind_is_no_change(source: Path) -> None:
    before = digest(source)
    (source / "__pycache__").mkdir()
    (source / "__pycache__" / "a.pyc").write_bytes(b"\0")
    assert digest(source) == before


def test_a_stamp_holds_for_its_inputs_and_while_its_results_are_there(tmp_path: Path) -> None:
    result = tmp_path / "result"
    stamp = Stamp(tmp_path / "folder" / "stamp", "one")
    assert not stamp.holds()
    result.touch()
    stamp.set()
    assert stamp.holds(result)
    assert not Stamp(tmp_path / "folder" / "stamp", "two").holds(result)
    result.unlink()
    assert not stamp.holds(result)


def test_a_cleared_stamp_does_not_hold(tmp_path: Path) -> None:
    stamp = Stamp(tmp_path / "stamp", "one")
    stamp.set()
    stamp.clear()
    assert not stamp.holds()
