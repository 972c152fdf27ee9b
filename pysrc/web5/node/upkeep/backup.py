"""A copy of a node's folder, made while the node runs.

Invariants:
1. The copy of each database is what that was at one moment, and every blob that it names is in the copy, whole,
   wherever it was; but none is, if the caller says so.
2. The copy appears under its name only once it is complete and synced; what a failure leaves behind has another.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import apsw

from web5.cpython.blobs import SUFFIX
from web5.errors import BlobMissing, StorageError
from web5.node.s3.address import S3Address
from web5.node.stores import BLOBS, DATABASE, open_s3
from web5.ports.blobs import Blobs

PARTIAL = ".incomplete"
ROUNDS = 40
"""Times that a database is copied anew because blobs that it named were replaced meanwhile."""

_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Copied:
    """The size of a copy.

    Parameters:
        left_out: blobs that were not to be copied.
    """

    databases: int
    blobs: int
    bytes: int
    left_out: int = 0


def back_up(data: Path, target: Path, s3: S3Address | None = None, *, large: bool = True) -> Copied:
    """Copy the folder of a node, which may be in use.

    Parameters:
        s3: the place of the node's large data; None: they are in the folder. In the copy they are in the folder.
        large: False: the databases alone.

    Raises:
        StorageError: there is no node in the folder, something is at the target already, or it cannot be written.
    """
    databases = databases_of(data)
    if target.exists():
        raise StorageError(f"{target} is there already; name a folder that is not")
    partial = target.with_name(target.name + PARTIAL)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        blobs = left_out = 0
        for path in databases:
            (partial / path).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            if path.name == DATABASE and large:
                own = None if s3 is None else s3.below(path.parent.name)
                blobs += _copy_dwn(data / path.parent, partial / path.parent, own)
            elif path.name == DATABASE:
                _copy_database(data / path, partial / path)
                left_out += len(_keys(partial / path))
            else:
                _copy_database(data / path, partial / path)
        size = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
        _sync(partial)
        partial.rename(target)
        _sync_folder(target.parent)
    except (OSError, apsw.Error) as error:
        raise StorageError(f"{data} cannot be copied to {target}: {error}") from error
    return Copied(len(databases), blobs, size, left_out)


def databases_of(data: Path) -> list[Path]:
    """Return the paths of a node's databases, below its folder.

    Raises:
        StorageError: there are none.
    """
    found = sorted(path.relative_to(data) for pattern in ("*.sqlite", "*/*.sqlite") for path in data.glob(pattern))
    if not found:
        raise StorageError(f"there is no node in {data}")
    return found


def blob_file(folder: Path, key: str) -> Path:
    """Return the file of a blob of a DWN's folder."""
    return folder / BLOBS / "whole" / f"{quote(key, safe='')}{SUFFIX}"


def blob_rows(db: apsw.Connection) -> Iterator[tuple[str, int]]:
    """Give the key and the size of each blob that a DWN's database names."""
    yield from db.execute("SELECT key, size FROM dwn_blob")


def _copy_dwn(source: Path, target: Path, s3: S3Address | None) -> int:
    """Copy a DWN; return the number of its blobs."""
    for _ in range(ROUNDS):
        _copy_database(source / DATABASE, target / DATABASE)
        keys = _keys(target / DATABASE)
        if s3 is not None:
            are_there = asyncio.run(_fetch(open_s3(s3), target, keys))
        else:
            are_there = all(_copy_blob(source, target, key) for key in keys)
        if are_there:
            _drop_others(target, keys)
            return len(keys)
    raise StorageError(f"{source} changes faster than it can be copied")


def _keys(database: Path) -> list[str]:
    db = apsw.Connection(str(database), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        return [key for key, _ in blob_rows(db)]
    finally:
        db.close()


async def _fetch(blobs: Blobs, target: Path, keys: list[str]) -> bool:
    """Copy blobs out of another store; return False once one is gone."""
    for key in keys:
        there = blob_file(target, key)
        if there.exists():
            continue
        there.parent.mkdir(parents=True, exist_ok=True)
        part = there.with_suffix(".part")
        try:
            with part.open("wb") as file:
                async for piece in blobs.get(key):
                    file.write(piece)
        except BlobMissing:
            part.unlink()
            return False
        part.rename(there)
    return True


def _copy_blob(source: Path, target: Path, key: str) -> bool:
    """Return False if the blob is gone by now. Blobs never change, so that one copy is enough."""
    there = blob_file(target, key)
    if not there.exists():
        there.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(blob_file(source, key), there)
        except FileNotFoundError:
            there.unlink(missing_ok=True)
            return False
    return True


def _drop_others(target: Path, keys: list[str]) -> None:
    """Remove blobs that only an earlier round had named."""
    named = {blob_file(target, key) for key in keys}
    for path in (target / BLOBS / "whole").glob("*"):
        if path not in named:
            path.unlink()


def _copy_database(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    # Not opened for reading alone: where the node has ended, its log may be yet to be merged.
    original = apsw.Connection(str(source), flags=apsw.SQLITE_OPEN_READWRITE)
    try:
        original.set_busy_timeout(10_000)
        copy = apsw.Connection(str(target))
        try:
            original.execute("BEGIN")  # one moment, however many steps the copy takes
            original.execute("SELECT count(*) FROM sqlite_schema").fetchall()
            with copy.backup("main", original, "main") as backup:
                while not backup.done:
                    backup.step(_PAGES)
            original.execute("ROLLBACK")
        finally:
            copy.close()
    finally:
        original.close()


def _sync(folder: Path) -> None:
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
        else:
            _sync_folder(path)
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
