"""Protection of secrets at rest by a key that belongs to the device."""

from __future__ import annotations

from typing import Protocol


class Sealer(Protocol):
    async def seal(self, plaintext: bytes) -> bytes:
        """Encrypt and authenticate (AES-256-GCM, fresh nonce, nonce first)."""

    async def open(self, sealed: bytes) -> bytes:
        """Decrypt what `seal` made on this device.

        Raises:
            CryptoError: it was made elsewhere or was changed.
        """
