"""Signatures that are known to be good, so that they are not verified again.

Whether a signature holds depends on the key, the data and the signature alone, so a good one stays good. One that a key
of this process has just made is good too: an agent's own node need not verify what the agent signs.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from web5.crypto.jose.jwk import PublicMembers, public_members
from web5.errors import CryptoError
from web5.lru import LruCache
from web5.ports.crypto import Jwk, RawSigner, Signatures, Signed

CACHE_SIZE = 4096


class SignatureCache:
    """A `Signatures` port over another one, which verifies whatever is not known yet."""

    def __init__(self, signatures: Signatures) -> None:
        self._signatures = signatures
        self._good: LruCache[bytes, bool] = LruCache(CACHE_SIZE)

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        raw, key = await self._signatures.signer(private_jwk), public_members(private_jwk)

        async def sign(data: bytes) -> bytes:
            signature = await raw.sign(data)
            self._good.put(_digest(key, data, signature), True)
            return signature

        return RawSigner(raw.algorithm, sign)

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        results: list[bool | CryptoError] = [True] * len(signed)
        unknown: dict[int, bytes] = {}
        for place, one in enumerate(signed):
            try:
                digest = _digest(public_members(one.public_jwk), one.data, one.signature)
            except CryptoError as error:
                results[place] = error
                continue
            if not self._good.get(digest):
                unknown[place] = digest
        verified = await self._signatures.verify_each([signed[place] for place in unknown]) if unknown else []
        for (place, digest), good in zip(unknown.items(), verified, strict=True):
            results[place] = good
            if good is True:
                self._good.put(digest, True)
        return results


def _digest(key: PublicMembers, data: bytes, signature: bytes) -> bytes:
    # Every part has its length before it, so that no two triples give the same text.
    parts = (repr(key).encode(), data, signature)
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
