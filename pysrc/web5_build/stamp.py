"""Skipping work whose inputs have not changed: a stamp is a file that holds the hash of what something was made of."""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from web5_build.console import say


def digest(*inputs: Path | str) -> str:
    """Return a hash over texts, files and whole folders (names and contents), in the order given."""
    total = hashlib.sha256()
    for item in inputs:
        if isinstance(item, str):
            _add(total, "text", item.encode())
            continue
        for path in _files(item):
            _add(total, str(path.relative_to(item.parent)), path.read_bytes())
    return total.hexdigest()


def _add(total: hashlib._Hash, name: str, content: bytes) -> None:
    total.update(f"{name}\0{len(content)}\0".encode())
    total.update(content)


def _files(item: Path) -> Iterable[Path]:
    if not item.is_dir():
        return [item]
    found = (path for path in item.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return sorted(path for path in found if "node_modules" not in path.parts)


class Stamp:
    """A file that holds the hash of what a result was made of.

    Parameters:
        path: best inside of the result, so that both go together.
        inputs: the digest of what the result is made from.
    """

    def __init__(self, path: Path, inputs: str) -> None:
        self._path = path
        self._inputs = inputs

    def holds(self, *results: Path) -> bool:
        """Return True if the inputs are what they were, and all `results` are still there."""
        try:
            return self._path.read_text() == self._inputs and all(result.exists() for result in results)
        except FileNotFoundError:
            return False

    def clear(self) -> None:
        """Forget, before the result is touched: a build that breaks off is no result."""
        self._path.unlink(missing_ok=True)

    def set(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text(self._inputs)


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file, so that two builds in one tree take turns."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("==> waiting for another build in this folder")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
