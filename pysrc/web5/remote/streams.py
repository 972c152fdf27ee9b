"""Data that streams in from an endpoint, and so holds a connection until it was read or given up."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import suppress
from typing import Any

from web5.dwn.data import DataStream
from web5.errors import RemoteError


class Incoming(DataStream):
    """A remote's `DataStream` that can be given up unread."""

    def __init__(self, stream: DataStream) -> None:
        super().__init__(self._open, stream.size, once=stream.once)
        self._stream = stream
        self._opened = False

    def _open(self) -> AsyncIterator[bytes]:
        self._opened = True
        return aiter(self._stream)

    async def release(self) -> None:
        """Give the connection free, if nobody has begun to read."""
        if self._opened:
            return
        chunks = self._open()
        with suppress(RemoteError, StopAsyncIteration):
            await anext(chunks)  # a generator that was never started would not close what it holds
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()


def guard(reply: Any) -> Incoming | None:
    """Replace the data of a reply by a stream that can be given up, and return that; None if there is none."""
    entry = reply.get("entry") if isinstance(reply, dict) else None
    if not isinstance(entry, dict) or not isinstance(entry.get("data"), DataStream):
        return None
    data = entry["data"] = Incoming(entry["data"])
    return data


def counted(stream: DataStream, passed: Callable[[int], None]) -> DataStream:
    """The same data; `passed` is told the size of each chunk as it goes by."""

    async def chunks() -> AsyncIterator[bytes]:
        async for chunk in stream:
            passed(len(chunk))
            yield chunk

    return DataStream(chunks, stream.size, once=stream.once)
