"""Checks of what the Crypto port is given, so that every adapter refuses the same in the same words.

All functions raise CryptoError.
"""

from __future__ import annotations

from web5.crypto.ecdsa import COORDINATE, CURVES
from web5.crypto.jose.jwk import KEY_TYPES, SIGNING_ALG, KeyMaterial, key_material
from web5.errors import CryptoError
from web5.ports.crypto import Jwk

GCM_IVS = (12, 16)  # bytes, NIST SP 800-38D section 8.2; the second for ECIES, see web5.crypto.ecies
GCM_TAG = 16  # bytes
BLOCK = 16  # bytes
WRAPPED_STEP = 8  # bytes, RFC 3394 section 2

NOT_DECRYPTED = "this was encrypted with another key, or was changed since"
NOT_UNWRAPPED = "this was wrapped with another key, or was changed since"


def check_aes_key(key: bytes) -> None:
    if len(key) not in (16, 32):
        raise CryptoError(f"an AES key has 16 or 32 bytes here, not {len(key)}")


def check_gcm(key: bytes, iv: bytes) -> None:
    check_aes_key(key)
    if len(iv) not in GCM_IVS:
        raise CryptoError(f"AES-GCM has an initialization vector of 12 or 16 bytes here, not {len(iv)}")


def check_ctr(key: bytes, counter: bytes) -> None:
    check_aes_key(key)
    if len(counter) != BLOCK:
        raise CryptoError(f"AES-CTR has a counter of {BLOCK} bytes, not {len(counter)}")


def check_wrapping(wrapping_key: bytes, key: bytes) -> None:
    check_aes_key(wrapping_key)
    if len(key) < 2 * WRAPPED_STEP or len(key) % WRAPPED_STEP:
        raise CryptoError(f"a key of {len(key)} bytes cannot be wrapped")


def check_wrapped(wrapping_key: bytes, wrapped: bytes) -> None:
    """Raise CryptoError for what no key can be unwrapped from; of nothing, WebKitGTK's WebCrypto crashes the page."""
    check_aes_key(wrapping_key)
    if len(wrapped) < 3 * WRAPPED_STEP or len(wrapped) % WRAPPED_STEP:
        raise CryptoError(NOT_UNWRAPPED)


def check_pbkdf2(salt: bytes, iterations: int, length: int) -> None:
    if not salt:
        raise CryptoError("PBKDF2 needs a salt")
    if iterations < 1 or length < 1:
        raise CryptoError("PBKDF2 needs at least one iteration and gives at least one byte")


def check_algorithm(algorithm: str) -> None:
    if algorithm not in KEY_TYPES:
        raise CryptoError(f"cannot make a key of algorithm {algorithm!r}: {', '.join(KEY_TYPES)} would do")


def check_private(algorithm: str, private: bytes) -> None:
    if algorithm not in KEY_TYPES or len(private) != COORDINATE:
        raise CryptoError(f"no private key of {algorithm!r}: {len(private)} bytes")


def signing_key(private_jwk: Jwk) -> KeyMaterial:
    """Decode a private key that can sign."""
    material = key_material(private_jwk)
    if material.curve not in SIGNING_ALG:
        raise CryptoError(f"a key of curve {material.curve} cannot sign")
    if not material.d:
        raise CryptoError("signing needs a private key, and this JWK is public")
    return material


def verifying_key(public_jwk: Jwk) -> KeyMaterial:
    """Decode a key that can verify."""
    material = key_material(public_jwk)
    if material.curve not in SIGNING_ALG:
        raise CryptoError(f"a key of curve {material.curve} cannot verify")
    return material


def agreeing_keys(private_jwk: Jwk, public_jwk: Jwk) -> tuple[KeyMaterial, KeyMaterial]:
    """Decode the two keys of a Diffie-Hellman, of one curve that has it."""
    private, public = key_material(private_jwk), key_material(public_jwk)
    if private.curve != public.curve or private.curve == "Ed25519":
        raise CryptoError(f"keys of {private.curve} and {public.curve} have no secret in common")
    if not private.d:
        raise CryptoError("a shared secret needs a private key, and this JWK is public")
    if private.curve in CURVES and not 0 < int.from_bytes(private.d, "big") < CURVES[private.curve].n:
        raise CryptoError(f"this is no private key of {private.curve}")  # WebKitGTK would take any number
    return private, public


def point_keys(private_jwk: Jwk, public_jwk: Jwk) -> tuple[KeyMaterial, KeyMaterial]:
    """Decode the two keys of a Diffie-Hellman of secp256k1."""
    private, public = agreeing_keys(private_jwk, public_jwk)
    if private.curve != "secp256k1":
        raise CryptoError(f"a shared point is of secp256k1, not of {private.curve}")
    return private, public


def no_agreement(curve: str) -> str:
    """Say that keys which are well-formed still give no secret."""
    return f"these are not two keys of {curve} that have a secret in common"
