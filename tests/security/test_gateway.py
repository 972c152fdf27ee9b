"""Nothing but a did:dht's own packet, signed by its key, is taken by the gateway: mutations of packets and items."""

from __future__ import annotations

import asyncio
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.security.examples import examples
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode, b64url_encode, z32_encode
from web5.dids import dht
from web5.dids.dht import bep44
from web5.dids.dht.packet import deactivation_packet, to_packet
from web5.dwn.store.database import open_memory
from web5.node.gateway import create_gateway
from web5.node.gateway_items import GatewayLimits
from web5.ports.crypto import RawSigner

crypto = CPythonCrypto()
EXAMPLES = 200
TRIED: Counter[int] = Counter()
L = 2**252 + 27742317777372353535851937790883648493
"""The order of Ed25519's group."""


@dataclass
class Scene:
    """A publisher, a packet of its own, and a gateway with room for any number of them."""

    packet: bytes
    key: bytes
    signer: RawSigner
    database: Any
    client: httpx.AsyncClient
    seq: int = 0

    @property
    def path(self) -> str:
        return f"/{z32_encode(self.key)}"

    async def put(self, body: bytes) -> int:
        status = (await self.client.put(self.path, content=body)).status_code
        TRIED[status] += 1
        return status

    async def sign(self, packet: bytes) -> bytes:
        self.seq += 1
        signature = await self.signer.sign(bep44.signing_input(self.seq, packet))
        return signature + self.seq.to_bytes(8, "big") + packet


async def scene(kind: str) -> Scene:
    options: dict[str, Any] = dht.identity_defaults(["https://dwn.example.com/dwn0", "https://dwn.example.com/dwn1"])
    if kind == "everything":
        options |= {"also_known_as": ["did:example:a"], "controllers": "did:example:b", "types": ["WebApp"]}
    portable = await dht.create(crypto, **options)
    assert portable.private_keys is not None
    private = portable.private_keys[0]
    packet = to_packet(portable.document, types=portable.metadata.get("types", ()), gateway_uris=["https://gw.example"])
    if kind == "deactivated":
        packet = deactivation_packet(portable.uri)
    database = open_memory()
    app = create_gateway(database, crypto, limits=GatewayLimits(burst=10**9))
    client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway")
    return Scene(packet, b64url_decode(private["x"]), await crypto.signer(private), database, client)


KINDS = ("identity", "everything", "deactivated")
RECORD = struct.Struct(">HHIH")


@st.composite
def mutated(draw: st.DrawFn, packet: bytes) -> bytes:
    """The packet, changed up to three times."""
    for _ in range(draw(st.sampled_from((1, 1, 2, 3)))):
        packet = draw(st.sampled_from(WAYS))(draw, packet)
    return packet[:1000]


def patched(draw: st.DrawFn, packet: bytes) -> bytes:
    at, patch = draw(st.integers(0, len(packet))), draw(st.binary(min_size=1, max_size=4))
    return packet[:at] + patch + packet[at + len(patch) :]


def inserted(draw: st.DrawFn, packet: bytes) -> bytes:
    at = draw(st.integers(0, len(packet)))
    return packet[:at] + draw(st.binary(min_size=1, max_size=20)) + packet[at:]


def cut(draw: st.DrawFn, packet: bytes) -> bytes:
    at, size = draw(st.integers(0, len(packet))), draw(st.integers(1, 40))
    return packet[:at] + packet[at + size :]


def longer(draw: st.DrawFn, packet: bytes) -> bytes:
    return packet + draw(st.binary(min_size=1, max_size=100) | st.just(b"\0"))


def header(draw: st.DrawFn, packet: bytes) -> bytes:
    at = 2 * draw(st.integers(1, 5))
    return packet[:at] + draw(st.binary(min_size=2, max_size=2) | st.just(b"\0\1")) + packet[at + 2 :]


def more_records(draw: st.DrawFn, packet: bytes) -> bytes:
    """Append records, some of them well-formed ones that have no business there."""
    name = draw(
        st.sampled_from([b"\x03_k0\x04_did\0", b"\x03_s9\x04_did\0", b"\x04_aka\x04_did\0", b"\x04_xyz\x04_did\0"])
        | st.sampled_from([b"\x04_did\0", b"\0", b"\xc0\x0c", b"\x01a\xc0\x0c", b"\x08_aka._di\x01d\0"])
    )
    text = draw(st.sampled_from([b"\x09id=a;t=b;", b"\x13id=a;t=b;se=https://", b"\x00", b"\x03t=0", b"", b"\x09ab"]))
    kind, dns_class = draw(st.sampled_from([16, 16, 2, 1, 41, 0])), draw(st.sampled_from([1, 1, 1, 3, 255]))
    record = name + RECORD.pack(kind, dns_class, 7200, len(text)) + text
    times = draw(st.sampled_from((1, 1, 2, 40)))
    count = int.from_bytes(packet[6:8], "big") + times
    return packet[:6] + (count & 0xFFFF).to_bytes(2, "big") + packet[8:] + record * times


def other_text(draw: st.DrawFn, packet: bytes) -> bytes:
    """Change a text and keep all lengths right."""
    spans = [span for name, span in _records(packet)]
    start, end = draw(st.sampled_from(spans))
    if end - start < 2:
        return packet
    at = draw(st.integers(start + 1, end - 1))
    return packet[:at] + draw(st.sampled_from([b";", b"=", b",", b"9", b"\xff", b"k", b"s"])) + packet[at + 1 :]


