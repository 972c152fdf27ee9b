"""Proof of work as DWN servers ask for it, for both ends.

A server names a nonce and a bound. The client finds a second nonce with which the SHA-256 of the text
`challenge nonce + response nonce + request`, read as a number, is not above the bound.
Source: `src/registration/proof-of-work.ts` and `proof-of-work-manager.ts` of `@web5/dwn-server` 0.6.1.

Each try is as good as any other, so work that is broken off is not lost luck: with another challenge it takes just as
long from there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

LARGEST = 2**256 - 1

_SLICE = 2048
"""Hashes between two chances for others to run: about 2 ms on CPython, 6 ms in a browser."""

_SALT_BYTES = 24
"""With the counter, 16 digits, they make 32 bytes in hex, which is what a server takes as a response nonce."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A server's challenge.

    Parameters:
        nonce: its text.
        bound: the largest hash that will do, 0 to `LARGEST`.
    """

    nonce: str
    bound: int

    @property
    def hashes(self) -> int:
        """The average number of hashes that a response takes."""
        return (LARGEST + 1) // (self.bound + 1)

    def is_met(self, response_nonce: str, request: str) -> bool:
        """Return True for a response nonce that answers it; `request` is the text that the work is done for."""
        digest = sha256(f"{self.nonce}{response_nonce}{request}".encode()).digest()
        return int.from_bytes(digest) <= self.bound


def bound_for(hashes: int) -> int:
    """Return the bound that takes so many hashes on average."""
    return (LARGEST + 1) // max(1, hashes) - 1


async def solve(challenge: Challenge, request: str, keep_going: Callable[[int], bool]) -> str | None:
    """Search a response nonce; other tasks run meanwhile.

    Parameters:
        request: the text that the work is done for.
        keep_going: called with the number of hashes after every few thousand; False gives up.

    Returns:
        A response nonce, or None if it was given up.
    """
    salt = secrets.token_hex(_SALT_BYTES).upper()
    begin, end, bound = f"{challenge.nonce}{salt}".encode(), request.encode(), challenge.bound.to_bytes(32)
    done = 0
    while True:
        for number in range(done, done + _SLICE):
            # In a browser, to copy the state after `begin` takes longer than to hash it anew.
            if sha256(b"%b%016X%b" % (begin, number, end)).digest() <= bound:
                return f"{salt}{number:016X}"
        done += _SLICE
        if not keep_going(done):
            return None
        await asyncio.sleep(0)
