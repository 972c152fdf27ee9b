"""The Ciphers port on CPython, by `cryptography` (OpenSSL), and `coincurve` for whole points of secp256k1."""

from __future__ import annotations

import asyncio

import coincurve
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from web5.crypto.curves import COORDINATE
from web5.crypto.encoding import b64url_encode
from web5.crypto.jwk import KEY_TYPES, KeyMaterial, key_material
from web5.errors import CryptoError
from web5.ports.ciphers import HashName
from web5.ports.crypto import Jwk, KeyAlgorithm

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
}
_EC_CURVES: dict[str, ec.EllipticCurve] = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}
_BLOCK = 16


class NodeCiphers:
    """`web5.ports.ciphers.Ciphers`."""

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        return _gcm(key, iv).encrypt(iv, plaintext, additional_data)

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        try:
            return _gcm(key, iv).decrypt(iv, ciphertext, additional_data)
        except (InvalidTag, ValueError) as error:
            raise CryptoError("this was encrypted with another key, or was changed since") from error

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        _check_key(key)
        if len(counter) != _BLOCK:
            raise CryptoError(f"AES-CTR has a counter of {_BLOCK} bytes, not {len(counter)}")
        stream = Cipher(AES(key), CTR(counter)).encryptor()
        return stream.update(data) + stream.finalize()

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        _check_key(wrapping_key)
        try:
            return keywrap.aes_key_wrap(wrapping_key, key)
        except ValueError as error:
            raise CryptoError(f"a key of {len(key)} bytes cannot be wrapped") from error

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        _check_key(wrapping_key)
        try:
            return keywrap.aes_key_unwrap(wrapping_key, wrapped)
        except (keywrap.InvalidUnwrap, ValueError) as error:
            raise CryptoError("this was wrapped with another key, or was changed since") from error

    async def pbkdf2(self, hash_name: HashName, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        if iterations < 1 or length < 1:
            raise CryptoError("PBKDF2 needs at least one iteration and gives at least one byte")
        return await asyncio.to_thread(PBKDF2HMAC(_HASHES[hash_name], length, salt, iterations).derive, password)

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        kty = KEY_TYPES.get(algorithm)
        if kty is None or len(private) != COORDINATE:
            raise CryptoError(f"no private key of {algorithm!r}: {len(private)} bytes")
        members = {"d": private}
        if kty == "EC":
            try:
                key = ec.derive_private_key(int.from_bytes(private, "big"), _EC_CURVES[algorithm])
            except ValueError as error:
                raise CryptoError(f"these bytes are not a private key of {algorithm}") from error
            public = key.public_key().public_numbers()
            members |= {"x": public.x.to_bytes(COORDINATE, "big"), "y": public.y.to_bytes(COORDINATE, "big")}
        elif algorithm == "Ed25519":
            members["x"] = ed25519.Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        else:
            members["x"] = x25519.X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
        return {"kty": kty, "crv": algorithm} | {name: b64url_encode(value) for name, value in members.items()}

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = _pair(private_jwk, public_jwk)
        try:
            if private.curve == "X25519":
                peer = x25519.X25519PublicKey.from_public_bytes(public.x)
                return x25519.X25519PrivateKey.from_private_bytes(private.d).exchange(peer)
            curve = _EC_CURVES[private.curve]
            scalar = ec.derive_private_key(int.from_bytes(private.d, "big"), curve)
            return scalar.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, public.point))
        except ValueError as error:
            raise CryptoError(f"these are not two keys of {private.curve} that have a secret in common") from error

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = _pair(private_jwk, public_jwk)
        if private.curve != "secp256k1":
            raise CryptoError(f"a shared point is of secp256k1, not of {private.curve}")
        try:
            return coincurve.PublicKey(public.point).multiply(private.d).format(compressed=False)
        except ValueError as error:
            raise CryptoError("these are not two keys of secp256k1") from error


def _check_key(key: bytes) -> None:
    if len(key) not in (16, 32):
        raise CryptoError(f"an AES key has 16 or 32 bytes here, not {len(key)}")


def _gcm(key: bytes, iv: bytes) -> AESGCM:
    _check_key(key)
    if len(iv) not in (12, 16):
        raise CryptoError(f"AES-GCM has an initialization vector of 12 or 16 bytes here, not {len(iv)}")
    return AESGCM(key)


def _pair(private_jwk: Jwk, public_jwk: Jwk) -> tuple[KeyMaterial, KeyMaterial]:
    private, public = key_material(private_jwk), key_material(public_jwk)
    if private.curve != public.curve or private.curve == "Ed25519":
        raise CryptoError(f"keys of {private.curve} and {public.curve} have no secret in common")
    if not private.d:
        raise CryptoError("a shared secret needs a private key, and this JWK is public")
    return private, public
