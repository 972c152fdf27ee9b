from pathlib import Path

import httpx
import pytest

from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.crypto.encoding import b64url_decode, z32_encode
from web5.dids import dht
from web5.dids.dht.bep44 import SignedItem, encode, sign_item, signing_input
from web5.dids.resolver import default_resolver
from web5.dwn.store.database import open_file, open_memory
from web5.node.gateway import create_gateway
from web5.ports.clock import SystemClock

crypto = CPythonCrypto()


class Key:
    """A publisher."""

    @classmethod
    async def make(cls):
        self = cls()
        private = await crypto.generate_key("Ed25519")
        self.signer = await crypto.signer(private)
        self.bytes = b64url_decode(private["x"])
        self.path = "/" + z32_encode(self.bytes)
        return self

    async def payload(self, seq: int, value: bytes = b"value") -> bytes:
        return encode(await sign_item(self.bytes, seq, value, self.signer))


def client_of(database) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(create_gateway(database, crypto))
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


@pytest.fixture
async def client():
    async with client_of(open_memory()) as client:
        yield client


@pytest.fixture
async def key():
    return await Key.make()


async def test_what_was_put_comes_back_byte_for_byte(client, key):
    body = await key.payload(7, b"\x00\xff" * 10)
    assert (await client.put(key.path, content=body)).status_code == 200
    answer = await client.get(key.path)
    assert (answer.status_code, answer.content) == (200, body)
    assert answer.headers["content-type"] == "application/octet-stream"


async def test_unknown_key(client, key):
    assert (await client.get(key.path)).status_code == 404


async def test_sequence_never_goes_back(client, key):
    for seq, value, status in [
        (5, b"five", 200),
        (5, b"five", 200),
        (5, b"other five", 409),
        (4, b"four", 409),
        (2**63 - 1, b"last", 200),
        (6, b"six", 409),
    ]:
        answer = await client.put(key.path, content=await key.payload(seq, value))
        assert answer.status_code == status, (seq, value)
    assert (await client.get(key.path)).content.endswith(b"last")


async def test_signature_of_another_key_is_refused(client, key):
    other = await Key.make()
    assert (await client.put(key.path, content=await other.payload(1))).status_code == 400
    assert (await client.get(key.path)).status_code == 404


@pytest.mark.parametrize("position", [0, 63, 71, 72, -1])
async def test_changed_byte_is_refused(client, key, position):
    body = bytearray(await key.payload(1))
    body[position] ^= 1
    assert (await client.put(key.path, content=bytes(body))).status_code == 400
    assert (await client.get(key.path)).status_code == 404


async def test_limits_of_the_body(client, key):
    async def signed(value: bytes) -> bytes:
        return encode(SignedItem(key.bytes, await key.signer.sign(signing_input(1, value)), 1, value))

    assert (await client.put(key.path, content=b"x" * 71)).status_code == 400
    assert (await client.put(key.path, content=await signed(b"x" * 1001))).status_code == 413
    assert (await client.put(key.path, content=b"x" * 10_000_000)).status_code == 413
    assert (await client.get(key.path)).status_code == 404
    assert (await client.put(key.path, content=await signed(b"x" * 1000))).status_code == 200


async def test_sequence_number_of_64_bits_is_malformed(client, key):
    body = await key.payload(1)
    body = body[:64] + b"\xff" * 8 + body[72:]
    assert (await client.put(key.path, content=body)).status_code == 400


@pytest.mark.parametrize("path", ["/short", "/" + "l" * 52, "/" + "y" * 53, "/%F0%9F%A6%8A"])
async def test_what_is_no_key(client, key, path):
    assert (await client.get(path)).status_code == 400
    assert (await client.put(path, content=await key.payload(1))).status_code == 400


async def test_a_page_of_another_origin_may_publish(client, key):
    headers = {
        "origin": "https://app.example",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
    }
    answer = await client.options(key.path, headers=headers)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "PUT" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "content-type"
    assert int(answer.headers["access-control-max-age"]) >= 3600
    answer = await client.get(key.path, headers={"origin": "https://app.example"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (404, "*")


async def test_items_outlive_the_process(tmp_path: Path, key):
    body = await key.payload(1)
    first = open_file(tmp_path / "gateway.sqlite")
    async with client_of(first) as client:
        await client.put(key.path, content=body)
    await first.close()
    second = open_file(tmp_path / "gateway.sqlite")
    async with client_of(second) as client:
        assert (await client.get(key.path)).content == body
        assert (await client.put(key.path, content=await key.payload(0))).status_code == 409
    await second.close()


async def test_a_did_is_published_and_resolved_through_it():
    http = HttpxHttp(httpx.ASGITransport(create_gateway(open_memory(), crypto)))
    options = dht.identity_defaults(["https://dwn.example/dwn0"])
    did = await dht.create(crypto, **options)
    resolver = default_resolver(http, crypto, SystemClock(), "http://gateway")
    assert (await resolver.resolve(did.uri)).did_resolution_metadata["error"] == "notFound"
    await dht.publish(did, http, crypto, "http://gateway")
    resolver.forget(did.uri)
    result = await resolver.resolve(did.uri)
    assert result.did_document == did.document
