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
HashName = Literal["SHA-256", "SHA-384", "SHA-512"]
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
    """The part of `Crypto` that signs and verifies."""

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        """Import a private JWK for signing.

        Raises:
            CryptoError: the JWK is malformed or its curve cannot sign.
        """

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        """Return True if `signature` over `data` was made by the key.

        Raises:
            CryptoError: the JWK is malformed or its curve cannot verify. A wrong signature is just False.
        """

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        """Return the results of `verify` in order; an error that it would raise stands in its place."""


class Crypto(Signatures, Protocol):
    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        """Make a private JWK (with `d`, and no `kid` or `alg`)."""

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        """Make the private JWK, with its public members, of 32 bytes: an EC key's scalar, an Ed25519 key's seed.

        Raises:
            CryptoError: no private key of that curve.
        """

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        """Agree on 32 bytes by X25519 (RFC 7748) or by ECDH, where they are the x of the shared point (RFC 7518).

        Raises:
            CryptoError: the keys are malformed, of different curves or of Ed25519, or the result is zero.
        """

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        """Agree on a whole point of secp256k1, 65 bytes uncompressed, which ECIES of `eciesjs` hashes.

        Raises:
            CryptoError: the keys are malformed or of another curve.
        """

    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        """Encrypt by AES-GCM; the ciphertext has its 16-byte tag at the end.

        Raises:
            CryptoError: `key` is not 16 or 32 bytes, or `iv` not 12 or, as ECIES has it, 16.
        """

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        """Decrypt the result of `encrypt_gcm`.

        Raises:
            CryptoError: another key, or something was changed; they cannot be distinguished.
        """

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        """Encrypt or decrypt by AES-CTR, whose 16-byte counter counts over all its bits.

        Raises:
            CryptoError: `key` is not 16 or 32 bytes, or `counter` not 16.
        """

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        """Wrap a key by AES-KW (RFC 3394); the result is 8 bytes longer than `key`.

        Raises:
            CryptoError: `wrapping_key` is not 16 or 32 bytes, or `key` not a multiple of 8 and at least 16.
        """

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        """Unwrap the result of `wrap_key`.

        Raises:
            CryptoError: another wrapping key, or it was changed.
        """

    async def pbkdf2(self, hash_name: HashName, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        """Derive `length` bytes from a password (RFC 8018, section 5.2). Other tasks run meanwhile.

        Raises:
            CryptoError: `iterations` or `length` is below 1.
        """


class Sealer(Protocol):
    """Protection of secrets at rest by a key that belongs to the device."""

    async def seal(self, plaintext: bytes) -> bytes:
        """Encrypt and authenticate (AES-256-GCM, fresh nonce, nonce first)."""

    async def open(self, sealed: bytes) -> bytes:
        """Decrypt the result of `seal` on this device.

        Raises:
            CryptoError: it was made elsewhere or was changed.
        """
