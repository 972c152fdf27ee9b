"""Cryptography and random numbers that a seed gives, so that a simulation is the same each time."""

from __future__ import annotations

import hashlib
import os
import random as random_module
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.simulation.people import SimCrypto
from web5.errors import CryptoError
from web5.ports.crypto import Jwk, KeyAlgorithm

ROUNDS = 1
"""Of PBKDF2, whatever is asked for: nobody guesses here."""


class AgentCrypto(SimCrypto):
    """Real cryptography with keys that the seed gives; but passwords and phrases are stretched by very little."""

    async def generate_key(self, algorithm: KeyAlgorithm) -> Jwk:
        return await self.private_key(algorithm, self._random.randbytes(32))

    async def pbkdf2(self, password: bytes, salt: bytes, iterations: int, length: int) -> bytes:
        return hashlib.pbkdf2_hmac("sha512", password, salt, ROUNDS, length)


class DeviceSealer:
    """`Sealer` with a key that is the device's for ever."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    async def seal(self, plaintext: bytes) -> bytes:
        nonce = os.urandom(12)
        return nonce + self._cipher.encrypt(nonce, plaintext, None)

    async def open(self, sealed: bytes) -> bytes:
        try:
            return self._cipher.decrypt(sealed[:12], sealed[12:], None)
        except InvalidTag as error:
            raise CryptoError("this was sealed with another device's key, or was changed") from error


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Have all random numbers of this process come from a seed inside the block."""
    source = Random(f"{seed}/chance")
    shared: Any = random_module
    before = os.urandom, shared._urandom, random_module.getstate()
    os.urandom = shared._urandom = source.randbytes
    random_module.seed(f"{seed}/chance")
    try:
        yield
    finally:
        os.urandom, shared._urandom = before[:2]
        random_module.setstate(before[2])
