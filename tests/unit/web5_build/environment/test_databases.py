"""Where PostgreSQL is found, and what is said where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from web5_build.console import BuildError
from web5_build.environment import databases


def test_the_newest_server_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(databases, "ROOT", tmp_path)
    with pytest.raises(BuildError, match=r"not on this machine\. On Debian: apt-get install postgresql"):
        databases.postgres_folder()
    for version in ("9", "15", "16"):
        folder = tmp_path / "usr" / "lib" / "postgresql" / version / "bin"
        folder.mkdir(parents=True)
        if version != "16":  # its client alone
            (folder / "initdb").touch()
    assert databases.postgres_folder() == tmp_path / "usr" / "lib" / "postgresql" / "15" / "bin"
