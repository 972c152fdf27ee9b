"""ECIES over secp256k1, as dwn-sdk-js has it (src/utils/encryption.ts) of `eciesjs` 0.4 (dist/utils/symmetric.js).

The AES key is HKDF-SHA256 of the ephemeral public key and the shared point, both uncompressed, with neither salt nor
info. AES-256-GCM has a nonce of 16 bytes there, not the usual 12.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from web5.crypto.jose.jwk import key_material, public_jwk
from web5.crypto.kdf import hkdf
from web5.errors import CryptoError
from web5.ports.crypto import Crypto, Jwk, KeyAlgorithm

CURVE: KeyAlgorithm = "secp256k1"
NONCE = 16  # bytes, eciesjs `ECIES_CONFIG.symmetricNonceLength`
TAG = 16  # bytes


@dataclass(frozen=True, slots=True)
class Cryptogram:
    """A ciphertext in the parts that a RecordsWrite names one by one."""

    ephemeral_public_jwk: Jwk
    nonce: bytes
    tag: bytes
    ciphertext: bytes


async def encrypt(crypto: Crypto, recipient: Jwk, plaintext: bytes) -> Cryptogram:
    """Encrypt for whoever has the private key of `recipient`, a public JWK of secp256k1.

    Raises:
        CryptoError: the JWK is malformed or of another curve.
    """
    ephemeral = await crypto.generate_key(CURVE)
    nonce = os.urandom(NONCE)
    key = await _key(crypto, ephemeral, ephemeral, recipient)
    sealed = await crypto.encrypt_gcm(key, nonce, plaintext)
    return Cryptogram(public_jwk(ephemeral), nonce, sealed[-TAG:], sealed[:-TAG])


async def decrypt(crypto: Crypto, private_jwk: Jwk, cryptogram: Cryptogram) -> bytes:
    """Decrypt the result of `encrypt`.

    Raises:
        CryptoError: it was encrypted for another key or was changed, or a part of it is malformed.
    """
    if len(cryptogram.nonce) != NONCE or len(cryptogram.tag) != TAG:
        raise CryptoError(f"ECIES has a nonce of {NONCE} bytes and a tag of {TAG} here")
    ephemeral = cryptogram.ephemeral_public_jwk
    key = await _key(crypto, ephemeral, private_jwk, ephemeral)
    return await crypto.decrypt_gcm(key, cryptogram.nonce, cryptogram.ciphertext + cryptogram.tag)


async def _key(crypto: Crypto, ephemeral: Jwk, private_jwk: Jwk, peer: Jwk) -> bytes:
    shared = await crypto.shared_point(private_jwk, peer)
    return hkdf("sha256", key_material(ephemeral).point + shared)