WAYS = (patched, inserted, cut, longer, header, more_records, other_text)


def _records(packet: bytes) -> list[tuple[str, tuple[int, int]]]:
    """Names, and where the data are, of a well-formed packet without compression; nothing if it is another."""
    found, at = [], 12
    try:
        for _ in range(int.from_bytes(packet[6:8], "big")):
            labels = []
            while size := packet[at]:
                assert size < 64
                labels.append(packet[at + 1 : at + 1 + size].decode("latin-1"))
                at += 1 + size
            *_, length = RECORD.unpack(packet[at + 1 : at + 11])
            found.append((".".join(labels), (at + 11, at + 11 + length)))
            at += 11 + length
    except (IndexError, struct.error, AssertionError):
        return found or [("", (12, len(packet)))]
    return found or [("", (12, len(packet)))]


def texts_of(packet: bytes) -> Iterator[tuple[str, str]]:
    """Read a packet by another way than the gateway does: from its beginning to its very end."""
    at = 12

    def name() -> str:
        nonlocal at
        labels, here, jumped, hops = [], at, False, 0
        while size := packet[here]:
            if size >= 0xC0:
                if not jumped:
                    at, jumped = here + 2, True
                here, hops = int.from_bytes(packet[here : here + 2], "big") & 0x3FFF, hops + 1
                assert hops < 20
                continue
            labels.append(packet[here + 1 : here + 1 + size].decode())
            here += 1 + size
        if not jumped:
            at = here + 1
        return ".".join(labels)

    assert packet[2:6] == b"\x84\0\0\0"
    assert packet[8:12] == bytes(4)
    for _ in range(int.from_bytes(packet[6:8], "big")):
        owner = name()
        kind, dns_class, _, length = RECORD.unpack(packet[at : at + 10])
        at += 10
        assert (kind, dns_class) in ((16, 1), (2, 1))
        end = at + length
        if kind == 2:
            name()
            assert at == end
            yield owner, "NS"
            continue
        strings = []
        while at < end:
            strings.append(packet[at + 1 : at + 1 + packet[at]])
            at += 1 + packet[at]
        assert at == end
        yield owner, b"".join(strings).decode()
    assert at == len(packet)


def is_packet_of(key: bytes, packet: bytes) -> None:
    """Check by what the specification says, on a way of its own, that a packet is the key's did:dht."""
    suffix = z32_encode(key)
    records = [record for record in texts_of(packet) if record[1] != "NS" or not record[0].startswith("_did.")]
    texts = dict(records)
    assert len(texts) == len(records)
    root = texts.pop(f"_did.{suffix}")
    if root == "deactivated":
        assert not texts
        return
    members = dict(pair.split("=", 1) for pair in root.split(";"))
    assert members["v"] == "0"
    labels = {owner.removesuffix(f".{suffix}").removesuffix("._did").removeprefix("_"): owner for owner in texts}
    named = set(",".join([members["vm"], members.get("svc", "")]).strip(",").split(","))
    assert named | {"aka", "cnt", "typ", "prv"} >= labels.keys() >= named
    keys = [dict(pair.split("=", 1) for pair in texts[labels[one]].split(";")) for one in members["vm"].split(",")]
    assert any(one["k"] == b64url_encode(key) for one in keys)


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_packet_is_taken_even_if_the_key_has_signed_it(kind: str) -> None:
    with asyncio.Runner() as runner:
        world = runner.run(scene(kind))
        assert runner.run(_put_signed(world, world.packet)) == 200

        @examples(EXAMPLES)
        @given(mutated(world.packet))
        def one(packet: bytes) -> None:
            if runner.run(_put_signed(world, packet)) == 200:
                is_packet_of(world.key, packet)

        one()


async def _put_signed(world: Scene, packet: bytes) -> int:
    return await world.put(await world.sign(packet))


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_item_is_taken(kind: str) -> None:
    with asyncio.Runner() as runner:
        world = runner.run(scene(kind))
        body = runner.run(world.sign(world.packet))
        assert runner.run(world.put(body)) == 200

        @examples(EXAMPLES // 3)
        @given(mutated(body) | st.binary(max_size=1100))
        def one(changed: bytes) -> None:
            assert runner.run(world.put(changed)) in ((200,) if changed == body else (400, 409, 413))

        one()
        # S + L is another form of the same signature, which RFC 8032 refuses.
        signature = body[:32] + (int.from_bytes(body[32:64], "little") + L).to_bytes(32, "little")
        assert runner.run(world.put(signature + body[64:])) == 400
        other = runner.run(scene(kind))
        assert runner.run(other.put(body)) == 400
        rows = world.database.connection.execute("SELECT payload FROM gateway_item").fetchall()
        assert rows == [(body,)]


@pytest.mark.parametrize("value", [b"", bytes(12), b"x" * 940, bytes(range(256)) * 3], ids=len)
async def test_values_that_are_no_packet_at_all(value: bytes) -> None:
    world = await scene("identity")
    assert await _put_signed(world, value) == 400


async def test_a_packet_is_for_its_own_key() -> None:
    world, other = await scene("identity"), await scene("identity")
    assert await _put_signed(world, other.packet) == 400
    gone = await scene("deactivated")
    assert await _put_signed(world, gone.packet) == 400
