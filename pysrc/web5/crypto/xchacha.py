"""XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha, RFC 8439), which neither WebCrypto nor `cryptography` has.

It is for single texts of a protocol that demands it, under keys that are used once: in Python, its running time is no
secret, and a megabyte takes seconds. For all else there is AES-GCM of the platform (`ports.crypto`).

Invariants:
1. Nothing is decrypted before its tag was found to be right, and whatever else comes in is a CryptoError.
"""

from __future__ import annotations

import asyncio
import hmac
import struct

from web5.errors import CryptoError

KEY_BYTES = 32
NONCE_BYTES = 24
TAG_BYTES = 16

_BLOCK = 64
_MASK = 0xFFFFFFFF
_CONSTANTS = (0x61707865, 0x3320646E, 0x79622D32, 0x6B206574)
_P = (1 << 130) - 5
_CLAMP = 0x0FFFFFFC0FFFFFFC0FFFFFFC0FFFFFFF
_BLOCKS_A_TURN = 256
"""Blocks after which other tasks have their turn."""


async def encrypt(key: bytes, nonce: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
    """Encrypt; the ciphertext has its 16-byte tag at the end.

    Parameters:
        key: 32 bytes.
        nonce: 24 bytes, never twice with one key; random ones will not be.

    Raises:
        CryptoError: a length is another.
    """
    words = _words(key, nonce)
    ciphertext = await _stream(words, plaintext)
    return ciphertext + _tag(words, ciphertext, additional_data)


async def decrypt(key: bytes, nonce: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
    """Decrypt the result of `encrypt`.

    Raises:
        CryptoError: it was made with another key or other additional data, or was changed; or a length is wrong.
    """
    words = _words(key, nonce)
    body, tag = ciphertext[:-TAG_BYTES], ciphertext[-TAG_BYTES:]
    if not hmac.compare_digest(_tag(words, body, additional_data), tag):
        raise CryptoError("this cannot be decrypted: another key made it, or it was changed")
    return await _stream(words, body)


def _words(key: bytes, nonce: bytes) -> tuple[int, ...]:
    """Return the state's words but the counter: those of the subkey, and those of the nonce (section 2.3)."""
    if len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        raise CryptoError(f"XChaCha20 has a key of {KEY_BYTES} bytes and a nonce of {NONCE_BYTES}")
    rounds = _rounds((*_CONSTANTS, *struct.unpack("<8L", key), *struct.unpack("<4L", nonce[:16])))
    return (*rounds[:4], *rounds[12:], 0, *struct.unpack("<2L", nonce[16:]))


def _key_block(words: tuple[int, ...], counter: int) -> bytes:
    before = (*_CONSTANTS, *words[:8], counter, *words[8:])
    after = _rounds(before)
    return struct.pack("<16L", *((one + other) & _MASK for one, other in zip(before, after, strict=True)))


async def _stream(words: tuple[int, ...], text: bytes) -> bytes:
    parts = []
    for number, start in enumerate(range(0, len(text), _BLOCK), 1):
        part = text[start : start + _BLOCK]
        key = _key_block(words, number)[: len(part)]
        parts.append((int.from_bytes(part, "little") ^ int.from_bytes(key, "little")).to_bytes(len(part), "little"))
        if number % _BLOCKS_A_TURN == 0:
            await asyncio.sleep(0)
    return b"".join(parts)


def _tag(words: tuple[int, ...], ciphertext: bytes, additional_data: bytes) -> bytes:
    key = _key_block(words, 0)
    r, s = int.from_bytes(key[:16], "little") & _CLAMP, int.from_bytes(key[16:32], "little")
    lengths = struct.pack("<QQ", len(additional_data), len(ciphertext))
    text = _padded(additional_data) + _padded(ciphertext) + lengths
    total = 0
    for start in range(0, len(text), 16):
        total = (total + (int.from_bytes(text[start : start + 16], "little") | 1 << 128)) * r % _P
    return ((total + s) & ((1 << 128) - 1)).to_bytes(TAG_BYTES, "little")


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % 16)


def _rounds(state: tuple[int, ...]) -> list[int]:
    """Return the state after ChaCha's twenty rounds, not added to what it was before."""
    x = list(state)
    for _ in range(10):
        for a, b, c, d in _QUARTERS:
            xa, xb, xc, xd = x[a], x[b], x[c], x[d]
            xa = (xa + xb) & _MASK
            xd ^= xa
            xd = (xd << 16 | xd >> 16) & _MASK
            xc = (xc + xd) & _MASK
            xb ^= xc
            xb = (xb << 12 | xb >> 20) & _MASK
            xa = (xa + xb) & _MASK
            xd ^= xa
            xd = (xd << 8 | xd >> 24) & _MASK
            xc = (xc + xd) & _MASK
            xb ^= xc
            x[b] = (xb << 7 | xb >> 25) & _MASK
            x[a], x[c], x[d] = xa, xc, xd
    return x


_QUARTERS = (
    (0, 4, 8, 12),
    (1, 5, 9, 13),
    (2, 6, 10, 14),
    (3, 7, 11, 15),
    (0, 5, 10, 15),
    (1, 6, 11, 12),
    (2, 7, 8, 13),
    (3, 4, 9, 14),
)
