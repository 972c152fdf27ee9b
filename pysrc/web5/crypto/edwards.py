"""Ed25519 keys as points, and as the X25519 keys that belong to them (RFC 7748, section 4.1; RFC 8032, section 5.1).

Public keys only are computed with here; of a private one, nothing but its hash is taken.
"""

from __future__ import annotations

import hashlib

from web5.errors import CryptoError

KEY_BYTES = 32
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_SIGN = 1 << 255
_ROOT_OF_MINUS_ONE = pow(2, (_P - 1) // 4, _P)


def is_point(key: bytes) -> bool:
    """Return True if the bytes are a point of edwards25519, in its one encoding, other than the neutral one.

    As `@web5/crypto` `Ed25519.validatePublicKey`.
    """
    y = _y(key)
    if len(key) != KEY_BYTES or y >= _P or y == 1:
        return False
    x_square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    root = pow(x_square, (_P + 3) // 8, _P)
    if root * root % _P != x_square:
        root = root * _ROOT_OF_MINUS_ONE % _P
    sign_without_x = x_square == 0 and int.from_bytes(key, "little") & _SIGN
    return root * root % _P == x_square and not sign_without_x


def x25519_public(key: bytes) -> bytes:
    """Convert an Ed25519 public key to X25519: the same point on the other form of the curve.

    Raises:
        CryptoError: no Ed25519 public key.
    """
    if not is_point(key):
        raise CryptoError("not a point of edwards25519")
    y = _y(key)
    return ((1 + y) * pow(1 - y, -1, _P) % _P).to_bytes(KEY_BYTES, "little")


def x25519_private(seed: bytes) -> bytes:
    """Convert an Ed25519 private key (`d` of its JWK) to X25519, clamped as in RFC 7748, section 5."""
    scalar = bytearray(hashlib.sha512(seed).digest()[:KEY_BYTES])
    scalar[0] &= 0b1111_1000
    scalar[-1] = scalar[-1] & 0b0111_1111 | 0b0100_0000
    return bytes(scalar)


def _y(key: bytes) -> int:
    return int.from_bytes(key, "little") & ~_SIGN
