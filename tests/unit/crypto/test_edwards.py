"""Ed25519 keys as X25519 keys, and what is no Ed25519 key, as the reference has it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.crypto.edwards import is_point, x25519_private, x25519_public
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CryptoError

VECTORS = json.loads((Path(__file__).parents[1] / "dids" / "vectors.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["x25519"], ids=lambda vector: vector["ed25519"]["x"][:6])
def test_x25519_keys_are_the_references(vector: Any) -> None:
    assert b64url_encode(x25519_public(b64url_decode(vector["ed25519"]["x"]))) == vector["publicKey"]["x"]
    assert b64url_encode(x25519_private(b64url_decode(vector["ed25519"]["d"]))) == vector["privateKey"]["d"]


def test_the_private_key_belongs_to_the_public_one() -> None:
    for vector in VECTORS["x25519"]:
        assert vector["privateKey"]["x"] == vector["publicKey"]["x"]


@pytest.mark.parametrize(("key", "valid"), VECTORS["points"])
def test_points_are_the_references(key: str, valid: bool) -> None:
    assert is_point(bytes.fromhex(key)) is valid


@given(st.binary(max_size=40) | st.binary(min_size=32, max_size=32))
def test_any_bytes_are_a_key_or_a_crypto_error(key: bytes) -> None:
    if is_point(key):
        assert len(x25519_public(key)) == 32
    else:
        with pytest.raises(CryptoError):
            x25519_public(key)
