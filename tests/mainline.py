"""A DHT of several nodes on loopback: sessions of libtorrent, each as it would take part in the public one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from typing import Any

import libtorrent as lt

from web5.node.mainline.manners import Manners
from web5.node.mainline.session import MainlineSession, joined

WAITING = 60
_OFF = (
    *("enable_lsd", "enable_upnp", "enable_natpmp", "enable_incoming_tcp", "enable_outgoing_tcp"),
    *("enable_incoming_utp", "enable_outgoing_utp", "dht_restrict_routing_ips", "dht_restrict_search_ips"),
    *("dht_ignore_dark_internet", "dht_enforce_node_id", "dht_prefer_verified_node_ids"),
)

_OF_ONE_ADDRESS = {"dht_block_ratelimit": 1_000_000}
"""Packets of one address that a node takes; all are 127.0.0.1 here."""


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [int(one.getsockname()[1]) for one in sockets]


class Dht:
    """Its nodes, by port."""

    def __init__(self, count: int = 6) -> None:
        self.nodes: dict[int, Any] = {port: self._node(port) for port in _free_ports(count)}
        self.introduce()

    def introduce(self) -> None:
        """Tell each node of the others. One that was not up yet, or too busy, when it was greeted, is not known."""
        for one in self.nodes.values():
            for port in self.nodes:
                one.add_dht_node(("127.0.0.1", port))

    def _node(self, port: int) -> Any:
        settings = {**dict.fromkeys(_OFF, False), "enable_dht": True, "dht_bootstrap_nodes": ""}
        return lt.session({**settings, "listen_interfaces": f"127.0.0.1:{port}", "alert_mask": 0, **_OF_ONE_ADDRESS})

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(f"127.0.0.1:{port}" for port in self.nodes)

    async def kill(self) -> int:
        """End one of the nodes without a word to the others; how many there are left."""
        _, one = self.nodes.popitem()
        held = [one]
        del one
        await asyncio.to_thread(held.clear)
        return len(self.nodes)

    async def close(self) -> None:
        await asyncio.to_thread(self.nodes.clear)


def manners(dht: Dht, **more: Any) -> Manners:
    return Manners(
        dht.addresses[:2], address="127.0.0.1", local=True, **{"settling": 0.5, "patience": 4.0, "putting": 1.0, **more}
    )


@asynccontextmanager
async def running_dht(count: int = 6) -> AsyncIterator[tuple[Dht, MainlineSession]]:
    """A DHT whose nodes know each other, and one who asks them."""
    async with AsyncExitStack() as stack:
        dht = Dht(count)
        stack.push_async_callback(dht.close)
        items = await stack.enter_async_context(joined(manners(dht)))
        await knowing(dht, items)
        yield dht, items


async def knowing(dht: Dht, items: MainlineSession) -> None:
    """Return once lookups come to all nodes."""
    async with asyncio.timeout(WAITING):
        number = 0
        while True:
            number += 1
            if len((await items.get(number.to_bytes(32, "big"), thorough=True)).nodes) >= len(dht.nodes):
                return
            dht.introduce()
            await asyncio.sleep(0.2)  # nodes say nothing when they have come to know each other
