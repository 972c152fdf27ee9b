"""One process at a time in a data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from web5.errors import StorageBusy, StorageError


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Hold the folder, making it if need be. The system frees it when the process ends, however it ends.

    Raises:
        StorageBusy: another process has it.
        StorageError: it cannot be made, or not be held.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    except OSError as error:
        raise StorageError(f"{folder} cannot be used: {error.strerror}") from error
    try:
        _hold(descriptor, folder)
        try:
            yield
        finally:
            # Closing is not enough: a process that was forked meanwhile has the descriptor too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageBusy(f"another process uses {folder}") from error
    except OSError as error:
        raise StorageError(f"{folder} cannot be held: {error.strerror}") from error
