"""Keys from secrets: HKDF (RFC 5869), and the hierarchical deterministic keys of Ed25519 (SLIP-0010)."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import NamedTuple

from web5.errors import CryptoError, InvalidArgument

_MASTER = b"ed25519 seed"
_HARDENED = 1 << 31
_PATH = re.compile(r"m(/[0-9]{1,10}')*")
SEED_BYTES = range(16, 65)


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


class HdKey(NamedTuple):
    """A private key, the 32-byte seed of RFC 8032, and the chain code that its children are derived with."""

    private: bytes
    chain_code: bytes

    def __repr__(self) -> str:
        return "<HdKey>"


def slip10(seed: bytes, path: str) -> HdKey:
    """Derive the key at a path below the seed.

    Parameters:
        seed: 16 to 64 bytes; that of a recovery phrase has 64.
        path: such as "m/44'/0'". Every step is hardened: Ed25519 has no others.

    Raises:
        InvalidArgument: no such path, or a seed of another length.
    """
    if len(seed) not in SEED_BYTES:
        raise InvalidArgument(f"A seed has {SEED_BYTES.start} to {SEED_BYTES.stop - 1} bytes, not {len(seed)}")
    digest = hmac.digest(_MASTER, seed, "sha512")
    for index in _indexes(path):
        digest = hmac.digest(digest[32:], b"\0" + digest[:32] + index.to_bytes(4, "big"), "sha512")
    return HdKey(digest[:32], digest[32:])


def _indexes(path: str) -> list[int]:
    if not _PATH.fullmatch(path):
        raise InvalidArgument(f"{path!r} is not a path of hardened steps such as \"m/44'/0'\"")
    steps = [int(step[:-1]) for step in path.split("/")[1:]]
    if any(step >= _HARDENED for step in steps):
        raise InvalidArgument(f"A step of {path!r} is not below 2^31")
    return [_HARDENED + step for step in steps]
