"""Record data between interpreters: in a call if they are small, else in chunks that the one who reads asks for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass

from web5.agent.shared.line import IDLE_SECONDS, MAX_CHUNK
from web5.dwn.data import DataStream
from web5.errors import StorageBusy


@dataclass(frozen=True)
class Data:
    """Record data in a call: all of it in base64, or the name of the stream that brings it."""

    whole: str | None = None
    stream: str | None = None
    size: int | None = None


class Inlet:
    """Data that a caller sends: two chunks are kept, and the next is answered once there is room."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue(2)
        self._broken = asyncio.Event()

    async def put(self, chunk: bytes | None) -> bool:
        putting = asyncio.ensure_future(self._chunks.put(chunk))
        broken = asyncio.ensure_future(self._broken.wait())
        try:
            await asyncio.wait([putting, broken], return_when=asyncio.FIRST_COMPLETED)
            return not self._broken.is_set()
        finally:
            putting.cancel()
            broken.cancel()

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):  # `wait_for` of Python 3.11 may swallow a cancellation
                    chunk = await self._chunks.get()
            except TimeoutError as error:
                raise StorageBusy("The tab that sent these data has stopped.") from error
            if chunk is None:
                return
            yield chunk

    def break_off(self) -> None:
        self._broken.set()


class Outlet:
    """Data that a caller reads."""

    def __init__(self, stream: DataStream, on_idle: Callable[[], None]) -> None:
        self._stream = stream
        self._chunks = aiter(stream)
        self._rest = b""
        self._on_idle = on_idle
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, on_idle)
        self._closing: asyncio.Future[None] | None = None

    async def take(self) -> bytes | None:
        self._timer.cancel()
        if not self._rest:
            self._rest = await anext(self._chunks, b"")
        chunk, self._rest = self._rest[:MAX_CHUNK], self._rest[MAX_CHUNK:]
        self._timer = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._on_idle)
        return chunk or None

    def close(self) -> None:
        self._timer.cancel()
        self._closing = asyncio.ensure_future(self._close())

    async def _close(self) -> None:
        if isinstance(self._chunks, AsyncGenerator):
            await self._chunks.aclose()
        await self._stream.close()
