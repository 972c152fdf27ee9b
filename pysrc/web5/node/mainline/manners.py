"""The way in which a node speaks to the DHT, which does not need the extra."""

from __future__ import annotations

from dataclasses import dataclass

PUBLIC = ("dht.libtorrent.org:25401", "router.bittorrent.com:6881", "dht.transmissionbt.com:6881")
"""Nodes of the public DHT that tell newcomers of others."""


@dataclass(frozen=True)
class Manners:
    """The manner in which the DHT is spoken to; times in seconds.

    Parameters:
        address: the IPv4 address that is listened at.
        port: 0: any.
        nodes: who is asked first, as `host:port`.
        local: nodes may share an address, as on one machine; in the public DHT that is how one pretends to be many.
        patience: the time for a lookup; there are always nodes that do not answer.
        settling: the time without an answer of any node after which a lookup ends; twice that, where the item is put.
        putting: the time that nodes have to take an item.
        bytes_per_second: the most that lookups send, all together.
        packets: reports of libtorrent that may wait to be read; what is more is lost.
    """

    nodes: tuple[str, ...]
    address: str = "0.0.0.0"
    port: int = 0
    local: bool = False
    patience: float = 10.0
    settling: float = 1.5
    putting: float = 3.0
    bytes_per_second: int = 64_000
    packets: int = 20_000
