"""ECDSA signatures in DER (RFC 3279, section 2.2.3), as key services give them, in the form that JOSE has."""

from __future__ import annotations

from web5.crypto.curves import COORDINATE
from web5.errors import CryptoError

_SEQUENCE, _INTEGER = 0x30, 0x02
_LONGEST = 127
"""Bytes. The lengths in a signature of a 256-bit curve fit into one byte each."""


def signature_from_der(der: bytes) -> bytes:
    """R and S, one after the other.

    Raises:
        CryptoError: this is not the one DER encoding of two numbers of at most 256 bits, above 0.
    """
    if len(der) < 2 or der[0] != _SEQUENCE or der[1] > _LONGEST or der[1] != len(der) - 2:
        raise CryptoError("the signature is not in DER")
    r, rest = _number(der[2:])
    s, rest = _number(rest)
    if rest:
        raise CryptoError("the signature in DER goes on behind its end")
    return r + s


def _number(der: bytes) -> tuple[bytes, bytes]:
    if len(der) < 3 or der[0] != _INTEGER or not 0 < der[1] <= len(der) - 2:
        raise CryptoError("a number of the signature is not in DER")
    digits, rest = der[2 : 2 + der[1]], der[2 + der[1] :]
    negative, padded = digits[0] & 0x80, digits[0] == 0 and (len(digits) == 1 or not digits[1] & 0x80)
    value = int.from_bytes(digits, "big")
    if negative or padded or value.bit_length() > 8 * COORDINATE:
        raise CryptoError("a number of the signature is negative, padded or too large")
    return value.to_bytes(COORDINATE, "big"), rest
