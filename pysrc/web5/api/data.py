"""What an app hands in as record data, and how it gets a record's data out.

The media types follow `dataToBlob` in `@web5/api` src/utils.ts.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from web5.errors import InvalidArgument

CHUNK = 65_536


def to_bytes(data: Any, data_format: str | None) -> tuple[bytes, str]:
    """Turn what an app gave into bytes and their media type.

    Parameters:
        data: str, bytes-like, or anything JSON can hold.
        data_format: the media type; by default the one that fits `data`.

    Raises:
        InvalidArgument: JSON cannot hold `data`.
    """
    if isinstance(data, str):
        return data.encode(), data_format or "text/plain"
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data), data_format or "application/octet-stream"
    try:
        encoded = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"Record data must be str, bytes or JSON: {error}.") from error
    return encoded, data_format or "application/json"


class RecordData:
    """A record's data, fetched when it is asked for and not before.

    Parameters:
        stream: opens the data anew at each call.
    """

    def __init__(self, stream: Callable[[], Awaitable[AsyncIterator[bytes]]]) -> None:
        self._stream = stream

    async def stream(self) -> AsyncIterator[bytes]:
        """The bytes in chunks, as they come from the store or the remote."""
        return await self._stream()

    async def bytes(self) -> bytes:
        """All of it."""
        return b"".join([chunk async for chunk in await self._stream()])

    async def text(self) -> str:
        """All of it, as UTF-8 text. Raises UnicodeDecodeError if it is none."""
        return (await self.bytes()).decode()

    async def json(self) -> Any:
        """All of it, parsed. Raises json.JSONDecodeError if it is no JSON."""
        return json.loads(await self.bytes())


async def chunked(data: bytes) -> AsyncIterator[bytes]:
    """Bytes that are at hand, as a stream."""
    for start in range(0, len(data), CHUNK):
        yield data[start : start + CHUNK]
