"""HKDF (RFC 5869)."""

from __future__ import annotations

import hashlib
import hmac

from web5.errors import CryptoError


def hkdf(hash_name: str, key_material: bytes, *, salt: bytes = b"", info: bytes = b"", length: int = 32) -> bytes:
    """Derive `length` bytes.

    Parameters:
        hash_name: as `hashlib` names it: "sha256", "sha512".
        key_material: a secret of high entropy; for a password, see PBKDF2.

    Raises:
        CryptoError: `length` is below 1 or over 255 hashes.
    """
    size = hashlib.new(hash_name).digest_size
    if not 1 <= length <= 255 * size:
        raise CryptoError(f"HKDF of {hash_name} gives 1 to {255 * size} bytes, not {length}")
    extracted = hmac.digest(salt or bytes(size), key_material, hash_name)
    block, output, index = b"", b"", 1
    while len(output) < length:
        block = hmac.digest(extracted, block + info + bytes([index]), hash_name)
        output += block
        index += 1
    return output[:length]
