"""Recovery phrases (BIP-39), in English.

The words and their check sum are those of Trezor's `mnemonic`. The seed is made here: that package wants PBKDF2 of
`hashlib`, which Pyodide has not.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import TYPE_CHECKING

from web5.errors import RecoveryError
from web5.ports.crypto import Crypto

if TYPE_CHECKING:
    from mnemonic import Mnemonic

LENGTHS = (12, 15, 18, 21, 24)
"""Numbers of words that a phrase may have; a new one has the first."""

_ITERATIONS = 2048
_SEED_BYTES = 64


def generate() -> str:
    """Make a phrase of 12 words, 128 bits from the system's random numbers."""
    return _english().generate(128)


def normalized(phrase: str) -> str:
    """Return the phrase as it was made: lower case, one space between the words.

    Raises:
        RecoveryError: it has another number of words, a word that is not in the list, or a wrong check sum.
    """
    words = unicodedata.normalize("NFKD", phrase).lower().split()
    known = _english().wordlist
    unknown = [(place, word) for place, word in enumerate(words, 1) if word not in known]
    if unknown:
        place, word = unknown[0]
        raise RecoveryError(f"Word {place} of the recovery phrase, {word!r}, is not one of its list. Is it misspelt?")
    if len(words) not in LENGTHS:
        counts = ", ".join(map(str, LENGTHS[:-1]))
        raise RecoveryError(f"A recovery phrase has {counts} or {LENGTHS[-1]} words; this one has {len(words)}.")
    plain = " ".join(words)
    if not _english().check(plain):
        raise RecoveryError(
            "The recovery phrase's check sum is wrong. All its words are of the list, so one is another than it was, "
            "or two have changed places."
        )
    return plain


async def seed(phrase: str, crypto: Crypto) -> bytes:
    """Derive the 64-byte seed of all keys; without a passphrase, as `@web5/agent` has it.

    Raises:
        RecoveryError: as `normalized`.
    """
    return await crypto.pbkdf2(normalized(phrase).encode(), b"mnemonic", _ITERATIONS, _SEED_BYTES)


@cache
def _english() -> Mnemonic:
    from mnemonic import Mnemonic  # a later start has no use for it

    return Mnemonic("english")
