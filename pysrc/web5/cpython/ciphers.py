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

from web5.crypto.cipher_inputs import (
    NOT_DECRYPTED,
    NOT_UNWRAPPED,
    agreeing_keys,
    check_aes_key,
    check_ctr,
    check_gcm,
    check_pbkdf2,
    check_private,
    check_wrapping,
    nothing_in_common,
    point_keys,
)
from web5.crypto.curves import COORDINATE
from web5.crypto.encoding import b64url_encode
from web5.crypto.jwk import KEY_TYPES
from web5.errors import CryptoError
from web5.ports.ciphers import HashName
from web5.ports.crypto import Jwk, KeyAlgorithm

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
}
_EC_CURVES: dict[str, ec.EllipticCurve] = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}


class NodeCiphers:
    """`web5.ports.ciphers.Ciphers`."""

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        return _gcm(key, iv).encrypt(iv, plaintext, additional_data)

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        try:
            return _gcm(key, iv).decrypt(iv, ciphertext, additional_data)
        except (InvalidTag, ValueError) as error:
            raise CryptoError(NOT_DECRYPTED) from error

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        check_ctr(key, counter)
        stream = Cipher(AES(key), CTR(counter)).encryptor()
        return stream.update(data) + stream.finalize()

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        check_wrapping(wrapping_key, key)
        return keywrap.aes_key_wrap(wrapping_key, key)

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        check_aes_key(wrapping_key)
        try:
            return keywrap.aes_key_unwrap(wrapping_key, wrapped)
        except (keywrap.InvalidUnwrap, ValueError) as error:
            raise CryptoError(NOT_UNWRAPPED) from error

    async def pbkdf2(self, hash_name: HashName, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        check_pbkdf2(iterations, length)
        return await asyncio.to_thread(PBKDF2HMAC(_HASHES[hash_name], length, salt, iterations).derive, password)

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        check_private(algorithm, private)
        kty = KEY_TYPES[algorithm]
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
        private, public = agreeing_keys(private_jwk, public_jwk)
        try:
            if private.curve == "X25519":
                peer = x25519.X25519PublicKey.from_public_bytes(public.x)
                return x25519.X25519PrivateKey.from_private_bytes(private.d).exchange(peer)
            curve = _EC_CURVES[private.curve]
            scalar = ec.derive_private_key(int.from_bytes(private.d, "big"), curve)
            return scalar.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(curve, public.point))
        except ValueError as error:
            raise nothing_in_common(private.curve) from error

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = point_keys(private_jwk, public_jwk)
        try:
            return coincurve.PublicKey(public.point).multiply(private.d).format(compressed=False)
        except ValueError as error:
            raise nothing_in_common(private.curve) from error


def _gcm(key: bytes, iv: bytes) -> AESGCM:
    check_gcm(key, iv)
    return AESGCM(key)
