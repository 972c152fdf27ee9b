"""ECIES over secp256k1, as dwn-sdk-js has it (src/utils/encryption.ts) of `eciesjs` 0.4 (dist/utils/symmetric.js).

The AES key is HKDF-SHA256 of the ephemeral public key and the shared point, both uncompressed, with neither salt nor
info. AES-256-GCM has a nonce of 16 bytes there, not the usual 12.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from web5.crypto.hkdf import hkdf
from web5.crypto.jwk import key_material, public_jwk
from web5.errors import CryptoError
from web5.ports.ciphers import Ciphers
from web5.ports.crypto import Jwk, KeyAlgorithm

CURVE: KeyAlgorithm = "secp256k1"
NONCE = 16  # bytes, eciesjs `ECIES_CONFIG.symmetricNonceLength`
TAG = 16  # bytes


@dataclass(frozen=True, slots=True)
class Cryptogram:
    """What was encrypted, in the parts that a RecordsWrite names one by one."""

    ephemeral_public_jwk: Jwk
    nonce: bytes
    tag: bytes
    ciphertext: bytes


async def encrypt(ciphers: Ciphers, recipient: Jwk, plaintext: bytes) -> Cryptogram:
    """Encrypt for whoever has the private key of `recipient`, a public JWK of secp256k1.

    Raises:
        CryptoError: the JWK is malformed or of another curve.
    """
    ephemeral = await ciphers.private_key(CURVE, os.urandom(32))
    nonce = os.urandom(NONCE)
    key = await _key(ciphers, ephemeral, ephemeral, recipient)
    sealed = await ciphers.encrypt_gcm(key, nonce, plaintext)
    return Cryptogram(public_jwk(ephemeral), nonce, sealed[-TAG:], sealed[:-TAG])


async def decrypt(ciphers: Ciphers, private_jwk: Jwk, cryptogram: Cryptogram) -> bytes:
    """What `encrypt` was given.

    Raises:
        CryptoError: it was encrypted for another key or was changed, or a part of it is malformed.
    """
    if len(cryptogram.nonce) != NONCE or len(cryptogram.tag) != TAG:
        raise CryptoError(f"ECIES has a nonce of {NONCE} bytes and a tag of {TAG} here")
    ephemeral = cryptogram.ephemeral_public_jwk
    key = await _key(ciphers, ephemeral, private_jwk, ephemeral)
    return await ciphers.decrypt_gcm(key, cryptogram.nonce, cryptogram.ciphertext + cryptogram.tag)


async def _key(ciphers: Ciphers, ephemeral: Jwk, private_jwk: Jwk, peer: Jwk) -> bytes:
    shared = await ciphers.shared_point(private_jwk, peer)
    return hkdf("sha256", key_material(ephemeral).point + shared)
