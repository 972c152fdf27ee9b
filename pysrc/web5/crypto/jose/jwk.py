"""JSON Web Keys (RFC 7517, RFC 7638, RFC 8037) of the four curves that DIDs use here."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from web5.crypto.ecdsa import COORDINATE, CURVES, decompress
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CryptoError
from web5.ports.crypto import JoseAlgorithm, Jwk, KeyAlgorithm

_REQUIRED_MEMBERS = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
    "oct": ("k", "kty"),
}
"""The members that make the thumbprint, in its order (RFC 7638, section 3.2)."""

_PRIVATE_MEMBERS = frozenset({"d", "k", "p", "q", "dp", "dq", "qi", "oth"})

SIGNING_ALG: dict[str, JoseAlgorithm] = {"Ed25519": "EdDSA", "secp256k1": "ES256K", "P-256": "ES256"}

DEFAULT_ALG = {**SIGNING_ALG, "X25519": "ECDH-ES+A256KW"}
"""`alg` by curve, as @web5/crypto puts it into a key that it makes; also the DID DHT registry's default."""

KEY_TYPES = {"Ed25519": "OKP", "X25519": "OKP", "secp256k1": "EC", "P-256": "EC"}


class KeyMaterial(NamedTuple):
    """A JWK of a known curve, decoded."""

    curve: KeyAlgorithm
    x: bytes
    y: bytes
    d: bytes

    @property
    def point(self) -> bytes:
        """An EC key's uncompressed point, an OKP key's 32 bytes."""
        return b"\x04" + self.x + self.y if self.y else self.x


class PublicMembers(NamedTuple):
    """The members of a public JWK that make it this key; `y` is "" for an OKP key."""

    kty: str
    crv: str
    x: str
    y: str


def thumbprint(jwk: Jwk) -> str:
    """Return the SHA-256 thumbprint of a key, base64url; that of the private and the public key is the same (RFC 7638).

    Raises:
        CryptoError: an unknown `kty`.
    """
    members = _REQUIRED_MEMBERS.get(jwk.get("kty", "")) if isinstance(jwk.get("kty"), str) else None
    if members is None:
        raise CryptoError(f"a JWK of kty {jwk.get('kty')!r} has no thumbprint here")
    required = {name: jwk[name] for name in members if name in jwk}
    text = json.dumps(required, separators=(",", ":"), ensure_ascii=False)
    try:
        return b64url_encode(hashlib.sha256(text.encode()).digest())
    except UnicodeEncodeError as error:
        raise CryptoError("a JWK with text that is not Unicode") from error


def public_jwk(jwk: Jwk) -> Jwk:
    """Copy a key without its private members."""
    return {name: value for name, value in jwk.items() if name not in _PRIVATE_MEMBERS}


def with_ids(jwk: Jwk) -> Jwk:
    """Copy a key with `kid` (its thumbprint) and `alg` (the curve's default), each added only where it is missing.

    As `@web5/crypto` `LocalKeyManager.generateKey` leaves a key.

    Raises:
        CryptoError: an unknown `kty`.
    """
    completed = dict(jwk)
    if "kid" not in jwk:
        completed["kid"] = thumbprint(jwk)
    curve = jwk.get("crv")
    if "alg" not in jwk and isinstance(curve, str) and curve in DEFAULT_ALG:
        completed["alg"] = DEFAULT_ALG[curve]
    return completed


def key_material(jwk: Jwk) -> KeyMaterial:
    """Decode a key and check its form; whether an EC point lies on its curve is for the crypto port to say.

    Raises:
        CryptoError: not a mapping, an unknown curve, a `kty` that is not the curve's, a missing member or one that
            is not 32 bytes of base64url.
    """
    if not isinstance(jwk, dict):
        raise CryptoError("a JWK is a JSON object")
    curve = jwk.get("crv")
    if not isinstance(curve, str) or curve not in KEY_TYPES:
        raise CryptoError(f"unsupported curve {curve!r}: {', '.join(KEY_TYPES)} would do")
    kty = KEY_TYPES[curve]
    if jwk.get("kty") != kty:
        raise CryptoError(f"a JWK of curve {curve} has kty {kty!r}, not {jwk.get('kty')!r}")
    return KeyMaterial(
        curve,  # type: ignore[arg-type]
        _coordinate(jwk, "x"),
        _coordinate(jwk, "y") if kty == "EC" else b"",
        _coordinate(jwk, "d") if "d" in jwk else b"",
    )


def public_members(jwk: Jwk) -> PublicMembers:
    """Return the members that identify a public key, unchecked, as a value that can be a cache's key.

    Raises:
        CryptoError: a member is missing or is no text.
    """
    try:
        members = PublicMembers(jwk["kty"], jwk["crv"], jwk["x"], jwk.get("y", ""))
    except (KeyError, TypeError, AttributeError) as error:
        raise CryptoError("a public JWK here has kty, crv and x") from error
    if not all(isinstance(member, str) for member in members):
        raise CryptoError("kty, crv, x and y of a JWK are texts")
    return members


def key_bytes(jwk: Jwk) -> bytes:
    """Return the public key as DIDs carry it: 32 bytes for an OKP key, the compressed point for an EC key.

    Raises:
        CryptoError: as `key_material`.
    """
    material = key_material(jwk)
    return bytes([2 + (material.y[-1] & 1)]) + material.x if material.y else material.x


def from_key_bytes(curve: str, key: bytes) -> Jwk:
    """Make the public JWK, without `alg`, with `kid`, of the result of `key_bytes` (or of an uncompressed point).

    Raises:
        CryptoError: an unknown curve, a wrong length, or no point of the curve.
    """
    if curve not in KEY_TYPES:
        raise CryptoError(f"unsupported curve {curve!r}")
    if curve in CURVES:
        jwk = _jwk(curve, *decompress(curve, key))
    elif len(key) == COORDINATE:
        jwk = _jwk(curve, key)
    else:
        raise CryptoError(f"a public key of {curve} has {COORDINATE} bytes, not {len(key)}")
    return {**jwk, "kid": thumbprint(jwk)}


def private_jwk(curve: str, private: bytes, point: bytes) -> Jwk:
    """Make the private JWK, without `alg` and `kid`, of a known curve.

    Parameters:
        private: 32 bytes.
        point: an EC key's uncompressed point, an OKP key's 32 bytes.
    """
    coordinates = (point[1 : 1 + COORDINATE], point[1 + COORDINATE :]) if curve in CURVES else (point,)
    return _jwk(curve, *coordinates, d=private)


def _jwk(curve: str, x: bytes, y: bytes = b"", *, d: bytes = b"") -> Jwk:
    members = {name: b64url_encode(value) for name, value in (("d", d), ("x", x), ("y", y)) if value}
    return {"kty": KEY_TYPES[curve], "crv": curve, **members}


def _coordinate(jwk: Jwk, name: str) -> bytes:
    value = jwk.get(name)
    if not isinstance(value, str):
        raise CryptoError(f"a JWK of curve {jwk['crv']} has a text {name!r}")
    decoded = b64url_decode(value)
    if len(decoded) != COORDINATE:
        raise CryptoError(f"{name!r} of a JWK of curve {jwk['crv']} has {COORDINATE} bytes, not {len(decoded)}")
    return decoded
