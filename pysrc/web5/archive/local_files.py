"""Files of this interpreter as sources and sinks: by a path, or as a binary file object that is open already."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from web5.dwn.store.database import storage_error
from web5.errors import InvalidArgument
from web5.tasks import off_the_loop


class LocalSource:
    """A file to read. Use `open_source`."""

    def __init__(self, file: BinaryIO, name: str, size: int, *, is_own: bool) -> None:
        self.size = size
        self._file, self._name, self._is_own = file, name, is_own

    async def read(self, start: int, length: int) -> bytes:
        try:
            return await off_the_loop(lambda: self._read(start, length))
        except OSError as error:
            raise InvalidArgument(f"{self._name} cannot be read: {error.strerror or error}.") from error

    def _read(self, start: int, length: int) -> bytes:
        self._file.seek(start)
        return self._file.read(length)

    async def close(self) -> None:
        if self._is_own:
            self._file.close()


async def open_source(source: Path | BinaryIO) -> LocalSource:
    """Open a path, or take a binary file that can be sought in, which stays open.

    Raises:
        InvalidArgument: it cannot be read.
    """
    name = str(source) if isinstance(source, Path) else str(getattr(source, "name", "the file"))
    is_own = isinstance(source, Path)
    try:
        file = source if not isinstance(source, Path) else await off_the_loop(lambda: source.open("rb"))
        size = await off_the_loop(lambda: file.seek(0, io.SEEK_END))
    except (OSError, AttributeError) as error:
        raise InvalidArgument(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    return LocalSource(file, name, size, is_own=is_own)


class LocalSink:
    """A file to write. Use `open_sink`.

    Parameters:
        path: the name that it gets once it is whole; None: it is somebody else's, who closes it.
    """

    def __init__(self, file: BinaryIO, path: Path | None) -> None:
        self._file, self._path = file, path

    async def write(self, data: bytes) -> None:
        try:
            await off_the_loop(lambda: _write_all(self._file, data))
        except OSError as error:
            raise storage_error(error) from error

    async def close(self) -> None:
        path = self._path
        if path is None:
            return
        try:
            await off_the_loop(lambda: _put_in_place(self._file, path))
        except OSError as error:
            raise storage_error(error) from error

    async def abort(self) -> None:
        if self._path is not None:
            with suppress(OSError):
                self._file.close()
                _partial(self._path).unlink(missing_ok=True)


async def open_sink(target: Path | BinaryIO) -> LocalSink:
    """Begin a file that appears under its path when it is whole, readable by its owner alone; or take an open one.

    Raises:
        InvalidArgument: nothing can be written there.
    """
    if not isinstance(target, Path):
        return LocalSink(target, None)
    try:
        return LocalSink(await off_the_loop(lambda: _opened(_partial(target))), target)
    except OSError as error:
        raise InvalidArgument(f"{target} cannot be written: {error.strerror or error}.") from error


def _partial(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")


def _opened(path: Path) -> BinaryIO:
    path.unlink(missing_ok=True)  # of an export that was cut off, perhaps with other rights
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _put_in_place(file: BinaryIO, path: Path) -> None:
    file.flush()
    os.fsync(file.fileno())
    file.close()
    _partial(path).replace(path)


def _write_all(file: BinaryIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = file.write(view)
        view = view[len(view) if written is None else written :]
