"""The Crypto and Sealer ports on CPython, by `cryptography` (OpenSSL)."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, x25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from web5.crypto.curves import COORDINATE, low_s
from web5.crypto.encoding import b64url_encode
from web5.crypto.jwk import KEY_TYPES, KeyMaterial, PublicMembers, key_material, public_members
from web5.errors import CryptoError
from web5.ports.crypto import JoseAlgorithm, Jwk, KeyAlgorithm, Signed

_EC_CURVES: dict[str, ec.EllipticCurve] = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}
_JOSE: dict[str, JoseAlgorithm] = {"Ed25519": "EdDSA", "secp256k1": "ES256K", "P-256": "ES256"}
_ECDSA = ec.ECDSA(hashes.SHA256())
_NONCE = 12
_KEY = 32

Verify = Callable[[bytes, bytes], bool]


class _Signer:
    def __init__(self, algorithm: JoseAlgorithm, sign: Callable[[bytes], bytes]) -> None:
        self._algorithm = algorithm
        self._sign = sign

    @property
    def algorithm(self) -> JoseAlgorithm:
        return self._algorithm

    async def sign(self, data: bytes) -> bytes:
        return self._sign(data)


class NodeCrypto:
    """`web5.ports.crypto.Crypto`; keys that were used for verifying stay parsed."""

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        kty = KEY_TYPES.get(algorithm)
        if kty is None:
            raise CryptoError(f"cannot make a key of algorithm {algorithm!r}: {', '.join(KEY_TYPES)} would do")
        jwk: dict[str, Any] = {"kty": kty, "crv": algorithm}
        if kty == "EC":
            numbers = ec.generate_private_key(_EC_CURVES[algorithm]).private_numbers()
            x, y = numbers.public_numbers.x, numbers.public_numbers.y
            members = {"d": _octets(numbers.private_value), "x": _octets(x), "y": _octets(y)}
        else:
            private: ed25519.Ed25519PrivateKey | x25519.X25519PrivateKey
            if algorithm == "Ed25519":
                private = ed25519.Ed25519PrivateKey.generate()
            else:
                private = x25519.X25519PrivateKey.generate()
            members = {"d": private.private_bytes_raw(), "x": private.public_key().public_bytes_raw()}
        return jwk | {name: b64url_encode(value) for name, value in members.items()}

    async def signer(self, private_jwk: Jwk) -> _Signer:
        material = key_material(private_jwk)
        if material.curve not in _JOSE:
            raise CryptoError(f"a key of curve {material.curve} cannot sign")
        if not material.d:
            raise CryptoError("signing needs a private key, and this JWK is public")
        return _Signer(_JOSE[material.curve], _private_operation(material))

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        return _verifier(public_members(public_jwk))(data, signature)

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        return [await self._verdict(*one) for one in signed]

    async def _verdict(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool | CryptoError:
        try:
            return await self.verify(public_jwk, data, signature)
        except CryptoError as error:
            return error


class FileSealer:
    """`web5.ports.sealer.Sealer` with a key in a file that only its owner may read.

    Parameters:
        path: the key file; it is made on first use.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)
        self._cipher: AESGCM | None = None

    async def seal(self, plaintext: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + self._aes().encrypt(nonce, plaintext, None)

    async def open(self, sealed: bytes) -> bytes:
        try:
            return self._aes().decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError) as error:
            raise CryptoError("this was sealed with another device's key, or was changed") from error

    def _aes(self) -> AESGCM:
        if self._cipher is None:
            self._cipher = AESGCM(self._read_or_make_key())
        return self._cipher

    def _read_or_make_key(self) -> bytes:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            self._make_key()
        key = self._path.read_bytes()
        if len(key) != _KEY:
            raise CryptoError(f"{self._path} is not a key file: it has {len(key)} bytes, not {_KEY}")
        return key

    def _make_key(self) -> None:
        # Written aside and linked into place: another process sees a whole key or none, and the first one wins.
        aside = self._path.with_name(f"{self._path.name}.{os.getpid()}.{os.urandom(4).hex()}")
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(os.urandom(_KEY))
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(aside, self._path)
            except FileExistsError:
                return
        finally:
            aside.unlink()


def _private_operation(material: KeyMaterial) -> Callable[[bytes], bytes]:
    if material.curve == "Ed25519":
        ed_private = ed25519.Ed25519PrivateKey.from_private_bytes(material.d)
        if ed_private.public_key().public_bytes_raw() != material.x:
            raise CryptoError("the private and the public part of this JWK do not belong together")
        return ed_private.sign
    scalar = int.from_bytes(material.d, "big")
    try:
        ec_private = ec.EllipticCurvePrivateNumbers(scalar, _point(material)).private_key()
    except ValueError as error:
        raise CryptoError(f"this JWK is not a private key of {material.curve}") from error

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(ec_private.sign(data, _ECDSA))
        signature = _octets(r) + _octets(s)
        return low_s(material.curve, signature) if material.curve == "secp256k1" else signature

    return sign


@lru_cache(maxsize=1024)
def _verifier(members: PublicMembers) -> Verify:
    material = key_material(members._asdict())
    if material.curve not in _JOSE:
        raise CryptoError(f"a key of curve {material.curve} cannot verify")
    if material.curve == "Ed25519":
        ed_public = ed25519.Ed25519PublicKey.from_public_bytes(material.x)
        return lambda data, signature: _holds(ed_public.verify, signature, data)
    try:
        ec_public = _point(material).public_key()
    except ValueError as error:
        raise CryptoError(f"this JWK is not a public key of {material.curve}") from error

    def verify(data: bytes, signature: bytes) -> bool:
        if len(signature) != 2 * COORDINATE:
            return False
        r, s = (int.from_bytes(signature[at : at + COORDINATE], "big") for at in (0, COORDINATE))
        return _holds(ec_public.verify, encode_dss_signature(r, s), data, _ECDSA)

    return verify


def _holds(verify: Callable[..., None], *arguments: object) -> bool:
    try:
        verify(*arguments)
    except InvalidSignature:
        return False
    return True


def _point(material: KeyMaterial) -> ec.EllipticCurvePublicNumbers:
    x, y = int.from_bytes(material.x, "big"), int.from_bytes(material.y, "big")
    return ec.EllipticCurvePublicNumbers(x, y, _EC_CURVES[material.curve])


def _octets(number: int) -> bytes:
    return number.to_bytes(COORDINATE, "big")
