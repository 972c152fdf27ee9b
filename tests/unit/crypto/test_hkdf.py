"""HKDF: the vectors of RFC 5869, appendix A, and its limits."""

from __future__ import annotations

import pytest

from web5.crypto.hkdf import hkdf
from web5.errors import CryptoError

SIMPLE = bytes.fromhex("0b" * 22)


def test_the_simple_vector_of_the_rfc() -> None:
    derived = hkdf(
        "sha256",
        SIMPLE,
        salt=bytes.fromhex("000102030405060708090a0b0c"),
        info=bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
        length=42,
    )
    assert derived.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_the_vector_of_the_rfc_with_long_inputs() -> None:
    derived = hkdf(
        "sha256",
        bytes(range(0x00, 0x50)),
        salt=bytes(range(0x60, 0xB0)),
        info=bytes(range(0xB0, 0x100)),
        length=82,
    )
    assert derived.hex() == (
        "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
        "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
        "cc30c58179ec3e87c14c01d5c1f3434f1d87"
    )


def test_the_vector_of_the_rfc_without_salt_and_info() -> None:
    derived = hkdf("sha256", SIMPLE, length=42)
    assert derived.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


def test_a_shorter_result_is_the_start_of_a_longer_one() -> None:
    longest = hkdf("sha512", b"secret", info=b"what for", length=255 * 64)
    for length in (1, 63, 64, 65, 1000):
        assert hkdf("sha512", b"secret", info=b"what for", length=length) == longest[:length]


@pytest.mark.parametrize(("hash_name", "length"), [("sha256", 0), ("sha256", 255 * 32 + 1), ("sha512", 255 * 64 + 1)])
def test_a_length_that_hkdf_does_not_give_is_refused(hash_name: str, length: int) -> None:
    with pytest.raises(CryptoError, match="gives 1 to"):
        hkdf(hash_name, b"secret", length=length)
