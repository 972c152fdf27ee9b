"""A ZIP from anywhere, read by its directory, which `zipfile` parses; the entries are read here, in bounds.

`zipfile` reads files synchronously, and a Blob in a browser is read asynchronously. So its directory alone is given to
`zipfile`, from memory, and what it says is checked before anything is read that it names.

Invariants:
1. No more is read or unpacked than was allowed, whatever the directory says.
2. No two entries share bytes, so that a small file does not unfold into a large one.
3. What is unpacked has the size and the checksum that the directory names.
"""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import AsyncIterator

from web5.errors import ArchiveDamaged, ArchiveError
from web5.ports.files import ByteSource

MOST_ENTRIES = 200_000
MOST_DIRECTORY = 32 * 1024 * 1024
"""Bytes of the directory; those of `MOST_ENTRIES` with the names of an archive have 26 million."""

CHUNK = 1 << 20

_LOCAL = struct.Struct("<4s5H3I2H")
_LOCAL_MAGIC = b"PK\3\4"
_ENCRYPTED = 0x1
_TAIL = 64 * 1024 + 22
_NO_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, struct.error, OSError)
"""The errors of `zipfile` for what is no ZIP."""


class ZipReader:
    """The entries of a ZIP. Use `open_zip`.

    Attributes:
        names: of all entries, in the order of the directory.
    """

    def __init__(self, source: ByteSource, infos: list[zipfile.ZipInfo]) -> None:
        self._source = source
        self._infos = {info.filename: info for info in infos}
        self.names = list(self._infos)

    def __contains__(self, name: str) -> bool:
        return name in self._infos

    def size(self, name: str) -> int:
        """Return the size that the directory names."""
        return self._infos[name].file_size

    async def read(self, name: str, most: int) -> bytes:
        """Return an entry that fits into memory.

        Raises:
            ArchiveError: there is none, it is larger than `most` bytes, or packed in another way.
            ArchiveDamaged: it is not what the directory names.
        """
        info = self._infos.get(name)
        if info is None:
            raise ArchiveError(name, "the archive has no such file")
        if info.file_size > most or info.compress_size > most:
            raise ArchiveError(name, f"it is larger than the {most} bytes that such a file may have")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ArchiveError(name, "it is compressed in a way that no archive has: write it anew with DEFLATE")
        packed = b"".join([chunk async for chunk in self._raw(info)])
        content = packed if info.compress_type == zipfile.ZIP_STORED else _inflated(name, packed, info.file_size)
        if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
            raise ArchiveDamaged(name, "its bytes are not those that were written")
        return content

    async def stream(self, name: str) -> AsyncIterator[bytes]:
        """Give an entry that lies there as it is, in chunks. Whose it is has to check it.

        Raises:
            ArchiveError, ArchiveDamaged: as `read`.
        """
        info = self._infos[name]
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ArchiveError(name, "data lie in an archive as they are, not compressed")
        async for chunk in self._raw(info):
            yield chunk

    async def _raw(self, info: zipfile.ZipInfo) -> AsyncIterator[bytes]:
        head = await self._source.read(info.header_offset, _LOCAL.size)
        if len(head) != _LOCAL.size or not head.startswith(_LOCAL_MAGIC):
            raise ArchiveDamaged(info.filename, "it is not where the directory says")
        *_, name_length, more_length = _LOCAL.unpack(head)
        at = info.header_offset + _LOCAL.size + name_length + more_length
        end = at + info.compress_size
        while at < end:
            chunk = await self._source.read(at, min(CHUNK, end - at))
            if not chunk:
                raise ArchiveDamaged(info.filename, "the archive ends in the middle of it")
            at += len(chunk)
            yield chunk


def _inflated(name: str, packed: bytes, size: int) -> bytes:
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = machine.decompress(packed, size + 1)
    except zlib.error as error:
        raise ArchiveDamaged(name, f"it cannot be unpacked: {error}") from error
    if len(content) > size or not machine.eof:
        raise ArchiveDamaged(name, "it does not unpack into the size that the directory names")
    return content


async def open_zip(source: ByteSource) -> ZipReader:
    """Read the directory of a ZIP.

    Raises:
        ArchiveError: it is none, has too many entries, or some that no archive has.
    """
    window = _Window(source.size)
    while True:
        try:
            infos = zipfile.ZipFile(window).infolist()
            break
        except _NotYet as missing:
            if missing.length > MOST_DIRECTORY:
                raise ArchiveError("", f"its directory is larger than {MOST_DIRECTORY} bytes") from None
            start = max(0, min(missing.start, source.size - _TAIL))
            length = missing.start + missing.length - start
            if length > MOST_DIRECTORY + _TAIL:
                start, length = missing.start, missing.length
            content = await source.read(start, length)
            if len(content) < length:
                raise ArchiveError("", "the file became shorter while it was read") from None
            window.add(start, content)
        except _NO_ZIP as error:
            raise ArchiveError("", f"this is no archive, or it is cut off: {error}") from error
    _check(infos, source.size)
    return ZipReader(source, infos)


def _check(infos: list[zipfile.ZipInfo], size: int) -> None:
    if len(infos) > MOST_ENTRIES:
        raise ArchiveError("", f"it has more than {MOST_ENTRIES} files")
    if len({info.filename for info in infos}) != len(infos):
        raise ArchiveError("", "two of its files have one name")
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise ArchiveError(info.filename, "it shares bytes with another file of the archive")
        end = info.header_offset + _LOCAL.size + info.compress_size
        if end > size:
            raise ArchiveError(info.filename, "the archive ends before it: it is cut off")
        if info.flag_bits & _ENCRYPTED:
            raise ArchiveError(info.filename, "it is encrypted as ZIP does it, which no archive is")


class _NotYet(Exception):
    """Bytes are wanted that have not been read."""

    def __init__(self, start: int, length: int) -> None:
        super().__init__()
        self.start, self.length = start, length


class _Window(io.RawIOBase):
    """The parts of a file that have been read, as a file; it raises `_NotYet` for the others."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size, self._at = size, 0
        self._parts: list[tuple[int, bytes]] = []

    def add(self, start: int, content: bytes) -> None:
        """Take a part of the file."""
        self._parts.append((start, content))

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if at < 0:
            raise OSError("it is too short")
        self._at = at
        return at

    def read(self, length: int = -1) -> bytes:
        end = self._size if length < 0 else min(self._at + length, self._size)
        if end <= self._at:
            return b""
        for start, content in self._parts:
            if start <= self._at and end <= start + len(content):
                found = content[self._at - start : end - start]
                self._at = end
                return found
        raise _NotYet(self._at, end - self._at)
