"""The lock on a data folder: held while the block runs, and not a moment longer."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from web5.cpython.lock import sole_use
from web5.errors import StorageBusy, StorageError


def test_one_has_the_folder_until_its_block_ends(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with sole_use(folder), pytest.raises(StorageBusy), sole_use(folder):
        pass
    with pytest.raises(KeyError), sole_use(folder):
        raise KeyError
    with sole_use(folder):
        pass


def test_who_has_the_folder_is_said(tmp_path: Path) -> None:
    program = f"""
import sys
from pathlib import Path
from web5.cpython.lock import sole_use
with sole_use(Path({str(tmp_path)!r})):
    print("held", flush=True)
    sys.stdin.read()
"""
    script = tmp_path / "backup.py"
    script.write_text(program)
    with subprocess.Popen([sys.executable, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        with pytest.raises(StorageBusy, match=rf"in use by process {other.pid} \('.*backup\.py', since 20") as refused:
            sole_use(tmp_path).__enter__()
        assert "end that one, or use another data_path" in str(refused.value)
        other.communicate()
    with sole_use(tmp_path), pytest.raises(StorageBusy, match=rf"This process \({os.getpid()}\)"), sole_use(tmp_path):
        pass


def test_what_is_written_in_the_lock_need_not_be_ours(tmp_path: Path) -> None:
    with sole_use(tmp_path):
        for text in (b"", b"[]", b"\xff", b'{"process": "1"}', b'{"process": 1, "program": "\\u001b[2J", "since": ""}'):
            (tmp_path / "lock").write_bytes(text)
            with pytest.raises(StorageBusy, match="is in use by") as refused, sole_use(tmp_path):
                pass
            assert "\x1b" not in str(refused.value)


def test_a_process_that_was_forked_meanwhile_does_not_keep_it(tmp_path: Path) -> None:
    ended, end = os.pipe()
    with sole_use(tmp_path):
        child = os.fork()
        if child == 0:  # as a process pool's, which has all that was open
            os.close(end)
            os.read(ended, 1)
            os._exit(0)
    try:
        with sole_use(tmp_path):
            pass
    finally:
        os.close(end)
        os.close(ended)
        os.waitpid(child, 0)


def test_a_folder_that_cannot_be_made_is_an_error_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(StorageError, match="cannot be used"), sole_use(tmp_path / "file"):
        pass
