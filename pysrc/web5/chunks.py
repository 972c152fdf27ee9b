"""Bytes that come in chunks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager

from web5.errors import TimedOut

SLOWEST = 16 * 1024
"""Bytes per second that come at the least, on the whole, from whoever is to be waited for."""


@asynccontextmanager
async def reading(chunks: AsyncIterable[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    """Iterate once, and close the iteration when the block ends.

    What is not read to its end would keep its file or connection until the garbage collector finds it.
    """
    iterator = aiter(chunks)
    try:
        yield iterator
    finally:
        if isinstance(iterator, AsyncGenerator):
            await iterator.aclose()


async def in_time(chunks: AsyncIterable[bytes], seconds: float) -> AsyncIterator[bytes]:
    """Pass chunks on; give up one who sends a byte now and then, and never ends.

    Parameters:
        seconds: the time that is waited in any case, beside that for `SLOWEST` bytes a second.

    Raises:
        TimedOut: they come more slowly. The time between, in which nobody asks for the next, does not count.
    """
    clock, waited, received = asyncio.get_running_loop().time, 0.0, 0
    async with reading(chunks) as incoming:
        began = clock()
        async for chunk in incoming:
            waited += clock() - began
            received += len(chunk)
            if waited > seconds + received / SLOWEST:
                raise TimedOut(f"only {received} bytes came in {waited:.0f} s")
            yield chunk
            began = clock()
