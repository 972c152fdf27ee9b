"""What every Blobs store promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a function that opens a store by name; the same name is the same store opened again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from tests.contracts.memory import MIB, at_most
from web5.errors import BlobMissing, StorageError
from web5.ports.blobs import Blobs

Open = Callable[[str], Awaitable[Blobs]]
Case = Callable[[Open], Awaitable[None]]


async def _pieces(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def _read(blobs: Blobs, key: str) -> bytes:
    return b"".join([chunk async for chunk in blobs.get(key)])


async def _is_missing(blobs: Blobs, key: str) -> bool:
    try:
        await _read(blobs, key)
    except BlobMissing:
        return True
    return False


async def case_a_blob_comes_back(open_store: Open) -> None:
    blobs = await open_store("a")
    assert await blobs.put("key", _pieces(b"one ", b"", b"two ", b"three")) == 13
    assert await _read(blobs, "key") == b"one two three"
    assert await blobs.keys() == {"key"}
    await blobs.close()


async def case_a_blob_of_many_chunks_comes_back(open_store: Open) -> None:
    blobs = await open_store("a")
    pattern = bytes(range(256)) * 257
    pieces = [pattern[: 1 + (number * 7919) % len(pattern)] for number in range(120)]
    whole = b"".join(pieces)
    assert len(whole) > 3_000_000
    assert await blobs.put("key", _pieces(*pieces)) == len(whole)
    assert await _read(blobs, "key") == whole
    await blobs.close()


async def case_a_blob_is_read_in_pieces(open_store: Open) -> None:
    blobs = await open_store("a")
    await blobs.put("key", _pieces(*[bytes(1 << 20)] * 4))
    sizes = [len(chunk) async for chunk in blobs.get("key")]
    assert sum(sizes) == 4 << 20
    assert max(sizes) <= 1 << 20
    await blobs.close()


async def case_a_blob_is_read_from_any_byte(open_store: Open) -> None:
    blobs = await open_store("a")
    whole = bytes(range(251)) * ((2 * MIB + 100) // 251)
    await blobs.put("key", _pieces(whole))
    for start in (0, 1, MIB - 1, MIB, MIB + 1, 2 * MIB, len(whole) - 1, len(whole), len(whole) + 1, 3 * MIB):
        assert b"".join([chunk async for chunk in blobs.get("key", start)]) == whole[start:]
    await blobs.close()


async def case_a_large_blob_takes_little_memory(open_store: Open) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(64):
            yield bytes([number]) * MIB

    blobs = await open_store("a")
    with at_most(16 * MIB):
        assert await blobs.put("key", pieces()) == 64 * MIB
        position = 0
        async for chunk in blobs.get("key"):
            assert chunk[0] == position // MIB
            position += len(chunk)
        assert position == 64 * MIB
    await blobs.close()


async def case_an_empty_blob_is_a_blob(open_store: Open) -> None:
    blobs = await open_store("a")
    assert await blobs.put("key", _pieces()) == 0
    assert await blobs.keys() == {"key"}
    assert await _read(blobs, "key") == b""
    await blobs.close()


async def case_a_blob_is_there_when_opened_again(open_store: Open) -> None:
    blobs = await open_store("a")
    await blobs.put("key", _pieces(b"kept"))
    await blobs.close()
    again = await open_store("a")
    assert await again.keys() == {"key"}
    assert await _read(again, "key") == b"kept"
    await again.close()


async def case_keys_of_any_characters_are_told_apart(open_store: Open) -> None:
    blobs = await open_store("a")
    keys = {"did:dht:a/b", "did:dht:a", "..", "ü ?#%", "a", "A b"}
    for key in keys:
        await blobs.put(key, _pieces(key.encode()))
    assert await blobs.keys() == keys
    for key in keys:
        assert await _read(blobs, key) == key.encode()
    await blobs.close()


async def case_what_is_not_there_is_missing(open_store: Open) -> None:
    blobs = await open_store("a")
    assert await blobs.keys() == set()
    assert await _is_missing(blobs, "nothing")
    await blobs.close()


async def case_deleted_blobs_are_gone_and_others_stay(open_store: Open) -> None:
    blobs = await open_store("a")
    for key in ("one", "two", "three"):
        await blobs.put(key, _pieces(key.encode()))
    await blobs.delete(["one", "three", "never there"])
    await blobs.delete([])
    assert await blobs.keys() == {"two"}
    assert await _is_missing(blobs, "one")
    assert await _read(blobs, "two") == b"two"
    await blobs.close()


async def case_a_put_that_fails_leaves_nothing(open_store: Open) -> None:
    class Broken(Exception):
        pass

    async def breaking() -> AsyncIterator[bytes]:
        yield bytes(1 << 20)
        yield bytes(1 << 20)
        raise Broken

    blobs = await open_store("a")
    try:
        await blobs.put("key", breaking())
    except Broken:
        pass
    else:
        raise AssertionError("the source's error was not raised")
    assert await blobs.keys() == set()
    assert await _is_missing(blobs, "key")
    assert await blobs.put("key", _pieces(b"second try")) == 10
    assert await _read(blobs, "key") == b"second try"
    await blobs.close()


async def case_a_put_under_way_cannot_be_seen_and_can_be_cancelled(open_store: Open) -> None:
    started, never = asyncio.Event(), asyncio.Event()

    async def stalling() -> AsyncIterator[bytes]:
        yield bytes(2 << 20)
        started.set()
        await never.wait()

    blobs = await open_store("a")
    putting = asyncio.ensure_future(blobs.put("key", stalling()))
    await started.wait()
    assert await blobs.keys() == set()
    assert await _is_missing(blobs, "key")
    putting.cancel()
    await asyncio.wait([putting])
    assert putting.cancelled()
    assert await blobs.keys() == set()
    await blobs.close()


async def case_several_puts_and_reads_at_once(open_store: Open) -> None:
    blobs = await open_store("a")
    contents = {f"key{number}": bytes([number]) * (700_000 + number) for number in range(6)}
    sizes = await asyncio.gather(
        *(blobs.put(key, _pieces(content[:99], content[99:])) for key, content in contents.items())
    )
    assert sizes == [len(content) for content in contents.values()]
    assert await asyncio.gather(*(_read(blobs, key) for key in contents)) == list(contents.values())
    await blobs.close()


async def case_a_closed_store_says_so(open_store: Open) -> None:
    blobs = await open_store("a")
    await blobs.put("key", _pieces(b"x"))
    await blobs.close()
    await blobs.close()
    try:
        await blobs.put("other", _pieces(b"x"))
    except StorageError:
        pass
    else:
        raise AssertionError("a closed store took a blob")


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
