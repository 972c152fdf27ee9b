"""XChaCha20-Poly1305 by the draft's vector and, by its subkey, against `cryptography`'s ChaCha20-Poly1305."""

from __future__ import annotations

import struct

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from hypothesis import given, settings
from hypothesis import strategies as st

from web5.crypto import xchacha
from web5.errors import CryptoError

KEY = bytes(range(0x80, 0xA0))
NONCE = bytes(range(0x40, 0x58))
AAD = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
PLAINTEXT = (
    b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    b"sunscreen would be it."
)
CIPHERTEXT = bytes.fromhex(
    "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216"
    "cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13"
    "b52e"
)
TAG = bytes.fromhex("c0875924c1c7987947deafd8780acf49")


async def test_the_drafts_vector() -> None:
    """Appendix A.3.1 of draft-irtf-cfrg-xchacha-03."""
    assert await xchacha.encrypt(KEY, NONCE, PLAINTEXT, AAD) == CIPHERTEXT + TAG
    assert await xchacha.decrypt(KEY, NONCE, CIPHERTEXT + TAG, AAD) == PLAINTEXT


@settings(deadline=None, max_examples=50)
@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=24, max_size=24),
    st.binary(max_size=300),
    st.binary(max_size=40),
)
async def test_with_its_subkey_it_is_chacha20_poly1305(key: bytes, nonce: bytes, text: bytes, aad: bytes) -> None:
    subkey = struct.pack("<8L", *xchacha._words(key, nonce)[:8])
    expected = ChaCha20Poly1305(subkey).encrypt(bytes(4) + nonce[16:], text, aad)
    assert await xchacha.encrypt(key, nonce, text, aad) == expected


@pytest.mark.parametrize("size", [64 * 256, 64 * 256 + 1, 40_000])
async def test_more_than_a_turn(size: int) -> None:
    text = bytes(number % 251 for number in range(size))
    sealed = await xchacha.encrypt(KEY, NONCE, text)
    assert await xchacha.decrypt(KEY, NONCE, sealed) == text
    assert (
        ChaCha20Poly1305(struct.pack("<8L", *xchacha._words(KEY, NONCE)[:8])).decrypt(
            bytes(4) + NONCE[16:], sealed, None
        )
        == text
    )


async def test_1_whatever_was_changed_is_refused() -> None:
    sealed = CIPHERTEXT + TAG
    for changed in (
        (KEY, NONCE, bytes([sealed[0] ^ 1]) + sealed[1:], AAD),
        (KEY, NONCE, sealed[:-1] + bytes([sealed[-1] ^ 1]), AAD),
        (KEY, NONCE, sealed, AAD + b"1"),
        (KEY, NONCE, sealed[:-1], AAD),
        (KEY, NONCE, b"", AAD),
        (KEY[::-1], NONCE, sealed, AAD),
        (KEY, NONCE[::-1], sealed, AAD),
        (KEY[1:], NONCE, sealed, AAD),
        (KEY, NONCE[1:], sealed, AAD),
    ):
        with pytest.raises(CryptoError):
            await xchacha.decrypt(*changed)
