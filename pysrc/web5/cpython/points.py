"""Whole shared points of secp256k1, of which OpenSSL gives only one coordinate.

`coincurve` multiplies points, in a seventieth of the time. Where there is no wheel of it, as for Python 3.14,
OpenSSL is asked twice.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec

from web5.crypto.ecdsa import COORDINATE, CURVES

try:
    import coincurve
except ImportError:
    coincurve = None  # type: ignore[assignment]

_CURVE = CURVES["secp256k1"]
_OPENSSL = ec.SECP256K1()


def shared_point(private: bytes, point: bytes) -> bytes:
    """Multiply an uncompressed point by a private scalar; 65 bytes.

    Raises:
        ValueError: these are not a scalar and a point of the curve.
    """
    if coincurve is None:
        return by_openssl(private, point)
    product: bytes = coincurve.PublicKey(point).multiply(private).format(compressed=False)
    return product


def by_openssl(private: bytes, point: bytes) -> bytes:
    """Do so with OpenSSL alone.

    It gives x of the product Q = d·P. Which of the two y belongs to it shows x of (d + 1)·P, which is Q + P.
    """
    p, order = _CURVE.p, _CURVE.n
    peer = ec.EllipticCurvePublicKey.from_encoded_point(_OPENSSL, point)
    numbers = peer.public_numbers()
    scalar = int.from_bytes(private, "big")
    x = _product(scalar, peer)
    if scalar == 1 or scalar == order - 1:
        y = numbers.y if scalar == 1 else p - numbers.y
    else:
        y = pow(x**3 + _CURVE.b, (p + 1) // 4, p)  # p is 3 modulo 4
        slope = (y - numbers.y) * pow(x - numbers.x, -1, p)
        if (slope * slope - x - numbers.x) % p != _product(scalar + 1, peer):
            y = p - y
    return b"\4" + x.to_bytes(COORDINATE, "big") + y.to_bytes(COORDINATE, "big")


def _product(scalar: int, peer: ec.EllipticCurvePublicKey) -> int:
    return int.from_bytes(ec.derive_private_key(scalar, _OPENSSL).exchange(ec.ECDH(), peer), "big")
