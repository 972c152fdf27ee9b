"""A ZIP that is written as a stream, by `zipfile`: nothing of it is read again, and no more than a chunk is held."""

from __future__ import annotations

import zipfile
from collections.abc import AsyncIterable

from web5.chunks import reading
from web5.ports.files import ByteSink

EPOCH = (1980, 1, 1, 0, 0, 0)
"""The date of every entry, so that the same content is the same bytes."""

_ZIP64_ABOVE = 1 << 31


class _Buffer:
    """The bytes that `zipfile` has written and the sink has not taken yet; it cannot be sought in."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def flush(self) -> None: ...

    def take(self) -> bytes:
        taken, self._bytes = bytes(self._bytes), bytearray()
        return taken


class ZipWriter:
    """Entries on their way into a sink, one after the other."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._buffer = _Buffer()
        self._zip = zipfile.ZipFile(self._buffer, "w")  # type: ignore[call-overload]

    async def add(self, name: str, content: bytes) -> None:
        """Add a file that is in memory, compressed."""
        info = zipfile.ZipInfo(name, EPOCH)
        info.compress_type = zipfile.ZIP_DEFLATED
        self._zip.writestr(info, content)
        await self._drain()

    async def stream(self, name: str, chunks: AsyncIterable[bytes], size: int) -> None:
        """Add a file as it comes, not compressed; the archive does not name it if that fails.

        Raises:
            Whatever `chunks` raises.
        """
        info = zipfile.ZipInfo(name, EPOCH)
        try:
            with self._zip.open(info, "w", force_zip64=size >= _ZIP64_ABOVE) as entry:
                async with reading(chunks) as incoming:
                    async for chunk in incoming:
                        entry.write(chunk)
                        await self._drain()
        except BaseException:
            if self._zip.NameToInfo.pop(name, None) is not None:
                self._zip.filelist.remove(info)
            raise
        await self._drain()

    async def close(self) -> None:
        """Write the directory. The sink is the caller's to close."""
        self._zip.close()
        await self._drain()

    def give_up(self) -> None:
        """Write nothing more, the directory included."""
        self._zip.filelist.clear()
        self._zip.close()

    async def _drain(self) -> None:
        if data := self._buffer.take():
            await self._sink.write(data)
