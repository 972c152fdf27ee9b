"""A part of the DHT that asks and does not answer (BEP 43): libtorrent finds nodes and items, and items are put here.

libtorrent puts only what it signs itself. Its lookups, though, show the tokens that nodes give, in the packets that it
reports; with these a plain `put` from a socket of our own, at the same address, is as good.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import libtorrent as lt

from web5.dids.dht.bep44 import SIGNATURE_BYTES, VALUE_LIMIT, SignedItem
from web5.errors import StorageError
from web5.node.mainline.items import Found, Node
from web5.node.mainline.manners import Manners
from web5.node.mainline.messages import Answer, as_answer, as_get, as_node, put_query

NEAREST = 8
"""Nodes that keep an item: BEP 5's K."""

LONGEST_SECONDS = 60.0
"""The time after which a lookup is given up that libtorrent does not end."""

_NO_LIMIT = 1_000_000
_ASKED_LIMIT = 4096
"""Queries of one lookup whose answers are awaited."""

_HEAD = re.compile(r"(<==|==>) \[(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})\] ")
"""The words in which libtorrent says whom a packet came from or went to; IPv4 alone."""


@dataclass
class _Lookup:
    """A lookup under way.

    Attributes:
        asked: the queries, by address and transaction.
        nodes: who has answered, by address.
        news: set when a node has answered, and at the end.
        running: how many lookups of libtorrent for the key are not over.
        is_left: somebody has taken the result; who comes later wants a newer one.
    """

    target: bytes
    asked: set[tuple[tuple[str, int], bytes]] = field(default_factory=set)
    nodes: dict[tuple[str, int], Node] = field(default_factory=dict)
    item: SignedItem | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    running: int = 1
    is_left: bool = False

    def found(self) -> Found:
        place = int.from_bytes(self.target, "big")
        nearest = sorted(self.nodes.values(), key=lambda node: int.from_bytes(node.id, "big") ^ place)
        return Found(self.item, tuple(nearest[:NEAREST]))


class _Putting(asyncio.DatagramProtocol):
    """The socket that items are put from. Whatever else comes in there is dropped."""

    def __init__(self) -> None:
        self.awaited: dict[tuple[tuple[str, int], bytes], asyncio.Future[Answer]] = {}

    def datagram_received(self, data: bytes, address: Any) -> None:
        if (answer := as_answer(_decoded(data))) is None:
            return
        awaited = self.awaited.get((address[:2], answer.transaction))
        if awaited is not None and not awaited.done():
            awaited.set_result(answer)

    def error_received(self, error: Exception) -> None:
        """Take no note of a node that is gone: it does not answer, and that is all."""


