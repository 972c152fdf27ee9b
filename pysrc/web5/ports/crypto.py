"""Public-key cryptography: WebCrypto in the browser, `cryptography` on CPython.

Keys cross this border as JWKs (RFC 7517, RFC 8037). Hashing is not here: `hashlib` is the same everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, Protocol

from web5.errors import CryptoError

KeyAlgorithm = Literal["Ed25519", "X25519", "secp256k1", "P-256"]
JoseAlgorithm = Literal["EdDSA", "ES256K", "ES256"]
Jwk = dict[str, Any]


class Signed(NamedTuple):
    """A signature, what it is over, and the key that is said to have made it."""

    public_jwk: Jwk
    data: bytes
    signature: bytes


class RawSigner(Protocol):
    """A private key that is ready for use; it need not be readable any more."""

    @property
    def algorithm(self) -> JoseAlgorithm:
        """The JOSE name that goes into a JWS header."""

    async def sign(self, data: bytes) -> bytes:
        """Sign `data`; the signature is in JOSE form (R||S for ECDSA)."""


class Crypto(Protocol):
    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        """Make a private JWK (with `d`, and no `kid` or `alg`)."""

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        """Import a private JWK for signing.

        Raises:
            CryptoError: the JWK is malformed or its curve cannot sign.
        """

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        """True if `signature` over `data` was made by the key.

        Raises:
            CryptoError: the JWK is malformed or its curve cannot verify. A wrong signature is just False.
        """

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        """What `verify` says of each, in their order: the error that it would raise stands in its place."""
