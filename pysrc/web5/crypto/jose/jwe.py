"""JSON Web Encryption in the compact serialization (RFC 7516), with A256GCM.

Who decrypts says by which key, and so by which `alg`; the text's own only has to agree. So nobody's password is ever
taken for a key, nor one algorithm's key used with another.

Invariants:
1. Whatever the text, a CryptoError or the plaintext comes out.
2. The protected header is authenticated as it stands in the text, and understood wholly: `crit` and `zip` are refused.
3. An encrypted key that does not open and a content that does not look the same (RFC 7516, section 11.5).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from web5.crypto.checks import GCM_TAG
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.errors import CryptoError
from web5.ports.crypto import Crypto
from web5.strict_json import parse

ENCRYPTION = "A256GCM"
GCM_IV = 12  # bytes, RFC 7518, section 5.3
KEY_BYTES = 32
SALT_BYTES = 32
MIN_SALT_BYTES = 8  # RFC 7518, section 4.8.1.1
MAX_ITERATIONS = 10_000_000
"""Ten times what is sensible today, some seconds; beyond it a stranger's text would only keep this device busy."""

_PARTS = 5


class KeyManagement(Protocol):
    """A secret that both sides have (RFC 7518, section 4), which wraps the content key or is it.

    Attributes:
        alg: the name in the protected header.
    """

    alg: str

    async def new_secret(self, crypto: Crypto) -> tuple[bytes, dict[str, Any]]:
        """Return a secret to encrypt with, and what the header says of it beside `alg`."""

    async def secret(self, crypto: Crypto, header: Mapping[str, Any]) -> bytes:
        """Return the secret that a text was encrypted with.

        Raises:
            CryptoError: the header lacks something.
        """


async def encrypt(
    crypto: Crypto, plaintext: bytes, key: KeyManagement, *, header: Mapping[str, Any] | None = None
) -> str:
    """Encrypt into a compact JWE.

    Parameters:
        header: further members of the protected header, such as `cty`.

    Raises:
        CryptoError: the key, or what the header says of it, cannot be used.
    """
    secret, members = await key.new_secret(crypto)
    whole = {"alg": key.alg, "enc": ENCRYPTION, **(header or {}), **members}
    _check_header(whole, key.alg)
    protected = b64url_encode(json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode())
    if isinstance(key, Direct):
        content_key, encrypted_key = secret, b""
    else:
        content_key = os.urandom(KEY_BYTES)
        encrypted_key = await crypto.wrap_key(secret, content_key)
    iv = os.urandom(GCM_IV)
    encrypted = await crypto.encrypt_gcm(content_key, iv, plaintext, protected.encode())
    parts = (encrypted_key, iv, encrypted[:-GCM_TAG], encrypted[-GCM_TAG:])
    return ".".join([protected, *map(b64url_encode, parts)])


async def decrypt(crypto: Crypto, text: str, key: KeyManagement) -> bytes:
    """Decrypt a compact JWE.

    Raises:
        CryptoError: not a JWE, or not one of this key's algorithm; another key, or something was changed.
    """
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) != _PARTS:
        raise CryptoError("a compact JWE is a text of five parts with dots between them")
    protected = parts[0]
    encrypted_key, iv, ciphertext, tag = map(b64url_decode, parts[1:])
    header = _header(protected)
    _check_header(header, key.alg)
    if len(iv) != GCM_IV or len(tag) != GCM_TAG:
        raise CryptoError(f"a JWE of {ENCRYPTION} has an iv of {GCM_IV} bytes and a tag of {GCM_TAG}")
    secret = await key.secret(crypto, header)
    if not isinstance(key, Direct):
        content_key = await _unwrapped(crypto, secret, encrypted_key)
    elif encrypted_key:
        raise CryptoError("a JWE of 'dir' has no encrypted key")
    else:
        content_key = secret
    return await crypto.decrypt_gcm(content_key, iv, ciphertext + tag, protected.encode())


def _header(protected: str) -> Mapping[str, Any]:
    try:
        header = parse(b64url_decode(protected).decode())
    except ValueError as error:
        raise CryptoError("the protected header of a JWE is JSON") from error
    if not isinstance(header, dict):
        raise CryptoError("the protected header of a JWE is a JSON object")
    return header


def _check_header(header: Mapping[str, Any], alg: str) -> None:
    if header.get("alg") != alg:
        raise CryptoError(f"this JWE is of {header.get('alg')!r}, and a key for {alg!r} was given")
    if header.get("enc") != ENCRYPTION:
        raise CryptoError(f"a JWE with {header.get('enc')!r} is not known here, only {ENCRYPTION}")
    for name in ("crit", "zip"):
        if name in header:
            raise CryptoError(f"a JWE with {name!r} is not understood here")


@dataclass(frozen=True, repr=False)
class Direct:
    """A content key, 32 bytes, that both sides have."""

    key: bytes
    alg = "dir"

    def __post_init__(self) -> None:
        if len(self.key) != KEY_BYTES:
            raise CryptoError(f"a key for this has {KEY_BYTES} bytes, not {len(self.key)}")

    async def new_secret(self, crypto: Crypto) -> tuple[bytes, dict[str, Any]]:
        return self.key, {}

    async def secret(self, crypto: Crypto, header: Mapping[str, Any]) -> bytes:
        return self.key


@dataclass(frozen=True, repr=False)
class Password:
    """A password, from which the secret is derived.

    Parameters:
        iterations, salt: for encrypting; a text that is decrypted brings its own. A salt of 32 random bytes by default.
    """

    password: bytes
    iterations: int = 210_000
    salt: bytes | None = None
    alg = "PBES2-HS512+A256KW"

    async def new_secret(self, crypto: Crypto) -> tuple[bytes, dict[str, Any]]:
        salt = os.urandom(SALT_BYTES) if self.salt is None else self.salt
        header = {"p2c": self.iterations, "p2s": b64url_encode(salt)}
        return await self.secret(crypto, header), header

    async def secret(self, crypto: Crypto, header: Mapping[str, Any]) -> bytes:
        iterations, salt = header.get("p2c"), b64url_decode(header.get("p2s", ""))
        if type(iterations) is not int or not 1 <= iterations <= MAX_ITERATIONS:
            raise CryptoError(f"p2c of a JWE is a number of iterations from 1 to {MAX_ITERATIONS:,}")
        if len(salt) < MIN_SALT_BYTES:
            raise CryptoError(f"p2s of a JWE is a salt of at least {MIN_SALT_BYTES} bytes")
        whole = self.alg.encode() + b"\0" + salt
        return await crypto.pbkdf2(self.password, whole, iterations, KEY_BYTES)


async def _unwrapped(crypto: Crypto, secret: bytes, encrypted_key: bytes) -> bytes:
    """Return the content key, or a random one where the encrypted key does not open (invariant 3)."""
    try:
        content_key = await crypto.unwrap_key(secret, encrypted_key)
    except CryptoError:
        content_key = b""
    return content_key if len(content_key) == KEY_BYTES else os.urandom(KEY_BYTES)
