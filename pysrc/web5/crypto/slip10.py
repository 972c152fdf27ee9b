"""Hierarchical deterministic keys of Ed25519 (SLIP-0010): any number of keys from one seed, each found by its path."""

from __future__ import annotations

import hmac
import re
from typing import NamedTuple

from web5.errors import InvalidArgument

_MASTER = b"ed25519 seed"
_HARDENED = 1 << 31
_PATH = re.compile(r"m(/[0-9]{1,10}')*")
SEED_BYTES = range(16, 65)


class HdKey(NamedTuple):
    """A private key, the 32-byte seed of RFC 8032, and what its children are derived with beside it."""

    private: bytes
    chain_code: bytes


def derive(seed: bytes, path: str) -> HdKey:
    """The key at a path below the seed.

    Parameters:
        seed: 16 to 64 bytes; that of a recovery phrase has 64.
        path: such as "m/44'/0'". Every step is hardened: Ed25519 has no others.

    Raises:
        InvalidArgument: no such path, or a seed of another length.
    """
    if len(seed) not in SEED_BYTES:
        raise InvalidArgument(f"A seed has {SEED_BYTES.start} to {SEED_BYTES.stop - 1} bytes, not {len(seed)}")
    key = _split(hmac.digest(_MASTER, seed, "sha512"))
    for index in _indexes(path):
        data = b"\0" + key.private + index.to_bytes(4, "big")
        key = _split(hmac.digest(key.chain_code, data, "sha512"))
    return key


def _indexes(path: str) -> list[int]:
    if not _PATH.fullmatch(path):
        raise InvalidArgument(f"{path!r} is not a path of hardened steps such as \"m/44'/0'\"")
    steps = [int(step[:-1]) for step in path.split("/")[1:]]
    if any(step >= _HARDENED for step in steps):
        raise InvalidArgument(f"A step of {path!r} is not below 2^31")
    return [_HARDENED + step for step in steps]


def _split(digest: bytes) -> HdKey:
    return HdKey(digest[:32], digest[32:])
