"""A folder in memory for what tests store, where the machine has room for one.

Nodes and agents on CPython wait for the disk at every commit, which is half of the time of many tests. What a killed
process has written outlives it in memory as on a disk.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MEMORY = Path("/dev/shm")
FREE = Path("/proc/meminfo")
ROOM = 4 << 30
"""Bytes that must be free in both; the suites need less, since each test's folder goes with it."""


@contextmanager
def folder(left: Path) -> Iterator[Path | None]:
    """Make a folder in memory for the time of the block; None where there is no room for one.

    Parameters:
        left: where what is in it at the end is moved, in place of what was there before.
    """
    if room() < ROOM:
        yield None
        return
    made = Path(tempfile.mkdtemp(prefix="web5-test-", dir=MEMORY))
    try:
        yield made
    finally:
        shutil.rmtree(left, ignore_errors=True)
        with suppress(shutil.Error):  # there may be a socket
            shutil.copytree(made, left, symlinks=True)
        shutil.rmtree(made, ignore_errors=True)


def room() -> int:
    """Return how many bytes can be stored in memory; 0 where that cannot be told."""
    if not os.access(MEMORY, os.W_OK):
        return 0
    try:
        available = re.search(r"^MemAvailable: +(\d+) kB$", FREE.read_text(), re.MULTILINE)
        return min(shutil.disk_usage(MEMORY).free, int(available[1]) * 1024) if available else 0
    except OSError:
        return 0
