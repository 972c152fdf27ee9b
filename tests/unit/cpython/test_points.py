"""Whole shared points, with and without coincurve."""

from __future__ import annotations

import coincurve
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from web5.cpython import points
from web5.crypto.ecdsa import COORDINATE, CURVES

ORDER = CURVES["secp256k1"].n
SCALARS = st.integers(1, ORDER - 1)


def _point(scalar: int) -> bytes:
    return coincurve.PrivateKey.from_int(scalar).public_key.format(compressed=False)


@given(scalar=SCALARS, other=SCALARS)
@example(scalar=1, other=7)
@example(scalar=2, other=7)
@example(scalar=ORDER - 1, other=7)
@example(scalar=ORDER - 2, other=7)
@example(scalar=7, other=1)
@example(scalar=ORDER - 1, other=ORDER - 1)
def test_openssl_alone_comes_to_the_same(scalar: int, other: int) -> None:
    private, point = scalar.to_bytes(COORDINATE, "big"), _point(other)
    assert points.by_openssl(private, point) == points.shared_point(private, point) == _point(scalar * other % ORDER)


@pytest.mark.parametrize("without", [False, True])
def test_what_is_no_scalar_or_no_point_is_refused(monkeypatch: pytest.MonkeyPatch, without: bool) -> None:
    if without:
        monkeypatch.setattr(points, "coincurve", None)
    good, point = bytes(31) + b"\7", _point(7)
    assert points.shared_point(good, point) == _point(49)
    for private, other in ((bytes(32), point), (b"\xff" * 32, point), (good, b"\4" + bytes(64)), (good, b"")):
        with pytest.raises(ValueError):
            points.shared_point(private, other)
