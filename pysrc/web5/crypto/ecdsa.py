"""Points and signatures of the two ECDSA curves, in the forms that others give them.

DIDs carry compressed points (SEC 1, section 2.3), JWKs carry coordinates, and WebCrypto reads only the latter. All
values are public, so plain integers will do.
"""

from __future__ import annotations

from typing import NamedTuple

from web5.errors import CryptoError

COORDINATE = 32
"""Bytes in a coordinate, a private scalar and one half of a signature, on both curves."""

_SEQUENCE, _INTEGER = 0x30, 0x02
_LONGEST_DER = 127
"""Bytes. The lengths in a signature of a 256-bit curve fit into one byte each."""


class Curve(NamedTuple):
    """y² = x³ + ax + b over the field of `p`, a group of order `n`."""

    p: int
    a: int
    b: int
    n: int


CURVES = {
    # SEC 2, section 2.4.1
    "secp256k1": Curve(
        p=2**256 - 2**32 - 977,
        a=0,
        b=7,
        n=0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    ),
    # NIST SP 800-186, section 3.2.1.3
    "P-256": Curve(
        p=2**256 - 2**224 + 2**192 + 2**96 - 1,
        a=-3,
        b=0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
        n=0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    ),
}


def decompress(name: str, point: bytes) -> tuple[bytes, bytes]:
    """Return the coordinates x and y, 32 bytes each, of a compressed or uncompressed point.

    Parameters:
        name: a key of `CURVES`.

    Raises:
        CryptoError: no point of the curve.
    """
    curve = CURVES[name]
    x = int.from_bytes(point[1 : 1 + COORDINATE], "big")
    square = (pow(x, 3, curve.p) + curve.a * x + curve.b) % curve.p
    if len(point) == 1 + 2 * COORDINATE and point[0] == 4:
        y = int.from_bytes(point[1 + COORDINATE :], "big")
    elif len(point) == 1 + COORDINATE and point[0] in (2, 3):
        # Both primes are 3 modulo 4, so this power is a root if there is one.
        y = pow(square, (curve.p + 1) // 4, curve.p)
        if y & 1 != point[0] & 1:
            y = curve.p - y
    else:
        raise CryptoError(f"not a point of {name}: {len(point)} bytes")
    if x >= curve.p or y >= curve.p or y * y % curve.p != square:
        raise CryptoError(f"not a point of {name}")
    return x.to_bytes(COORDINATE, "big"), y.to_bytes(COORDINATE, "big")


def low_s(name: str, signature: bytes) -> bytes:
    """Give an R||S signature the smaller of its two S (BIP 62), the only one that some verifiers take."""
    order = CURVES[name].n
    s = int.from_bytes(signature[COORDINATE:], "big")
    if not order // 2 < s < order:
        return signature
    return signature[:COORDINATE] + (order - s).to_bytes(COORDINATE, "big")


def signature_from_der(der: bytes) -> bytes:
    """Convert a signature in DER (RFC 3279, section 2.2.3), as key services give it, to R||S, as JOSE has it.

    Raises:
        CryptoError: this is not the one DER encoding of two numbers of at most 256 bits, above 0.
    """
    if len(der) < 2 or der[0] != _SEQUENCE or der[1] > _LONGEST_DER or der[1] != len(der) - 2:
        raise CryptoError("the signature is not in DER")
    r, rest = _der_number(der[2:])
    s, rest = _der_number(rest)
    if rest:
        raise CryptoError("the signature in DER goes on behind its end")
    return r + s


def _der_number(der: bytes) -> tuple[bytes, bytes]:
    if len(der) < 3 or der[0] != _INTEGER or not 0 < der[1] <= len(der) - 2:
        raise CryptoError("a number of the signature is not in DER")
    digits, rest = der[2 : 2 + der[1]], der[2 + der[1] :]
    negative, padded = digits[0] & 0x80, digits[0] == 0 and (len(digits) == 1 or not digits[1] & 0x80)
    value = int.from_bytes(digits, "big")
    if negative or padded or value.bit_length() > 8 * COORDINATE:
        raise CryptoError("a number of the signature is negative, padded or too large")
    return value.to_bytes(COORDINATE, "big"), rest
