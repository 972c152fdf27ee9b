"""What every Sealer promises. `CASES` runs on any of them, on CPython and in Chromium; no pytest is needed.

Each case takes a function that opens the sealer of a device by the device's name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from web5.errors import CryptoError
from web5.ports.crypto import Sealer

Open = Callable[[str], Awaitable[Sealer]]
Case = Callable[[Open], Awaitable[None]]

_NONCE, _TAG = 12, 16


async def _refuses(sealer: Sealer, sealed: bytes) -> bool:
    try:
        await sealer.open(sealed)
    except CryptoError:
        return True
    return False


async def case_what_was_sealed_opens(open_sealer: Open) -> None:
    sealer = await open_sealer("device")
    for plaintext in (b"", b"secret", bytes(range(256)) * 400):
        sealed = await sealer.seal(plaintext)
        assert len(sealed) == _NONCE + len(plaintext) + _TAG
        assert plaintext == b"" or plaintext not in sealed
        assert await sealer.open(sealed) == plaintext


async def case_the_same_text_never_looks_the_same(open_sealer: Open) -> None:
    sealer = await open_sealer("device")
    sealed = [await sealer.seal(b"secret") for _ in range(20)]
    assert len({one[:_NONCE] for one in sealed}) == 20


async def case_it_opens_after_a_restart(open_sealer: Open) -> None:
    sealed = await (await open_sealer("device")).seal(b"secret")
    assert await (await open_sealer("device")).open(sealed) == b"secret"


async def case_another_device_cannot_open_it(open_sealer: Open) -> None:
    sealed = await (await open_sealer("device")).seal(b"secret")
    assert await _refuses(await open_sealer("other"), sealed)


async def case_a_changed_byte_is_noticed(open_sealer: Open) -> None:
    sealer = await open_sealer("device")
    sealed = await sealer.seal(b"secret")
    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        assert await _refuses(sealer, bytes(changed)), f"byte {place}"


async def case_what_is_cut_short_is_noticed(open_sealer: Open) -> None:
    sealer = await open_sealer("device")
    sealed = await sealer.seal(b"secret")
    for length in (0, 1, _NONCE, _NONCE + _TAG - 1, len(sealed) - 1):
        assert await _refuses(sealer, sealed[:length]), f"{length} bytes"


async def case_two_that_start_at_once_agree_on_the_key(open_sealer: Open) -> None:
    one, other = await open_sealer("device"), await open_sealer("device")
    by_one, by_other = await asyncio.gather(one.seal(b"1"), other.seal(b"2"))
    assert await other.open(by_one) == b"1"
    assert await one.open(by_other) == b"2"


CASES: list[Case] = [value for name, value in list(globals().items()) if name.startswith("case_")]
