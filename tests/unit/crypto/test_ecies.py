"""ECIES: what the reference encrypted opens, and nothing else does."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.crypto.ecies import Cryptogram, decrypt, encrypt
from web5.crypto.jose.jwk import public_jwk
from web5.errors import CryptoError

CRYPTO = CPythonCrypto()
VECTORS = json.loads((Path(__file__).parents[1] / "dwn" / "encryption" / "vectors.json").read_text())
"""What dwn-sdk-js 0.5.2 made, by tests/interop/reference/encryption.mjs."""


def _cryptogram(vector: Any) -> Cryptogram:
    nonce, tag, ciphertext = (base64.b64decode(vector[name]) for name in ("nonce", "tag", "ciphertext"))
    return Cryptogram(vector["ephemeralPublicJwk"], nonce, tag, ciphertext)


async def test_what_the_reference_encrypted_opens() -> None:
    vector = VECTORS["ecies"]
    assert await decrypt(CRYPTO, VECTORS["root"], _cryptogram(vector)) == base64.b64decode(vector["plaintext"])


async def test_no_two_cryptograms_share_a_key_or_a_nonce() -> None:
    recipient = public_jwk(VECTORS["root"])
    first, second = [await encrypt(CRYPTO, recipient, b"the same") for _ in range(2)]
    assert first.ephemeral_public_jwk != second.ephemeral_public_jwk
    assert first.nonce != second.nonce and first.ciphertext != second.ciphertext
    assert "d" not in first.ephemeral_public_jwk
    assert await decrypt(CRYPTO, VECTORS["root"], first) == b"the same"


@pytest.mark.parametrize("part", ["nonce", "tag", "ciphertext"])
async def test_a_changed_part_opens_nothing(part: str) -> None:
    sound = _cryptogram(VECTORS["ecies"])
    value: bytes = getattr(sound, part)
    for other in (bytes([value[0] ^ 1]) + value[1:], value[:-1], value + b"\0", b""):
        changed: Any = {part: other}
        with pytest.raises(CryptoError):
            await decrypt(CRYPTO, VECTORS["root"], replace(sound, **changed))


async def test_another_key_opens_nothing() -> None:
    sound = _cryptogram(VECTORS["ecies"])
    for other in (
        await CPythonCrypto().generate_key("secp256k1"),
        await CPythonCrypto().generate_key("P-256"),
        await CPythonCrypto().generate_key("X25519"),
        public_jwk(VECTORS["root"]),
        {},
    ):
        with pytest.raises(CryptoError):
            await decrypt(CRYPTO, other, sound)
        with pytest.raises(CryptoError):
            await decrypt(CRYPTO, VECTORS["root"], replace(sound, ephemeral_public_jwk={**other, "x": "AAAA"}))


async def test_only_a_key_of_secp256k1_can_be_encrypted_for() -> None:
    for other in (public_jwk(await CPythonCrypto().generate_key("X25519")), {"kty": "EC", "crv": "secp256k1"}):
        with pytest.raises(CryptoError):
            await encrypt(CRYPTO, other, b"secret")
