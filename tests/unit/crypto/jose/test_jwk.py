"""JWKs: thumbprints as RFC 7638 and the reference have them, ids, and the bytes that DIDs carry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_encode
from web5.crypto.jose.jwk import from_key_bytes, key_bytes, key_material, public_jwk, thumbprint, with_ids
from web5.errors import CryptoError
from web5.ports.crypto import KeyAlgorithm

VECTORS = json.loads((Path(__file__).parents[1] / "vectors.json").read_text())
CURVES: tuple[KeyAlgorithm, ...] = ("Ed25519", "X25519", "secp256k1", "P-256")


@pytest.mark.parametrize("vector", VECTORS["thumbprints"], ids=lambda vector: vector["jwk"]["kty"])
def test_thumbprints_are_the_references(vector: Any) -> None:
    assert thumbprint(vector["jwk"]) == vector["thumbprint"]
    assert thumbprint({**vector["jwk"], "use": "sig", "kid": "another"}) == vector["thumbprint"]


def test_the_thumbprint_of_rfc_7638() -> None:
    rsa = next(vector for vector in VECTORS["thumbprints"] if vector["jwk"]["kty"] == "RSA")
    assert thumbprint(rsa["jwk"]) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


def test_a_public_key_has_the_private_keys_thumbprint_and_nothing_private() -> None:
    for vector in VECTORS["signatures"]:
        public = public_jwk(vector["key"])
        assert thumbprint(public) == thumbprint(vector["key"])
        assert "d" not in public and "d" in vector["key"]


async def test_ids_are_what_web5_crypto_gives_a_key() -> None:
    for curve, alg in (("Ed25519", "EdDSA"), ("secp256k1", "ES256K"), ("P-256", "ES256")):
        jwk = await CPythonCrypto().generate_key(curve)  # type: ignore[arg-type]
        assert with_ids(jwk) == {**jwk, "kid": thumbprint(jwk), "alg": alg}
        assert with_ids({**jwk, "kid": "mine", "alg": "other"}) == {**jwk, "kid": "mine", "alg": "other"}


@pytest.mark.parametrize("curve", CURVES)
async def test_key_bytes_make_the_key_again(curve: KeyAlgorithm) -> None:
    for _ in range(5):
        public = public_jwk(await CPythonCrypto().generate_key(curve))
        assert from_key_bytes(curve, key_bytes(public)) == {**public, "kid": thumbprint(public)}
        assert from_key_bytes(curve, key_material(public).point) == {**public, "kid": thumbprint(public)}


@given(curve=st.sampled_from([*CURVES, "P-384"]), key=st.binary(max_size=70) | st.binary(min_size=33, max_size=33))
def test_bytes_that_are_no_key_are_a_crypto_error(curve: str, key: bytes) -> None:
    try:
        jwk = from_key_bytes(curve, key)
    except CryptoError:
        return
    assert key_material(jwk).curve == curve


@given(
    st.dictionaries(
        st.sampled_from(["kty", "crv", "x", "y", "d", "alg"]),
        st.none()
        | st.integers()
        | st.lists(st.text(max_size=3))
        | st.sampled_from(["OKP", "EC", "Ed25519", "secp256k1", b64url_encode(bytes(32))])
        | st.text(max_size=50),
    )
)
def test_objects_that_are_no_key_are_a_crypto_error(jwk: dict[str, Any]) -> None:
    for read in (key_material, thumbprint, with_ids):
        try:
            read(jwk)
        except CryptoError:
            continue
        assert isinstance(jwk["kty"], str)
