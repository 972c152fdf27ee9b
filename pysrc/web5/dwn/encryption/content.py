"""The cipher of record data: AES-256-CTR, chunk by chunk (`Encryption.aes256CtrEncrypt` of dwn-sdk-js).

It keeps no tag: what tells a change is the CID of the ciphertext, which the record's author has signed.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass, replace

from web5.chunks import reading
from web5.ports.crypto import Crypto

KEY = 32  # bytes
IV = 16  # bytes
_BLOCK = 16
_COUNTERS = 1 << 128


@dataclass(frozen=True, slots=True)
class ContentKey:
    """The key of one record's data, and where its counter begins.

    Parameters:
        iv: 16 bytes. It is made anew for each state of a record: a counter that is used twice gives both texts away.
    """

    key: bytes
    iv: bytes

    @classmethod
    def new(cls) -> ContentKey:
        return cls(os.urandom(KEY), os.urandom(IV))

    def renewed(self) -> ContentKey:
        """The same key, for other data."""
        return replace(self, iv=os.urandom(IV))

    async def crypt_bytes(self, crypto: Crypto, data: bytes) -> bytes:
        """Data that are at hand, encrypted or decrypted."""
        return await crypto.ctr(self.key, self.iv, data)

    async def crypt(self, crypto: Crypto, chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
        """The chunks encrypted, or decrypted, which is the same; of about their sizes."""
        counter, rest = int.from_bytes(self.iv, "big"), b""
        async with reading(chunks) as plain:
            async for chunk in plain:
                rest += chunk
                whole = len(rest) - len(rest) % _BLOCK
                if whole:
                    yield await crypto.ctr(self.key, counter.to_bytes(IV, "big"), rest[:whole])
                    counter = (counter + whole // _BLOCK) % _COUNTERS
                    rest = rest[whole:]
        if rest:
            yield await crypto.ctr(self.key, counter.to_bytes(IV, "big"), rest)
