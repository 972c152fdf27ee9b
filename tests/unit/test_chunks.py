"""An iteration that is given up is closed at once."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from web5.chunks import reading


class Source:
    def __init__(self) -> None:
        self.open = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.open += 1
        try:
            yield b"one"
            yield b"two"
        finally:
            self.open -= 1


async def test_what_was_read_in_part_is_closed_when_the_block_ends() -> None:
    source = Source()
    async with reading(source) as chunks:
        assert await anext(chunks) == b"one"
        assert source.open == 1
    assert source.open == 0
    async with reading(source) as chunks:
        assert [chunk async for chunk in chunks] == [b"one", b"two"]
    async with reading(source):
        pass
    assert source.open == 0


async def test_what_the_block_raises_comes_out() -> None:
    source = Source()
    with pytest.raises(ZeroDivisionError):
        async with reading(source) as chunks:
            await anext(chunks)
            raise ZeroDivisionError
    assert source.open == 0


async def test_an_iterator_that_cannot_be_closed_is_left_alone() -> None:
    class Plain:
        def __aiter__(self) -> Plain:
            return self

        async def __anext__(self) -> bytes:
            return b"on and on"

    async with reading(Plain()) as chunks:
        assert await anext(chunks) == b"on and on"
