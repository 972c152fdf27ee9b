"""The Crypto port on CPython, by `cryptography` (OpenSSL)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, keywrap
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from web5.cpython.points import shared_point
from web5.crypto import checks
from web5.crypto.ecdsa import COORDINATE, low_s
from web5.crypto.jose.jwk import SIGNING_ALG, PublicMembers, private_jwk, public_members
from web5.errors import CryptoError
from web5.ports.crypto import Jwk, KeyAlgorithm, RawSigner, Signed

_EC_CURVES: dict[str, ec.EllipticCurve] = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}
_ECDSA = ec.ECDSA(hashes.SHA256())

_PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey


class CPythonCrypto:
    """`web5.ports.crypto.Crypto`; keys that were used for verifying stay parsed."""

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        checks.check_algorithm(algorithm)
        if algorithm == "Ed25519":
            return _jwk(algorithm, ed25519.Ed25519PrivateKey.generate())
        if algorithm == "X25519":
            return _jwk(algorithm, x25519.X25519PrivateKey.generate())
        return _jwk(algorithm, ec.generate_private_key(_EC_CURVES[algorithm]))

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        checks.check_private(algorithm, private)
        return _jwk(algorithm, _private_key(algorithm, private))

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        material = checks.signing_key(private_jwk)
        key = _private_key(material.curve, material.d)
        if _point(key) != material.point:
            raise CryptoError("the private and the public part of this JWK do not belong together")

        async def sign(data: bytes) -> bytes:
            if isinstance(key, ed25519.Ed25519PrivateKey):
                return key.sign(data)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            r, s = decode_dss_signature(key.sign(data, _ECDSA))
            signature = r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")
            return low_s(material.curve, signature) if material.curve == "secp256k1" else signature

        return RawSigner(SIGNING_ALG[material.curve], sign)

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        key = _public_key(public_members(public_jwk))
        try:
            if isinstance(key, ed25519.Ed25519PublicKey):
                key.verify(signature, data)
            elif len(signature) != 2 * COORDINATE:
                return False
            else:
                r, s = (int.from_bytes(signature[at : at + COORDINATE], "big") for at in (0, COORDINATE))
                key.verify(encode_dss_signature(r, s), data, _ECDSA)
        except InvalidSignature:
            return False
        return True

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        results: list[bool | CryptoError] = []
        for one in signed:
            try:
                results.append(await self.verify(*one))
            except CryptoError as error:
                results.append(error)
        return results

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = checks.agreeing_keys(private_jwk, public_jwk)
        key = _private_key(private.curve, private.d)
        try:
            if isinstance(key, x25519.X25519PrivateKey):
                return key.exchange(x25519.X25519PublicKey.from_public_bytes(public.x))
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            return key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(key.curve, public.point))
        except ValueError as error:
            raise CryptoError(checks.no_agreement(private.curve)) from error

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        private, public = checks.point_keys(private_jwk, public_jwk)
        try:
            return shared_point(private.d, public.point)
        except ValueError as error:
            raise CryptoError(checks.no_agreement(private.curve)) from error

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        checks.check_gcm(key, iv)
        return AESGCM(key).encrypt(iv, plaintext, additional_data)

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        checks.check_gcm(key, iv)
        try:
            return AESGCM(key).decrypt(iv, ciphertext, additional_data)
        except (InvalidTag, ValueError) as error:
            raise CryptoError(checks.NOT_DECRYPTED) from error

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        checks.check_ctr(key, counter)
        stream = Cipher(AES(key), CTR(counter)).encryptor()
        return stream.update(data) + stream.finalize()

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        checks.check_wrapping(wrapping_key, key)
        return keywrap.aes_key_wrap(wrapping_key, key)

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        checks.check_wrapped(wrapping_key, wrapped)
        try:
            return keywrap.aes_key_unwrap(wrapping_key, wrapped)
        except (keywrap.InvalidUnwrap, ValueError) as error:
            raise CryptoError(checks.NOT_UNWRAPPED) from error

    async def pbkdf2(self, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        checks.check_pbkdf2(salt, iterations, length)
        return await asyncio.to_thread(PBKDF2HMAC(hashes.SHA512(), length, salt, iterations).derive, password)


def _private_key(curve: str, private: bytes) -> _PrivateKey:
    if curve == "Ed25519":
        return ed25519.Ed25519PrivateKey.from_private_bytes(private)
    if curve == "X25519":
        return x25519.X25519PrivateKey.from_private_bytes(private)
    try:
        return ec.derive_private_key(int.from_bytes(private, "big"), _EC_CURVES[curve])
    except ValueError as error:
        raise CryptoError(f"these bytes are not a private key of {curve}") from error


def _point(key: _PrivateKey) -> bytes:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return key.public_key().public_bytes_raw()


def _jwk(curve: str, key: _PrivateKey) -> Jwk:
    if isinstance(key, ec.EllipticCurvePrivateKey):
        private = key.private_numbers().private_value.to_bytes(COORDINATE, "big")
    else:
        private = key.private_bytes_raw()
    return private_jwk(curve, private, _point(key))


@lru_cache(maxsize=1024)
def _public_key(members: PublicMembers) -> ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey:
    material = checks.verifying_key(members._asdict())
    if material.curve == "Ed25519":
        return ed25519.Ed25519PublicKey.from_public_bytes(material.x)
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(_EC_CURVES[material.curve], material.point)
    except ValueError as error:
        raise CryptoError(f"this JWK is not a public key of {material.curve}") from error
