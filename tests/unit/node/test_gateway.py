"""The answers of the gateway: what it takes, keeps and gives back, and what it refuses."""

from pathlib import Path

import httpx
import pytest

from tests.clocks import ManualClock
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_decode, z32_encode
from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem, encode, sign_item, signing_input, told_clock
from web5.dids.dht.packet import deactivation_packet, to_packet
from web5.dids.resolver import default_resolver
from web5.dwn.store.database import Database, open_file, open_memory
from web5.node.gateway import create_gateway
from web5.node.gateway_items import GatewayLimits

crypto = CPythonCrypto()
FEW = GatewayLimits(items=3, burst=1000)


class Publisher:
    """Somebody with a key."""

    @classmethod
    async def make(cls) -> "Publisher":
        self = cls()
        portable_did = await dht.create(crypto)
        self.uri, self.document = portable_did.uri, portable_did.document
        assert portable_did.private_keys is not None
        self.signer = await crypto.signer(portable_did.private_keys[0])
        self.bytes = b64url_decode(portable_did.private_keys[0]["x"])
        self.path = "/" + z32_encode(self.bytes)
        return self

    def packet(self, name: str) -> bytes:
        return to_packet(self.document.model_copy(update={"also_known_as": [f"did:example:{name}"]}))

    async def payload(self, seq: int, value: bytes | str = "me") -> bytes:
        packet = self.packet(value) if isinstance(value, str) else value
        return encode(await self.item(seq, packet))

    async def item(self, seq: int, value: bytes) -> SignedItem:
        return await sign_item(self.bytes, seq, value, self.signer)


class Gateway:
    """The gateway, and a client of it at an address."""

    def __init__(self, clock: ManualClock, database: Database, limits: GatewayLimits | None = None) -> None:
        self.now = clock.now() // 1_000_000
        self.app = create_gateway(database, crypto, clock, limits)
        self.get = self.at("192.0.2.1").get
        self.options = self.at("192.0.2.1").options
        self.put_raw = self.at("192.0.2.1").put

    def at(self, address: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, client=(address, 1))
        return httpx.AsyncClient(transport=transport, base_url="http://gateway")

    async def put(self, publisher: Publisher, body: bytes, address: str = "192.0.2.1") -> int:
        return (await self.at(address).put(publisher.path, content=body)).status_code


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(1_700_000_000_000_000)


@pytest.fixture
def gateway(clock: ManualClock) -> Gateway:
    return Gateway(clock, open_memory())


@pytest.fixture
async def publisher() -> Publisher:
    return await Publisher.make()


async def test_what_was_put_comes_back_byte_for_byte(gateway: Gateway, publisher: Publisher) -> None:
    body = await publisher.payload(7)
    assert await gateway.put(publisher, body) == 200
    answer = await gateway.get(publisher.path)
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_unknown_key(gateway: Gateway, publisher: Publisher) -> None:
    assert (await gateway.get(publisher.path)).status_code == 404


async def test_sequence_never_goes_back(gateway: Gateway, publisher: Publisher) -> None:
    for seq, name, status in [
        (5, "five", 200),
        (5, "five", 200),
        (5, "other-five", 409),
        (4, "four", 409),
        (gateway.now, "last", 200),
        (6, "six", 409),
    ]:
        assert await gateway.put(publisher, await publisher.payload(seq, name)) == status, (seq, name)
    assert b"did:example:last" in (await gateway.get(publisher.path)).content


async def test_a_sequence_number_ahead_of_the_clock_is_refused_and_why(gateway: Gateway, publisher: Publisher) -> None:
    for ahead, status in ((601, 400), (2**62, 400), (600, 200)):
        answer = await gateway.put_raw(publisher.path, content=await publisher.payload(gateway.now + ahead))
        assert answer.status_code == status
        if status == 400:
            assert answer.text.startswith("invalidSequence: ")
            assert told_clock(answer.text) == gateway.now


