"""The mutable items of the Mainline DHT, as the bridge needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from web5.dids.dht.bep44 import SignedItem


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the DHT that has just answered, and takes an item by the token that it gave.

    Parameters:
        id: 20 bytes.
        address: its IPv4 address and UDP port.
        token: valid for some minutes, and for the address that asked alone.
    """

    id: bytes
    address: tuple[str, int]
    token: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a lookup.

    Parameters:
        item: the newest item, if there is one; whether its key has signed it is for the caller to check.
        nodes: those nearest to its place that have answered, the nearest first; none: the DHT was not reached.
    """

    item: SignedItem | None
    nodes: tuple[Node, ...]


class MutableItems(Protocol):
    """The mutable items without a salt, under their keys."""

    async def get(self, key: bytes, *, thorough: bool = False) -> Found:
        """Look an item up, in bounded time.

        Parameters:
            thorough: ask all the nodes near its place, also once it is found, so that it can be put there.
        """
        ...

    async def put(self, item: SignedItem, nodes: tuple[Node, ...]) -> int:
        """Give a signed item to nodes that a lookup of its key has found; return how many of them took it."""
        ...
