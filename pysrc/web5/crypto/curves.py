"""Points of the two ECDSA curves, between their compressed form and their coordinates (SEC 1, section 2.3).

DIDs carry compressed points, JWKs carry coordinates, and WebCrypto reads only the latter. All values are public,
so plain integers will do.
"""

from __future__ import annotations

from typing import NamedTuple

from web5.errors import CryptoError

COORDINATE = 32
"""Bytes in a coordinate, a private scalar and one half of a signature, on both curves."""


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


def compress(x: bytes, y: bytes) -> bytes:
    """A point's 33 bytes: the sign of y, then x."""
    return bytes([2 + (y[-1] & 1)]) + x


def decompress(name: str, point: bytes) -> tuple[bytes, bytes]:
    """The coordinates x and y, 32 bytes each, of a compressed or uncompressed point.

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
    """The same R||S signature with the smaller of its two S (BIP 62), the only one that some verifiers take."""
    order = CURVES[name].n
    s = int.from_bytes(signature[COORDINATE:], "big")
    if not order // 2 < s < order:
        return signature
    return signature[:COORDINATE] + (order - s).to_bytes(COORDINATE, "big")