async def test_a_did_is_deactivated(gateway: Gateway, publisher: Publisher) -> None:
    body = await publisher.payload(1, deactivation_packet(publisher.uri))
    assert await gateway.put(publisher, body) == 200


async def test_signature_of_another_key_is_refused(gateway: Gateway, publisher: Publisher) -> None:
    other = await Publisher.make()
    assert await gateway.put(publisher, await other.payload(1)) == 400
    forged = encode(SignedItem(publisher.bytes, bytes(64), 1, publisher.packet("me")))
    assert await gateway.put(publisher, forged) == 400
    assert (await gateway.get(publisher.path)).status_code == 404


@pytest.mark.parametrize("position", [0, 63, 71, 72, -1])
async def test_changed_byte_is_refused(gateway: Gateway, publisher: Publisher, position: int) -> None:
    body = bytearray(await publisher.payload(1))
    body[position] ^= 1
    assert await gateway.put(publisher, bytes(body)) == 400
    assert (await gateway.get(publisher.path)).status_code == 404


async def test_limits_of_the_body(gateway: Gateway, publisher: Publisher) -> None:
    async def signed(size: int) -> bytes:
        value = publisher.packet("x" * (size - len(publisher.packet("x" * 300)) + 300))
        return encode(SignedItem(publisher.bytes, await publisher.signer.sign(signing_input(1, value)), 1, value))

    assert await gateway.put(publisher, b"x" * 71) == 400
    assert await gateway.put(publisher, (await publisher.payload(1)) + b"x" * 1000) == 413
    assert await gateway.put(publisher, b"x" * 10_000_000) == 413
    assert (await gateway.get(publisher.path)).status_code == 404
    assert await gateway.put(publisher, await signed(970)) == 200


async def test_sequence_number_of_64_bits_is_malformed(gateway: Gateway, publisher: Publisher) -> None:
    body = await publisher.payload(1)
    assert await gateway.put(publisher, body[:64] + b"\xff" * 8 + body[72:]) == 400


@pytest.mark.parametrize("path", ["/short", "/" + "l" * 52, "/" + "y" * 53, "/" + "y" * 60_000, "/%F0%9F%A6%8A"])
async def test_what_is_no_key(gateway: Gateway, publisher: Publisher, path: str) -> None:
    for answer in (await gateway.get(path), await gateway.put_raw(path, content=await publisher.payload(1))):
        assert answer.status_code == 400
        assert len(answer.text) < 200


async def test_an_address_may_publish_so_much_and_again_after_a_while(clock: ManualClock, publisher: Publisher) -> None:
    gateway = Gateway(clock, open_memory(), GatewayLimits(burst=3, per_minute=2, addresses=100))
    body = await publisher.payload(1)
    assert [await gateway.put(publisher, body) for _ in range(4)] == [200, 200, 200, 429]
    answer = await gateway.put_raw(publisher.path, content=body)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "30")
    assert await gateway.put(publisher, body, "192.0.2.2") == 200
    assert [await gateway.put(publisher, body, f"2001:db8::{n}") for n in range(4)] == [200, 200, 200, 429]
    assert await gateway.put(publisher, body, "2001:db8:0:1::1") == 200
    assert await gateway.put(publisher, body, "::ffff:192.0.2.3") == 200, "each IPv4 address is its own"
    clock.us += 30 * 1_000_000
    assert [await gateway.put(publisher, body) for _ in range(2)] == [200, 429]
    assert (await gateway.get(publisher.path)).status_code == 200, "reading is not counted"


async def test_what_nobody_renews_is_gone_in_the_end(clock: ManualClock, publisher: Publisher) -> None:
    database = open_memory()
    gateway, limits = Gateway(clock, database), GatewayLimits()
    other = await Publisher.make()
    for one in (publisher, other):
        await gateway.put(one, await one.payload(1))
    clock.us += (limits.kept - 1) * 1_000_000
    await gateway.put(publisher, await publisher.payload(1))  # whoever it is: the DHT has items renewed by anybody
    clock.us += 1 * 1_000_000
    assert (await gateway.get(publisher.path)).status_code == 200
    assert (await gateway.get(other.path)).status_code == 404
    third = await Publisher.make()
    await gateway.put(third, await third.payload(1))
    assert database.connection.execute("SELECT count(*) FROM gateway_item").fetchone() == (2,)


