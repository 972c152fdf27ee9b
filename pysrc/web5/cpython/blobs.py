"""Blobs as files of one folder.

Invariants:
1. A file under `whole/` is complete and synced; only a rename puts it there.
2. What a crash leaves behind lies under `partial/` and is removed when the folder is opened again.
3. After `close` nothing touches the folder any more: it may be another process's.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import uuid
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, ParamSpec, TypeVar
from urllib.parse import quote, unquote

from web5.dwn.store.database import storage_error
from web5.errors import BlobMissing, StorageClosed
from web5.tasks import outlasting

READ_BYTES = 256 * 1024
WRITE_BYTES = 1024 * 1024
SUFFIX = ".blob"

P = ParamSpec("P")
T = TypeVar("T")


class FileBlobs:
    """The `Blobs` port on a folder that no other process uses.

    Parameters:
        path: the folder; it is made if need be.

    Raises:
        StorageError: the folder cannot be made or read.
    """

    def __init__(self, path: Path | str) -> None:
        self._whole = Path(path) / "whole"
        self._partial = Path(path) / "partial"
        self._closed = False
        self._working: set[asyncio.Future[Any]] = set()
        try:
            shutil.rmtree(self._partial, ignore_errors=True)
            self._whole.mkdir(parents=True, exist_ok=True)
            self._partial.mkdir(exist_ok=True)
        except OSError as error:
            raise storage_error(error) from error

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> int:
        partial = self._partial / uuid.uuid4().hex
        size = 0
        try:
            file = await self._in_thread(partial.open, "xb", 0)
            try:
                async for piece in _gathered(chunks):
                    await self._in_thread(_write_all, file, piece)
                    size += len(piece)
                await self._in_thread(os.fsync, file.fileno())
            finally:
                file.close()
            await self._in_thread(_publish, partial, self._file(key))
        finally:
            partial.unlink(missing_ok=True)
        return size

    async def get(self, key: str, start: int = 0) -> AsyncIterator[bytes]:
        self._check_open()
        try:
            file = self._file(key).open("rb", 0)
        except FileNotFoundError as error:
            raise BlobMissing(f"there is no blob {key!r}") from error
        except OSError as error:
            raise storage_error(error) from error
        with file:
            file.seek(start)
            while piece := await self._in_thread(file.read, READ_BYTES):
                yield piece

    async def delete(self, keys: Iterable[str]) -> None:
        await self._in_thread(self._remove, [self._file(key) for key in keys])

    async def keys(self) -> set[str]:
        names = await self._in_thread(os.listdir, self._whole)
        return {unquote(name.removesuffix(SUFFIX)) for name in names}

    async def close(self) -> None:
        self._closed = True
        if self._working:
            await asyncio.wait(self._working)

    async def _in_thread(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run file work off the event loop, its errors in our terms.

        A cancelled caller still waits for the thread: the file that it uses must not be closed under it.
        """
        self._check_open()
        work = asyncio.ensure_future(asyncio.to_thread(function, *args, **kwargs))
        try:
            return await outlasting(work, self._working)
        except OSError as error:
            raise storage_error(error) from error

    def _check_open(self) -> None:
        if self._closed:
            raise StorageClosed("the blob store is closed")

    def _file(self, key: str) -> Path:
        """Return a path that is safe on every system; the suffix keeps "", "." and ".." apart from the folders."""
        return self._whole / f"{quote(key, safe='')}{SUFFIX}"

    def _remove(self, files: list[Path]) -> None:
        for file in files:
            file.unlink(missing_ok=True)
        if files:
            _sync_folder(self._whole)


def _publish(partial: Path, whole: Path) -> None:
    partial.replace(whole)
    _sync_folder(whole.parent)


async def _gathered(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Join small chunks into pieces worth a thread switch."""
    buffer = bytearray()
    async for chunk in chunks:
        buffer += chunk
        if len(buffer) >= WRITE_BYTES:
            yield bytes(buffer)
            buffer.clear()
    if buffer:
        yield bytes(buffer)


def _write_all(file: BinaryIO, piece: bytes) -> None:
    rest = memoryview(piece)
    while rest:
        rest = rest[file.write(rest) :]


def _sync_folder(folder: Path) -> None:
    """Make renames and removals in it durable, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
