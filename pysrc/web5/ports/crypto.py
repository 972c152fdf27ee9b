"""Cryptography: WebCrypto in the browser, `cryptography` on CPython.

Keys of a curve cross this border as JWKs (RFC 7517, RFC 8037), other keys as bytes; all lengths are in bytes. What the
standard library does alike everywhere (hashes, HMAC, HKDF) is not here: see `web5.crypto.kdf`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from web5.errors import CryptoError

KeyAlgorithm = Literal["Ed25519", "X25519", "secp256k1", "P-256"]
JoseAlgorithm = Literal["EdDSA", "ES256K", "ES256"]
Jwk = dict[str, Any]


class Signed(NamedTuple):
    """A signature, the signed data, and the key that is said to have made it."""

    public_jwk: Jwk
    data: bytes
    signature: bytes


@dataclass(frozen=True, repr=False)
class RawSigner:
    """A private key that is ready for use; it need not be readable any more.

    Parameters:
        algorithm: the JOSE name that goes into a JWS header.
        sign: takes data, gives a signature in JOSE form (R||S for ECDSA).
    """

    algorithm: JoseAlgorithm
    sign: Callable[[bytes], Awaitable[bytes]]


class Signatures(Protocol):
    """The part of `Crypto` that signs and verifies many signatures."""

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        """Import a private JWK for signing.

        Raises:
            CryptoError: the JWK is malformed or its curve cannot sign.
        """

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        """Return the results of `Crypto.verify` in order; an error that it would raise stands in its place."""


class Crypto(Signatures, Protocol):
    """Keys, signatures and ciphers of a platform.

    All methods raise CryptoError: where a key is malformed or its curve is not one that the method takes, where a
    length is not one that is named here, and where something is decrypted or unwrapped that another key made or that
    was changed; these two cannot be distinguished.
    """

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        """Return True if `signature` over `data` was made by the key."""

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        """Make a private JWK (with `d`, and no `kid` or `alg`)."""

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        """Make the private JWK, with its public members, of 32 bytes: an EC key's scalar, an Ed25519 key's seed."""

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        """Agree on 32 bytes by X25519 (RFC 7748) or by ECDH, where they are the x of the shared point (RFC 7518).

        Raises:
            CryptoError: the keys are of different curves, or the result is zero.
        """

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        """Agree on a whole point of secp256k1, 65 bytes uncompressed, which ECIES of `eciesjs` hashes."""

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        """Encrypt by AES-GCM; the ciphertext has its 16-byte tag at the end.

        Parameters:
            key: 16 or 32 bytes.
            iv: 12 bytes or, as ECIES has it, 16.
        """

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        """Decrypt the result of `encrypt_gcm`."""

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt by AES-CTR.

        Parameters:
            key: 16 or 32 bytes.
            counter: 16 bytes; it counts over all its bits.
        """

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        """Wrap a key by AES-KW (RFC 3394); the result is 8 bytes longer than `key`.

        Parameters:
            wrapping_key: 16 or 32 bytes.
            key: at least 16 bytes, a multiple of 8.
        """

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        """Unwrap the result of `wrap_key`."""

    async def pbkdf2(self, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        """Derive `length` bytes, at least 1, from a password by HMAC-SHA-512 (RFC 8018). Other tasks run meanwhile."""


class Sealer(Protocol):
    """Protection of secrets at rest by a key that belongs to the device."""

    async def seal(self, plaintext: bytes) -> bytes:
        """Encrypt and authenticate (AES-256-GCM, fresh nonce, nonce first)."""

    async def open(self, sealed: bytes) -> bytes:
        """Decrypt the result of `seal` on this device.

        Raises:
            CryptoError: it was made elsewhere or was changed.
        """
