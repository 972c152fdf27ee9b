"""The encodings against what multiformats gave (vectors.json), and what they must refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.crypto.encoding import b58_decode, b58_encode, b64url_decode, b64url_encode, z32_decode, z32_encode
from web5.errors import CryptoError

VECTORS = json.loads((Path(__file__).parent / "vectors.json").read_text())
CODECS = {
    "b64url": (b64url_encode, b64url_decode),
    "z32": (z32_encode, z32_decode),
    "b58": (b58_encode, b58_decode),
}
codecs = pytest.mark.parametrize("name", CODECS)


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [(name, bytes.fromhex(data), text) for name in CODECS for data, text in VECTORS[name]],
)
def test_reads_and_writes_as_the_reference(name: str, data: bytes, text: str) -> None:
    encode, decode = CODECS[name]
    assert encode(data) == text
    assert decode(text) == data


@codecs
@given(data=st.binary(max_size=100))
def test_every_value_survives(name: str, data: bytes) -> None:
    encode, decode = CODECS[name]
    assert decode(encode(data)) == data


@codecs
@given(text=st.text(max_size=40) | st.text("abcdefghijklmnopqrstuvwxyz0123456789", max_size=40))
def test_a_value_has_one_text_and_the_rest_is_a_crypto_error(name: str, text: str) -> None:
    encode, decode = CODECS[name]
    try:
        data = decode(text)
    except CryptoError:
        return
    assert encode(data) == text


@pytest.mark.parametrize(
    ("decode", "text"),
    [
        (b64url_decode, "QQ=="),
        (b64url_decode, "QR"),  # spare bits
        (b64url_decode, "Q"),
        (b64url_decode, "QUJ"),  # spare bits
        (b64url_decode, "a+b/"),
        (b64url_decode, "YWJj\n"),
        (b64url_decode, "YW Jj"),
        (z32_decode, "y"),
        (z32_decode, "yb"),  # spare bits
        (z32_decode, "YY"),
        (z32_decode, "l2"),
        (b58_decode, "0"),
        (b58_decode, "Il"),
    ],
)
def test_refuses(decode: Callable[[str], bytes], text: str) -> None:
    with pytest.raises(CryptoError):
        decode(text)


def test_b64url_refuses_what_is_no_text() -> None:
    with pytest.raises(CryptoError):
        b64url_decode(b"QQ")  # type: ignore[arg-type]
