"""The bridge on a DHT of real nodes: what one gateway takes, another finds, and nobody is deceived."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

if sys.version_info >= (3, 14):
    pytest.skip("libtorrent has no wheel for this Python", allow_module_level=True)

from tests.clocks import ManualClock
from tests.interop.node.serving import EmbeddedServer
from tests.mainline import WAITING, Dht, knowing, manners, running_dht
from tests.unit.node.test_gateway import Publisher, crypto
from web5.dids.dht.bep44 import SignedItem, parse_relay_payload
from web5.dwn.store.database import open_memory
from web5.node.gateway import gateway_of
from web5.node.gateway_items import GatewayItems, GatewayLimits
from web5.node.mainline.bridge import Bridge, BridgeLimits
from web5.node.mainline.items import Node
from web5.node.mainline.session import MainlineSession, joined

NOW = 1_700_000_000
LIMITS = GatewayLimits()


class Gateway:
    """A gateway with a bridge, whose tenants are those whom the test names."""

    def __init__(self, dht: MainlineSession, limits: BridgeLimits | None = None) -> None:
        self.clock = ManualClock(NOW * 1_000_000)
        self.items = GatewayItems(open_memory(), crypto, self.clock, LIMITS)
        self.bridge = Bridge(dht, self.items, self.clock, limits)
        self.app = gateway_of(self.items, self.clock, LIMITS, self.bridge)
        self.client = self.at("192.0.2.1")
        self.relied: list[bytes] = []

    def at(self, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway")

    def advance(self, seconds: int) -> None:
        self.clock.us += seconds * 1_000_000

    async def relied_on(self) -> AsyncIterator[bytes]:
        for key in self.relied:
            yield key

    async def publish(self, publisher: Publisher, payload: bytes) -> None:
        answer = await self.client.put(publisher.path, content=payload)
        assert answer.status_code == 200, answer.text


@asynccontextmanager
async def gateway(dht: Dht, limits: BridgeLimits | None = None) -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        items = await stack.enter_async_context(joined(manners(dht)))
        await knowing(dht, items)
        one = Gateway(items, limits)
        running = asyncio.create_task(one.bridge.run(one.relied_on))
        yield one
        running.cancel()
        await asyncio.wait([running])


async def stored(items: MainlineSession, key: bytes, seq: int) -> SignedItem:
    """The item of a key in the DHT, once it has this number."""
    async with asyncio.timeout(WAITING):
        while True:
            item = (await items.get(key)).item
            if item is not None and item.seq >= seq:
                return item
            await asyncio.sleep(0.1)  # the DHT tells nobody when an item has come


async def test_what_one_gateway_takes_another_finds_also_when_a_node_has_died() -> None:
    publisher = await Publisher.make()
    payload = await publisher.payload(NOW)
    async with running_dht() as (dht, items), gateway(dht) as first, gateway(dht) as second:
        await first.publish(publisher, payload)
        await stored(items, publisher.bytes, NOW)
        await dht.kill()
        answer = await second.client.get(publisher.path)
        assert (answer.status_code, answer.content) == (200, payload)
        assert await second.items.held(publisher.bytes) is None
        unknown = await Publisher.make()
        assert (await second.client.get(unknown.path)).status_code == 404


async def test_nodes_take_neither_an_older_item_nor_a_forged_one() -> None:
    publisher = await Publisher.make()
    newest = parse_relay_payload(publisher.bytes, await publisher.payload(NOW))
    older = parse_relay_payload(publisher.bytes, await publisher.payload(NOW - 1, "older"))
    forged = SignedItem(publisher.bytes, bytes(64), NOW + 1, newest.value)
    async with running_dht() as (_, items):
        nodes = (await items.get(publisher.bytes, thorough=True)).nodes
        assert len(nodes) == 6
        assert await items.put(newest, nodes) == 6
        for one in (older, forged):
            assert await items.put(one, nodes) == 0
        others = tuple(Node(node.id, node.address, b"none") for node in nodes)
        assert await items.put(newest, others) == 0
        assert (await items.get(publisher.bytes)).item == newest


async def test_a_gateway_behind_the_dht_takes_the_newer_document_over() -> None:
    publisher = await Publisher.make()
    newer = parse_relay_payload(publisher.bytes, await publisher.payload(NOW, "newer"))
    async with running_dht() as (dht, items), gateway(dht) as one:
        assert await items.put(newer, (await items.get(publisher.bytes, thorough=True)).nodes) > 0
        await one.publish(publisher, await publisher.payload(NOW - 5, "older"))
        async with asyncio.timeout(WAITING):
            while True:
                if await one.items.held(publisher.bytes) == newer:
                    break
                await asyncio.sleep(0.05)  # nothing tells when the bridge has put it
        assert await stored(items, publisher.bytes, NOW) == newer


async def test_a_document_of_the_dht_is_checked_and_never_goes_back() -> None:
    publisher, stranger, hasty = await Publisher.make(), await Publisher.make(), await Publisher.make()
    no_packet = await stranger.item(NOW, b"no packet of a did:dht")
    early = parse_relay_payload(hasty.bytes, await hasty.payload(NOW + 10_000))
    first, second = [
        parse_relay_payload(publisher.bytes, await publisher.payload(seq, str(seq))) for seq in (NOW, NOW + 1)
    ]
    async with running_dht() as (dht, items):
        for item in (no_packet, early, second):
            assert await items.put(item, (await items.get(item.key, thorough=True)).nodes) > 0
        async with gateway(dht) as one:
            for whose in (stranger, hasty):
                assert (await one.client.get(whose.path)).status_code == 404
            assert await one.bridge.find(publisher.bytes, None) == second
    async with running_dht() as (_, others):  # whose nodes have been told of the first alone
        assert await others.put(first, (await others.get(publisher.bytes, thorough=True)).nodes) > 0
        one.bridge._dht = others
        one.advance(10_000)
        assert await one.bridge.find(publisher.bytes, None) == second


async def test_what_tenants_rely_on_is_put_again_and_kept() -> None:
    tenant, guest = await Publisher.make(), await Publisher.make()
    limits = BridgeLimits(round=0.05)
    async with running_dht() as (dht, _), gateway(dht, limits) as one:
        for whose in (tenant, guest):
            await one.publish(whose, await whose.payload(NOW))
            await stored(one.bridge._dht, whose.bytes, NOW)
        one.relied.append(tenant.bytes)
        one.advance(LIMITS.kept - 1)
        while len(dht.nodes) > 1:  # nobody who has them is left but one
            await dht.kill()
        await dht.kill()
        async with running_dht() as (_, others):
            one.bridge._dht = others
            await stored(others, tenant.bytes, NOW)
            assert (await others.get(guest.bytes)).item is None
            one.advance(2)
            assert await one.items.held(tenant.bytes) is not None
            assert await one.items.held(guest.bytes) is None


async def test_without_the_dht_it_is_said_and_what_was_published_goes_there_later() -> None:
    publisher = await Publisher.make()
    async with running_dht() as (dht, items):
        nowhere = Dht(2)
        await nowhere.kill()
        async with joined(manners(nowhere, patience=0.5, putting=0.5)) as lost:
            await nowhere.close()
            one = Gateway(lost, BridgeLimits(round=0.1))
            running = asyncio.create_task(one.bridge.run(one.relied_on))
            unknown = await Publisher.make()
            answer = await one.client.get(unknown.path)
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
            await one.publish(publisher, await publisher.payload(NOW))
            one.bridge._dht = items
            await stored(items, publisher.bytes, NOW)
            running.cancel()
            await asyncio.wait([running])
        assert dht.nodes


async def test_strangers_can_ask_for_so_much_and_no_more() -> None:
    limits = BridgeLimits(burst=3, burst_of_address=2, lookups=2)
    async with running_dht() as (dht, _), gateway(dht, limits) as one:
        asked = [await Publisher.make() for _ in range(4)]
        first = await asyncio.gather(*(one.client.get(asked[0].path) for _ in range(20)))
        assert {answer.status_code for answer in first} == {404}, "one lookup answers all who ask for the same"
        assert (await one.client.get(asked[1].path)).status_code == 404
        refused = await one.client.get(asked[2].path)
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert (await one.client.get(asked[0].path)).status_code == 404, "what is known is no lookup"
        assert (await one.at("192.0.2.2").get(asked[2].path)).status_code == 404
        assert (await one.at("192.0.2.2").get(asked[3].path)).status_code == 503
        one.advance(60)
        assert (await one.client.get(asked[3].path)).status_code == 404


@pytest.mark.parametrize("flags", [("--mainline", "--no-gateway"), ("--mainline", "--mainline-nodes", "nowhere")])
async def test_settings_that_do_not_fit(tmp_path, flags) -> None:
    server = EmbeddedServer(tmp_path / "data", None, *flags)
    with pytest.raises(AssertionError, match="mainline"):
        await server.start()
    assert await server.process.wait() == 2


async def test_two_nodes_as_they_are_started_find_each_others_documents(tmp_path) -> None:
    publisher = await Publisher.make()
    payload = await publisher.payload(int(time.time()))
    async with running_dht() as (dht, items), AsyncExitStack() as stack:
        flags = ["--mainline", "--mainline-nodes", ",".join(dht.addresses), "--mainline-address", "127.0.0.1"]
        urls = []
        for name in ("one", "two"):
            server = await stack.enter_async_context(EmbeddedServer(tmp_path / name, None, *flags, "--allow-local"))
            urls.append(f"{server.url}/dht{publisher.path}")
        client = await stack.enter_async_context(httpx.AsyncClient(timeout=WAITING))
        assert (await client.put(urls[0], content=payload)).status_code == 200
        await stored(items, publisher.bytes, 1)
        answer = await client.get(urls[1])
        assert (answer.status_code, answer.content) == (200, payload)
