"""Bytes that come in chunks."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from contextlib import asynccontextmanager


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
