"""Encryption and key derivation: WebCrypto in the browser, `cryptography` on CPython.

Secret keys cross this border as bytes, keys of a curve as JWKs. HKDF is not here: it is a few calls of `hmac`, see
`web5.crypto.hkdf`. All lengths are in bytes.
"""

from __future__ import annotations

from typing import Literal, Protocol

from web5.ports.crypto import Jwk, KeyAlgorithm

HashName = Literal["SHA-256", "SHA-384", "SHA-512"]


class Ciphers(Protocol):
    async def encrypt_gcm(self, key: bytes, iv: bytes, plaintext: bytes, additional_data: bytes = b"") -> bytes:
        """AES-GCM; the ciphertext with its 16-byte tag at the end.

        Raises:
            CryptoError: `key` is not 16 or 32 bytes, or `iv` not 12 or, as ECIES has it, 16.
        """

    async def decrypt_gcm(self, key: bytes, iv: bytes, ciphertext: bytes, additional_data: bytes = b"") -> bytes:
        """What `encrypt_gcm` was given.

        Raises:
            CryptoError: another key, or something was changed; which of them cannot be told.
        """

    async def ctr(self, key: bytes, counter: bytes, data: bytes) -> bytes:
        """AES-CTR, whose 16-byte counter counts over all its bits; encrypting and decrypting are the same.

        Raises:
            CryptoError: `key` is not 16 or 32 bytes, or `counter` not 16.
        """

    async def wrap_key(self, wrapping_key: bytes, key: bytes) -> bytes:
        """AES key wrap (RFC 3394); 8 bytes longer than `key`.

        Raises:
            CryptoError: `wrapping_key` is not 16 or 32 bytes, or `key` not a multiple of 8 and at least 16.
        """

    async def unwrap_key(self, wrapping_key: bytes, wrapped: bytes) -> bytes:
        """What `wrap_key` was given.

        Raises:
            CryptoError: another wrapping key, or it was changed.
        """

    async def pbkdf2(self, hash_name: HashName, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        """Derive `length` bytes from a password (RFC 8018, section 5.2). Other tasks run meanwhile.

        Raises:
            CryptoError: `iterations` or `length` is below 1.
        """

    async def private_key(self, algorithm: KeyAlgorithm, private: bytes) -> Jwk:
        """The private JWK, with its public members, of 32 bytes: an EC key's scalar, an Ed25519 key's seed.

        Raises:
            CryptoError: no private key of that curve.
        """

    async def shared_secret(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        """Diffie-Hellman of X25519 (RFC 7748) or of an EC curve, 32 bytes: there the x of the shared point (RFC 7518).

        Raises:
            CryptoError: the keys are malformed, of different curves or of Ed25519, or the result is zero.
        """

    async def shared_point(self, private_jwk: Jwk, public_jwk: Jwk) -> bytes:
        """Diffie-Hellman of secp256k1 with the whole point, 65 bytes uncompressed: what ECIES of `eciesjs` hashes.

        Raises:
            CryptoError: the keys are malformed or of another curve.
        """
