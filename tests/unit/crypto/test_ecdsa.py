"""ECDSA signatures in DER."""

from __future__ import annotations

import random

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from web5.crypto.ecdsa import signature_from_der
from web5.errors import CryptoError

GOOD = encode_dss_signature(1, 2**255)


def test_what_openssl_encodes() -> None:
    rng = random.Random(1)
    for bits in (1, 7, 8, 127, 128, 255, 256):
        r, s = rng.getrandbits(bits) | 1, rng.getrandbits(256) | 1
        assert signature_from_der(encode_dss_signature(r, s)) == r.to_bytes(32, "big") + s.to_bytes(32, "big")


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30",
        GOOD[:-1],
        GOOD + b"\x00",
        b"\x31" + GOOD[1:],
        encode_dss_signature(1, 2**256),
        bytes.fromhex("3006020181020101"),  # negative
        bytes.fromhex("300702020001020101"),  # padded
        bytes.fromhex("3006030101020101"),  # not a number
        bytes.fromhex("30050200020101"),  # no digits
        bytes.fromhex("3009020101020101020101"),  # three numbers
    ],
)
def test_what_is_no_signature(der: bytes) -> None:
    with pytest.raises(CryptoError):
        signature_from_der(der)