class MainlineSession:
    """The mutable items of a DHT (`MutableItems`); `joined` opens one."""

    def __init__(
        self, session: lt.session, manners: Manners, putting: _Putting, way: asyncio.DatagramTransport
    ) -> None:
        self._session = session
        self._manners = manners
        self._putting = putting
        self._way = way
        self._lookups: dict[bytes, _Lookup] = {}
        self._targets: dict[bytes, _Lookup] = {}
        self._id = secrets.token_bytes(20)

    async def get(self, key: bytes, *, thorough: bool = False) -> Found:
        """Look an item up (`MutableItems`)."""
        lookup = self._lookups.get(key)
        if lookup is None or lookup.is_left:
            lookup = self._begin(key, lookup.running if lookup else 0)
        settling = self._manners.settling * (2 if thorough else 1)
        with suppress(TimeoutError):
            async with asyncio.timeout(self._manners.patience):
                while lookup.running:
                    lookup.news.clear()
                    async with asyncio.timeout(settling if lookup.nodes else None):
                        await lookup.news.wait()
        lookup.is_left = True
        return lookup.found()

    async def put(self, item: SignedItem, nodes: tuple[Node, ...]) -> int:
        """Give a signed item to nodes (`MutableItems`)."""
        awaited = self._putting.awaited
        sent = []
        for node in nodes:
            asked = node.address, secrets.token_bytes(4)
            awaited[asked] = asyncio.get_running_loop().create_future()
            self._way.sendto(put_query(item, node, self._id, asked[1]), node.address)
            sent.append(asked)
        try:
            if sent:
                await asyncio.wait([awaited[asked] for asked in sent], timeout=self._manners.putting)
            return sum(one.done() and one.result().body is not None for one in (awaited[asked] for asked in sent))
        finally:
            for asked in sent:
                awaited.pop(asked).cancel()

    def read(self, alerts: Iterable[Any]) -> None:
        """Take what libtorrent reports."""
        for alert in alerts:
            if isinstance(alert, lt.dht_pkt_alert):
                self._packet(alert)
            elif isinstance(alert, lt.dht_mutable_item_alert):
                self._item(alert)

    def _packet(self, alert: Any) -> None:
        if not self._targets or (head := _HEAD.match(alert.message())) is None:
            return
        message, address = _decoded(bytes(alert.pkt_buf)), (head[2], int(head[3]))
        if head[1] == "==>":
            if (query := as_get(message)) is not None:
                transaction, self._id, target = query
                lookup = self._targets.get(target)
                if lookup is not None and len(lookup.asked) < _ASKED_LIMIT:
                    lookup.asked.add((address, transaction))
        elif (answer := as_answer(message)) is not None and answer.body is not None:
            asked = address, answer.transaction
            for lookup in self._targets.values():
                if asked in lookup.asked and (node := as_node(address, answer.body)) is not None:
                    lookup.asked.discard(asked)
                    lookup.nodes[address] = node
                    lookup.news.set()
                    break

    def _item(self, alert: Any) -> None:
        lookup = self._lookups.get(alert.key)
        if lookup is None or alert.salt:
            return
        value, signature = alert.item, alert.signature
        fits = isinstance(value, bytes) and 0 < len(value) <= VALUE_LIMIT and len(signature) == SIGNATURE_BYTES
        if fits and alert.seq >= 0 and (lookup.item is None or alert.seq > lookup.item.seq):
            lookup.item = SignedItem(alert.key, signature, alert.seq, value)
        if alert.authoritative:
            lookup.running -= 1
        if not lookup.running:
            lookup.news.set()
            self._forget(alert.key, lookup)

    def _begin(self, key: bytes, running: int) -> _Lookup:
        # libtorrent may go on with earlier ones for longer than anybody waits, and does not say which of them is over.
        lookup = _Lookup(hashlib.sha1(key).digest(), running=running + 1)
        self._lookups[key] = self._targets[lookup.target] = lookup
        self._session.dht_get_mutable_item(key, b"")
        asyncio.get_running_loop().call_later(LONGEST_SECONDS, self._forget, key, lookup)
        return lookup

    def _forget(self, key: bytes, lookup: _Lookup) -> None:
        if self._lookups.get(key) is lookup:
            del self._lookups[key], self._targets[lookup.target]


@asynccontextmanager
async def joined(manners: Manners) -> AsyncIterator[MainlineSession]:
    """Take part in a DHT until the end of the block.

    Raises:
        StorageError: the address cannot be listened at.
    """
    loop = asyncio.get_running_loop()
    try:
        way, putting = await loop.create_datagram_endpoint(_Putting, local_addr=(manners.address, 0))
    except OSError as error:
        raise StorageError(f"the DHT cannot be spoken to from {manners.address}: {error}") from error
    settings: Any = _settings(manners)
    held = [await asyncio.to_thread(lambda: lt.session(settings))]
    heard, rings = socket.socketpair()
    heard.setblocking(False)
    rings.setblocking(False)
    items = MainlineSession(held[0], manners, putting, way)

    def read() -> None:
        with suppress(BlockingIOError):
            while heard.recv(4096):
                pass
        items.read(held[0].pop_alerts())

    loop.add_reader(heard, read)
    held[0].set_alert_fd(rings.fileno())
    try:
        yield items
    finally:
        loop.remove_reader(heard)
        held[0].set_alert_fd(-1)
        way.close()
        del items._session
        await asyncio.to_thread(held.clear)  # it ends when nobody has it any more
        heard.close()
        rings.close()


def _settings(manners: Manners) -> dict[str, Any]:
    """Return libtorrent's settings: a DHT that only asks, and nothing else of BitTorrent."""
    strict = not manners.local
    off = ("enable_lsd", "enable_upnp", "enable_natpmp", "enable_incoming_tcp", "enable_outgoing_tcp")
    return {
        **dict.fromkeys((*off, "enable_incoming_utp", "enable_outgoing_utp"), False),
        **dict.fromkeys(("dht_restrict_routing_ips", "dht_restrict_search_ips", "dht_ignore_dark_internet"), strict),
        "dht_prefer_verified_node_ids": strict,
        **({} if strict else {"dht_block_ratelimit": _NO_LIMIT}),  # packets of one address
        "enable_dht": True,
        "dht_read_only": True,
        "dht_bootstrap_nodes": ",".join(manners.nodes),
        "dht_upload_rate_limit": manners.bytes_per_second,
        "listen_interfaces": f"{manners.address}:{manners.port}",
        "user_agent": "",
        "alert_mask": int(lt.alert_category.dht | lt.alert_category.dht_log),
        "alert_queue_size": manners.packets,
    }


def _decoded(data: bytes) -> Any:
    try:
        return lt.bdecode(data)
    except Exception:
        # It says in many ways that something is no bencode.
        return None
