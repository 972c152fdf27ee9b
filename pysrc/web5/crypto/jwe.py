"""JSON Web Encryption in the compact serialization (RFC 7516), with A256GCM.

Invariants:
1. Whatever the text, a CryptoError or the plaintext comes out.
2. The protected header is authenticated as it stands in the text, and understood wholly: `crit` and `zip` are refused.
3. An encrypted key that does not open and a content that does not look the same (RFC 7516, section 11.5).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from web5.crypto.cipher_inputs import GCM_TAG
from web5.crypto.encoding import b64url_decode, b64url_encode
from web5.crypto.jwe_keys import KeyManagement
from web5.errors import CryptoError
from web5.ports.ciphers import Ciphers
from web5.strict_json import parse

ENCRYPTION = "A256GCM"
GCM_IV = 12
"""Bytes (RFC 7518, section 5.3)."""

_PARTS = 5


async def encrypt(
    ciphers: Ciphers, plaintext: bytes, key: KeyManagement, *, header: Mapping[str, Any] | None = None
) -> str:
    """The compact JWE.

    Parameters:
        header: further members of the protected header, such as `cty`.

    Raises:
        CryptoError: the key, or what the header says of it, cannot be used.
    """
    content_key, encrypted_key, members = await key.new_key(ciphers)
    whole = {"alg": key.alg, "enc": ENCRYPTION, **(header or {}), **members}
    _check_header(whole, key.alg)
    protected = b64url_encode(json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode())
    iv = os.urandom(GCM_IV)
    encrypted = await ciphers.encrypt_gcm(content_key, iv, plaintext, protected.encode())
    parts = (encrypted_key, iv, encrypted[:-GCM_TAG], encrypted[-GCM_TAG:])
    return ".".join([protected, *map(b64url_encode, parts)])


async def decrypt(ciphers: Ciphers, text: str, key: KeyManagement) -> bytes:
    """The plaintext.

    Raises:
        CryptoError: not a JWE, or not one of this key's algorithm; another key, or something was changed.
    """
    protected, encrypted_key, iv, ciphertext, tag = _split(text)
    header = _header(protected)
    _check_header(header, key.alg)
    if len(iv) != GCM_IV or len(tag) != GCM_TAG:
        raise CryptoError(f"a JWE of {ENCRYPTION} has an iv of {GCM_IV} bytes and a tag of {GCM_TAG}")
    content_key = await key.content_key(ciphers, header, encrypted_key)
    return await ciphers.decrypt_gcm(content_key, iv, ciphertext + tag, protected.encode())


def _split(text: str) -> tuple[str, bytes, bytes, bytes, bytes]:
    parts = text.split(".") if isinstance(text, str) else []
    if len(parts) != _PARTS:
        raise CryptoError("a compact JWE is a text of five parts with dots between them")
    encrypted_key, iv, ciphertext, tag = map(b64url_decode, parts[1:])
    return parts[0], encrypted_key, iv, ciphertext, tag


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
