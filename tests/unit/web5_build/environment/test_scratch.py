"""The folder in memory for what tests store."""

from __future__ import annotations

from pathlib import Path

import pytest

from web5_build.environment import scratch


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place that stands for the machine's memory, of which there is enough."""
    (tmp_path / "memory").mkdir()
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    8000000 kB\n")
    monkeypatch.setattr(scratch, "MEMORY", tmp_path / "memory")
    monkeypatch.setattr(scratch, "FREE", tmp_path / "meminfo")
    monkeypatch.setattr(scratch, "ROOM", 1)
    return tmp_path


def test_what_is_left_in_it_is_moved_to_the_disk(memory: Path) -> None:
    left = memory / "left"
    for text in ("first", "second"):
        with scratch.folder(left) as made:
            assert made is not None and made.parent == memory / "memory"
            (made / text).write_text(text)
        assert [path.name for path in left.iterdir()] == [text]
        assert list((memory / "memory").iterdir()) == []


def test_it_is_gone_after_an_interrupt_too(memory: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch.folder(memory / "left"):
        raise KeyboardInterrupt
    assert list((memory / "memory").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value"),
    [("ROOM", 9_000_000_000), ("MEMORY", Path("/nowhere")), ("FREE", Path("/nowhere")), ("FREE", Path(__file__))],
)
def test_where_there_is_no_room_the_disk_is_used(
    memory: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(scratch, name, value)
    with scratch.folder(memory / "left") as made:
        assert made is None
