"""One process at a time in a data folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from web5.errors import StorageBusy


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Hold the folder, making it if need be. The system frees it when the process ends, however it ends.

    Raises:
        StorageBusy: another process has it.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StorageBusy(f"another process uses {folder}") from error
        yield
    finally:
        os.close(descriptor)
