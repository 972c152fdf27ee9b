"""The records that DRLs name, for an app."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from web5.dwn.reading.drl import Drl
from web5.errors import InvalidArgument, NotFound

R = TypeVar("R")

HERE = None
THERE = (("publishedDescending", True),)
BOTH = (*THERE, ("createdDescending", False))
"""The orders in which the newest record of a place is looked for: those that are published come first."""


async def find(
    address: str | Drl,
    read: Callable[[str, str | None], Awaitable[R]],
    first: Callable[[Drl, str, bool, str | None], Awaitable[R | None]],
    own: str | None = None,
) -> R:
    """Return the record that a DRL names.

    Parameters:
        read: gives a record by its ID, from the DWNs of a DID or, for `HERE`, from the local one.
        first: likewise the first one at a DRL's place, by an order, published or not; or None.
        own: the DID whose DWN the local one is; None: there is none.

    Raises:
        InvalidArgument: it is no DRL, or that of a DID alone.
        NotFound: there is none.
    """
    drl = address if isinstance(address, Drl) else Drl.parse(address)
    if drl.record_id is not None:
        if own is not None:
            try:
                return await read(drl.record_id, HERE)
            except NotFound:
                pass  # it may be there
        return await read(drl.record_id, drl.did)
    if drl.protocol is None:
        raise InvalidArgument(f"{drl} is the address of a DID's document, not of a record; `did.resolve` gives that.")
    for place, orders in ((HERE, BOTH), (drl.did, THERE)):
        for order, published in orders:
            if place is not HERE or drl.did == own:
                found = await first(drl, order, published, place)
                if found is not None:
                    return found
    raise NotFound("", f"There is nothing at {drl} that can be read from here.")
