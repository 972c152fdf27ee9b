"""How a JWE's content key is agreed upon (RFC 7518, section 4): one class for each `alg` that is known here.

Who decrypts says which one it is to be; the text's own `alg` only has to agree. So nobody's password is ever taken for
a key, nor one algorithm's key used with another.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CryptoError
from web5.ports.ciphers import Ciphers

KEY_BYTES = 32
SALT_BYTES = 32
MIN_SALT_BYTES = 8  # RFC 7518, section 4.8.1.1
MAX_ITERATIONS = 10_000_000
"""Ten times what is sensible today, some seconds; beyond it a stranger's text would only keep this device busy."""


class NewKey(NamedTuple):
    """A content key, and what the text says of it: the encrypted key, and header members beside `alg`."""

    content_key: bytes
    encrypted_key: bytes
    header: dict[str, Any]


class KeyManagement(Protocol):
    """A way to a content key.

    Attributes:
        alg: the name in the protected header.
    """

    alg: str

    async def new_key(self, ciphers: Ciphers) -> NewKey:
        """A content key to encrypt with."""

    async def content_key(self, ciphers: Ciphers, header: Mapping[str, Any], encrypted_key: bytes) -> bytes:
        """The content key again, or a random one where the encrypted key does not open (RFC 7516, section 11.5).

        Raises:
            CryptoError: the header lacks something.
        """


@dataclass(frozen=True, repr=False)
class _SharedKey:
    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise CryptoError(f"a key for this has {KEY_BYTES} bytes, not {len(self.key)}")


class Direct(_SharedKey):
    """The content key itself, 32 bytes, is what both sides have."""

    alg = "dir"

    async def new_key(self, ciphers: Ciphers) -> NewKey:
        return NewKey(self.key, b"", {})

    async def content_key(self, ciphers: Ciphers, header: Mapping[str, Any], encrypted_key: bytes) -> bytes:
        if encrypted_key:
            raise CryptoError("a JWE of 'dir' has no encrypted key")
        return self.key


class Wrapped(_SharedKey):
    """A key of 32 bytes that both sides have wraps the content key."""

    alg = "A256KW"

    async def new_key(self, ciphers: Ciphers) -> NewKey:
        return await wrapped_key(ciphers, self.key, {})

    async def content_key(self, ciphers: Ciphers, header: Mapping[str, Any], encrypted_key: bytes) -> bytes:
        return await unwrapped_key(ciphers, self.key, encrypted_key)


@dataclass(frozen=True, repr=False)
class Password:
    """A key that is derived from a password wraps the content key.

    Parameters:
        iterations, salt: for encrypting; a text that is decrypted brings its own. A salt of 32 random bytes by default.
    """

    password: bytes
    iterations: int = 210_000
    salt: bytes | None = None
    alg = "PBES2-HS512+A256KW"

    async def new_key(self, ciphers: Ciphers) -> NewKey:
        salt = os.urandom(SALT_BYTES) if self.salt is None else self.salt
        header = {"p2c": self.iterations, "p2s": b64url_encode(salt)}
        return await wrapped_key(ciphers, await self._wrapping_key(ciphers, header), header)

    async def content_key(self, ciphers: Ciphers, header: Mapping[str, Any], encrypted_key: bytes) -> bytes:
        return await unwrapped_key(ciphers, await self._wrapping_key(ciphers, header), encrypted_key)

    async def _wrapping_key(self, ciphers: Ciphers, header: Mapping[str, Any]) -> bytes:
        iterations, salt = header.get("p2c"), b64url_decode(header.get("p2s", ""))
        if type(iterations) is not int or not 1 <= iterations <= MAX_ITERATIONS:
            raise CryptoError(f"p2c of a JWE is a number of iterations from 1 to {MAX_ITERATIONS:,}")
        if len(salt) < MIN_SALT_BYTES:
            raise CryptoError(f"p2s of a JWE is a salt of at least {MIN_SALT_BYTES} bytes")
        whole = self.alg.encode() + b"\0" + salt
        return await ciphers.pbkdf2("SHA-512", self.password, whole, iterations, KEY_BYTES)


async def wrapped_key(ciphers: Ciphers, wrapping_key: bytes, header: dict[str, Any]) -> NewKey:
    """A random content key, wrapped."""
    content_key = os.urandom(KEY_BYTES)
    return NewKey(content_key, await ciphers.wrap_key(wrapping_key, content_key), header)


async def unwrapped_key(ciphers: Ciphers, wrapping_key: bytes, encrypted_key: bytes) -> bytes:
    """The content key, or a random one where the encrypted key does not open."""
    try:
        content_key = await ciphers.unwrap_key(wrapping_key, encrypted_key)
    except CryptoError:
        content_key = b""
    return content_key if len(content_key) == KEY_BYTES else os.urandom(KEY_BYTES)
