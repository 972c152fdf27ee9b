"""The cipher of record data: the reference's, however the data are cut into chunks."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contracts.memory import MIB, at_most
from tests.unit.dwn.encryption.sealed import CRYPTO, collected
from web5.api.records.data import chunked
from web5.dwn.encryption.content import ContentKey

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())["ctr"]


async def _pieces(data: bytes, cuts: list[int]) -> AsyncIterator[bytes]:
    start = 0
    for end in [*sorted(cuts), len(data)]:
        yield data[start:end]
        start = max(start, end)


@pytest.mark.parametrize("vector", VECTORS, ids=["any counter", "a counter that runs over"])
async def test_the_ciphertext_is_the_references(vector: Any) -> None:
    key, iv, plaintext, expected = (base64.b64decode(vector[name]) for name in ("key", "iv", "plaintext", "ciphertext"))
    content = ContentKey(key, iv)
    assert await collected(content.crypt(CRYPTO, chunked(plaintext))) == expected
    assert await collected(content.crypt(CRYPTO, chunked(expected))) == plaintext


@given(data=st.binary(max_size=200), cuts=st.lists(st.integers(0, 200), max_size=8))
@settings(deadline=None)
async def test_the_chunks_make_no_difference(data: bytes, cuts: list[int]) -> None:
    content = ContentKey(bytes(32), b"\xff" * 16)
    whole = await collected(content.crypt(CRYPTO, chunked(data)))
    assert await collected(content.crypt(CRYPTO, _pieces(data, [cut for cut in cuts if cut <= len(data)]))) == whole
    assert len(whole) == len(data)


async def test_other_data_begin_at_another_counter() -> None:
    first = ContentKey.new()
    assert first.renewed().key == first.key and first.renewed().iv != first.iv
    assert ContentKey.new() != first


async def test_data_larger_than_memory_pass_through() -> None:
    async def film() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield bytes(MIB)

    size = 0
    with at_most(8 * MIB):
        async for chunk in ContentKey.new().crypt(CRYPTO, film()):
            size += len(chunk)
    assert size == 64 * MIB
