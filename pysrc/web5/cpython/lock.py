"""One process at a time in a data folder; it says there who it is."""

from __future__ import annotations

import fcntl
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from web5.errors import StorageBusy, StorageError
from web5.strict_json import parse


@contextmanager
def sole_use(folder: Path) -> Iterator[None]:
    """Hold the folder, making it if need be. The system frees it when the process ends, however it ends.

    Raises:
        StorageBusy: another process has it, or this one already; the words say which.
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
            _say(descriptor, json.dumps(_ourselves()).encode())
            yield
        finally:
            _say(descriptor, b"")
            # Closing is not enough: a process that was forked meanwhile has the descriptor too.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _hold(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageBusy(_held_by(os.pread(descriptor, 4096, 0), folder)) from error
    except OSError as error:
        raise StorageError(f"{folder} cannot be held: {error.strerror}") from error


def _say(descriptor: int, words: bytes) -> None:
    with suppress(OSError):  # the disk is full: the lock holds all the same
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, words, 0)


def _ourselves() -> dict[str, Any]:
    since = datetime.now(UTC).isoformat(sep=" ", timespec="seconds")
    return {"process": os.getpid(), "program": (sys.argv[0] or sys.executable)[-200:], "since": since}


def _held_by(said: bytes, folder: Path) -> str:
    """Say who has the folder, as far as that is known, and what to do."""
    try:
        holder = parse(said.decode())
    except ValueError:
        holder = None
    match holder:
        case {"process": int(process), "program": str(program), "since": str(since)}:
            who = f"process {process} ({program!a}, since {since})"
        case _:
            process, who = 0, "another process"
    if process == os.getpid():
        return (
            f"This process ({process}) has {folder} open already: by an agent that was not closed, or in another event"
            " loop. Close that one first, or use another data_path."
        )
    return (
        f"{folder} is in use by {who}. Only one process at a time can be the node of a folder: end that one, or use"
        " another data_path."
    )