async def test_a_flood_of_documents_drives_out_none_that_is_renewed(clock: ManualClock) -> None:
    database = open_memory()
    gateway = Gateway(clock, database, FEW)
    kept, idle, old = [await Publisher.make() for _ in range(3)]
    for one in (old, idle, kept):
        assert await gateway.put(one, await one.payload(1)) == 200
        clock.us += 1 * 1_000_000
    clock.us += (FEW.held - 10) * 1_000_000
    assert await gateway.put(kept, await kept.payload(1)) == 200
    new = [await Publisher.make() for _ in range(4)]
    assert await gateway.put(new[0], await new[0].payload(1)) == 503, "those here were renewed today"
    clock.us += 20 * 1_000_000
    found = [await gateway.put(one, await one.payload(1)) for one in new]
    assert found == [200, 200, 503, 503], "two make room; the third is renewed, the others are new"
    there = [(await gateway.get(one.path)).status_code for one in (old, idle, kept, *new)]
    assert there == [404, 404, 200, 200, 200, 404, 404]
    assert await gateway.put(kept, await kept.payload(2)) == 200, "who is here can always go on"
    assert await Gateway(clock, database, FEW).put(new[2], await new[2].payload(1)) == 503, "also after a restart"


async def test_a_page_of_another_origin_may_publish(gateway: Gateway, publisher: Publisher) -> None:
    headers = {
        "origin": "https://app.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
    }
    answer = await gateway.options(publisher.path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert int(answer.headers["access-control-max-age"]) >= 3600
    answer = await gateway.get(publisher.path, headers={"origin": "https://app.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, "*")


async def test_items_outlive_the_process(clock: ManualClock, tmp_path: Path, publisher: Publisher) -> None:
    body = await publisher.payload(1)
    first = open_file(tmp_path / "gateway.sqlite")
    await Gateway(clock, first).put(publisher, body)
    await first.close()
    second = open_file(tmp_path / "gateway.sqlite")
    gateway = Gateway(clock, second)
    assert (await gateway.get(publisher.path)).content == body
    assert await gateway.put(publisher, await publisher.payload(0)) == 409
    await second.close()


async def test_a_did_is_published_and_resolved_through_it(clock: ManualClock) -> None:
    http = HttpxHttp(httpx.ASGITransport(create_gateway(open_memory(), crypto, clock)))
    options = dht.identity_defaults(["https://dwn.example/dwn0"])
    did = await dht.create(crypto, **options)
    resolver = default_resolver(http, crypto, clock, "http://gateway")
    assert (await resolver.resolve(did.uri)).did_resolution_metadata["error"] == "notFound"
    await dht.publish(did, http, crypto, "http://gateway", clock=clock)
    resolver.forget(did.uri)
    result = await resolver.resolve(did.uri)
    assert result.did_document == did.document


async def test_what_was_taken_while_the_clock_was_ahead_can_be_renewed_and_followed(
    clock: ManualClock, gateway: Gateway, publisher: Publisher
) -> None:
    year = 365 * 24 * 3600
    clock.us += year * 1_000_000
    seq = gateway.now
    assert await gateway.put(publisher, await publisher.payload(seq, "ahead")) == 200
    clock.us -= year * 1_000_000
    assert await gateway.put(publisher, await publisher.payload(seq, "ahead")) == 200
    assert await gateway.put(publisher, await publisher.payload(seq + 1, "changed")) == 200
    assert await gateway.put(publisher, await publisher.payload(seq + 602, "far")) == 400
    assert b"did:example:changed" in (await gateway.get(publisher.path)).content
