"""The lock on a data folder: held while the block runs, and not a moment longer."""

from __future__ import annotations

import os
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
