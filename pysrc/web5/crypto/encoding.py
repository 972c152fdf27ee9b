"""Text forms of bytes: base64url, z-base-32 and base58btc, as strict as the reference.

The reference (multiformats' `rfc4648` and `base-x`) refuses padding, foreign characters, an impossible length and
bits that are left over but not zero; so do these, because two texts for one value would give a message two CIDs.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator

from web5.errors import CryptoError

_B64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_B64URL_ONLY = re.compile(r"[A-Za-z0-9_-]*")
_FROM_B64URL = bytes.maketrans(b"-_", b"+/")
_TO_B64URL = bytes.maketrans(b"+/", b"-_")
_B64URL_SPARE_BITS = {0: 0, 2: 0b1111, 3: 0b11}
"""Bits of the last character that carry nothing, by the text's length modulo 4."""

_Z32 = "ybndrfg8ejkmcpqxot1uwisza345h769"
_B58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def b64url_encode(data: bytes) -> str:
    """Encode as base64url without padding (RFC 7515, section 2)."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_B64URL).rstrip(b"=").decode()


def b64url_decode(text: str) -> bytes:
    """Decode base64url without padding.

    Raises:
        CryptoError: padding, a foreign character, an impossible length, or spare bits that are not zero.
    """
    if not isinstance(text, str) or not _B64URL_ONLY.fullmatch(text):
        raise CryptoError("not base64url: only A-Z, a-z, 0-9, '-' and '_' are allowed, without padding")
    spare = _B64URL_SPARE_BITS.get(len(text) % 4)
    if spare is None:
        raise CryptoError(f"not base64url: no value has a text of {len(text)} characters")
    if spare and _B64URL.index(text[-1]) & spare:
        raise CryptoError("not base64url: the last character has spare bits that are not zero")
    return binascii.a2b_base64(text.encode().translate(_FROM_B64URL) + b"=" * (-len(text) % 4))


def z32_encode(data: bytes) -> str:
    """Encode as z-base-32, as did:dht writes its identity key ("human-oriented base-32 encoding", O'Whielacronx)."""
    length = -(-len(data) * 8 // 5)
    number = int.from_bytes(data, "big") << (length * 5 - len(data) * 8)
    return "".join(_Z32[number >> shift & 31] for shift in range((length - 1) * 5, -1, -5))


def z32_decode(text: str) -> bytes:
    """Decode z-base-32.

    Raises:
        CryptoError: a foreign character, an impossible length, or spare bits that are not zero.
    """
    number = 0
    for digit in _digits(text, _Z32, "z-base-32"):
        number = number << 5 | digit
    size, spare = divmod(len(text) * 5, 8)
    if spare >= 5 or number & (1 << spare) - 1:
        raise CryptoError("not z-base-32: the text does not end at a whole byte")
    return (number >> spare).to_bytes(size, "big")


def b58_encode(data: bytes) -> str:
    """Encode as base58btc, as did:key writes its key."""
    number = int.from_bytes(data, "big")
    characters = []
    while number:
        number, value = divmod(number, 58)
        characters.append(_B58[value])
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + "".join(reversed(characters))


def b58_decode(text: str) -> bytes:
    """Decode base58btc.

    Raises:
        CryptoError: a foreign character.
    """
    number = 0
    for digit in _digits(text, _B58, "base58btc"):
        number = number * 58 + digit
    zeros = len(text) - len(text.lstrip("1"))
    return bytes(zeros) + number.to_bytes(-(-number.bit_length() // 8), "big")


def _digits(text: str, alphabet: str, encoding: str) -> Iterator[int]:
    for character in text:
        digit = alphabet.find(character)
        if digit < 0:
            raise CryptoError(f"not {encoding}: {character!r} is not in its alphabet")
        yield digit
