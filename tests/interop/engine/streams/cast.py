"""The persons of a stream: keys that a seed gives, and signatures that are the same every time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from web5.crypto.ecdsa import low_s
from web5.crypto.encoding import b64url_decode, b64url_encode

Jwk = dict[str, Any]
Jws = dict[str, Any]
Curve = Literal["Ed25519", "secp256k1", "P-256"]

_EC: dict[str, ec.EllipticCurve] = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}
_ALGORITHMS = {"Ed25519": "EdDSA", "secp256k1": "ES256K", "P-256": "ES256"}
_DETERMINISTIC = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)

CURVES: tuple[Curve, ...] = ("Ed25519", "Ed25519", "Ed25519", "secp256k1", "P-256", "Ed25519")
"""The key of each person; the first two persons have DWNs that most messages are for. The last one has a did:key."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_ED25519_CODEC = b"\xed\x01"


@dataclass(frozen=True)
class Actor:
    """A person with a DID.

    Parameters:
        index: the place in the cast; the reference process knows the person by it.
        key_id: the DID URL of the key.
    """

    index: int
    did: str
    key_id: str
    private_jwk: Jwk = field(repr=False, hash=False, compare=False)
    algorithm: str
    sign: Callable[[bytes], bytes] = field(repr=False, hash=False, compare=False)

    @property
    def wire(self) -> dict[str, Any]:
        return {"keyId": self.key_id, "algorithm": self.algorithm, "privateJwk": self.private_jwk}

    def signature(self, payload: str) -> dict[str, str]:
        """An entry of a JWS over a payload that is base64url already."""
        protected = b64url_encode(compact({"kid": self.key_id, "alg": self.algorithm}))
        return {
            "protected": protected,
            "signature": b64url_encode(self.sign(f"{protected}.{payload}".encode())),
        }


def jws(payload: Any, signers: Sequence[Actor]) -> Jws:
    """A General JWS over a JSON value."""
    encoded = b64url_encode(compact(payload))
    return {"payload": encoded, "signatures": [signer.signature(encoded) for signer in signers]}


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def cast(seed: int) -> list[Actor]:
    return [_actor(seed, index, curve) for index, curve in enumerate(CURVES)]


def _actor(seed: int, index: int, curve: Curve) -> Actor:
    secret = hashlib.sha256(f"web5-py stream {seed}, person {index}".encode()).digest()
    public, sign = _ed25519(secret) if curve == "Ed25519" else _ecdsa(secret, curve)
    if index == len(CURVES) - 1:
        name = _base58(_ED25519_CODEC + b64url_decode(public["x"]))
        did, key_id = f"did:key:{name}", f"did:key:{name}#{name}"
    else:
        did = f"did:jwk:{b64url_encode(compact(public))}"
        key_id = f"{did}#0"
    return Actor(index, did, key_id, public | {"d": b64url_encode(secret)}, _ALGORITHMS[curve], sign)


def _ed25519(secret: bytes) -> tuple[Jwk, Callable[[bytes], bytes]]:
    key = ed25519.Ed25519PrivateKey.from_private_bytes(secret)
    return {"kty": "OKP", "crv": "Ed25519", "x": b64url_encode(key.public_key().public_bytes_raw())}, key.sign


def _ecdsa(secret: bytes, curve: Curve) -> tuple[Jwk, Callable[[bytes], bytes]]:
    key = ec.derive_private_key(int.from_bytes(secret, "big"), _EC[curve])
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": curve, "x": b64url_encode(_octets(numbers.x)), "y": b64url_encode(_octets(numbers.y))}

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, _DETERMINISTIC))
        signature = _octets(r) + _octets(s)
        return low_s(curve, signature) if curve == "secp256k1" else signature

    return jwk, sign


def _base58(data: bytes) -> str:
    """Multibase base58btc; no byte of a key's codec is zero, so none is lost."""
    number, text = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        text = _BASE58[digit] + text
    return f"z{text}"


def _octets(number: int) -> bytes:
    return number.to_bytes(32, "big")
