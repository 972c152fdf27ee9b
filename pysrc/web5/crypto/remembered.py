"""Signatures that are known to be good are not verified again.

Whether a signature holds depends on the key, the data and the signature alone, so a good one stays good. One that a key
of this process has just made is good too: an agent's own node need not verify what the agent signs.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

from web5.crypto.jwk import PublicMembers, public_members
from web5.errors import CryptoError
from web5.ports.crypto import Crypto, JoseAlgorithm, Jwk, KeyAlgorithm, RawSigner, Signed

REMEMBERED = 4096


class RememberedSignatures:
    """A `Crypto` port over another one.

    Parameters:
        crypto: makes keys and signatures, and verifies what is not known yet.
    """

    def __init__(self, crypto: Crypto) -> None:
        self._crypto = crypto
        self._good: OrderedDict[bytes, None] = OrderedDict()

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        return await self._crypto.generate_key(algorithm)

    async def signer(self, private_jwk: Jwk) -> RawSigner:
        return _Signer(self, await self._crypto.signer(private_jwk), public_members(private_jwk))

    async def verify(self, public_jwk: Jwk, data: bytes, signature: bytes) -> bool:
        [good] = await self.verify_each([Signed(public_jwk, data, signature)])
        if isinstance(good, CryptoError):
            raise good
        return good

    async def verify_each(self, signed: Sequence[Signed]) -> list[bool | CryptoError]:
        found: list[bool | CryptoError] = []
        unknown: dict[int, bytes] = {}
        for place, one in enumerate(signed):
            try:
                mark = _mark(public_members(one.public_jwk), one.data, one.signature)
            except CryptoError as error:
                found.append(error)
                continue
            known = self._is_known(mark)
            found.append(known)
            if not known:
                unknown[place] = mark
        verdicts = await self._crypto.verify_each([signed[place] for place in unknown]) if unknown else []
        for (place, mark), good in zip(unknown.items(), verdicts, strict=True):
            found[place] = good
            if good is True:
                self.remember(mark)
        return found

    def _is_known(self, mark: bytes) -> bool:
        if mark not in self._good:
            return False
        self._good.move_to_end(mark)
        return True

    def remember(self, mark: bytes) -> None:
        """Take a signature for good from now on; the one that was not asked for the longest is forgotten for it."""
        self._good[mark] = None
        if len(self._good) > REMEMBERED:
            self._good.popitem(last=False)


class _Signer:
    def __init__(self, memory: RememberedSignatures, raw: RawSigner, key: PublicMembers) -> None:
        self._memory = memory
        self._raw = raw
        self._key = key

    @property
    def algorithm(self) -> JoseAlgorithm:
        return self._raw.algorithm

    async def sign(self, data: bytes) -> bytes:
        signature = await self._raw.sign(data)
        self._memory.remember(_mark(self._key, data, signature))
        return signature


def _mark(key: PublicMembers, data: bytes, signature: bytes) -> bytes:
    # Every part has its length before it, so that no two triples give the same text.
    parts = (repr(key).encode(), data, signature)
    return hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).digest()
