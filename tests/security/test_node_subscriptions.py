"""Subscriptions of strangers are few, and end with what allowed them; who subscribed is told, and does not hammer."""

import asyncio
import dataclasses
import json
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tests.asgi_sockets import AsgiWebSockets
from tests.unit.dwn.chat import URI, chat
from tests.unit.node.nodes import LIMITS, Served
from web5.cpython.crypto import CPythonCrypto
from web5.crypto.encoding import b64url_decode
from web5.dids.jwk import create
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.dwn.permissions.compose import permission_grant, permission_revocation
from web5.dwn.values.timestamps import format_timestamp
from web5.dwn.wire import rpc, rpc_socket
from web5.dwn.wire.rpc import ErrorCode
from web5.node import serve
from web5.node.registration import Registrations, RegistrationSettings
from web5.ports.clock import SystemClock

LIMIT = 60
SHORT = 0.05
clock, crypto = SystemClock(), CPythonCrypto()


class Person:
    @classmethod
    async def make(cls):
        self = cls()
        portable = await create(crypto, "Ed25519")
        self.did, self.signer = portable.uri, await signer_for(portable, crypto)
        return self


class Node:
    """The embedded default in this process, in which Bob listens to Alice's DWN on one socket."""

    @classmethod
    async def start(cls, folder: Path, stack: AsyncExitStack, registration=None):
        self = cls()
        self.alice, self.bob = await Person.make(), await Person.make()
        app = await stack.enter_async_context(serve.embedded(folder, None, registration))
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")
        self.socket = await AsgiWebSockets(app).connect("ws://node/dwn0")
        self._texts = aiter(self.socket)
        return self

    async def send(self, message, data=None):
        response = await self.client.post(
            "/dwn0", headers={"dwn-request": rpc.encode_request(self.alice.did, message)}, content=data
        )
        reply = rpc.parse_response(response.content)
        assert reply["status"]["code"] in (200, 202), reply
        return message

    async def keep(self, encoded):
        """Store a permission record, whose data are in it."""
        bare = {name: value for name, value in encoded.items() if name != "encodedData"}
        return await self.send(bare, b64url_decode(encoded["encodedData"]))

    async def write(self, text: bytes, **more):
        options = {"data_format": "text/plain", **more}
        return await self.send(await compose.records_write(self.alice.signer, clock, data=text, **options), text)

    async def hear(self):
        async with asyncio.timeout(LIMIT):
            return json.loads(await anext(self._texts))

    async def subscribe(self, message, id="s"):
        await self.socket.send(rpc_socket.encode_subscribe(self.alice.did, message, id, "asked"))
        answer = await self.hear()
        return answer["result"]["reply"]["status"]["code"] if "result" in answer else answer["error"]["code"]

    async def is_told_of_the_end(self, id="s"):
        told = await self.hear()
        assert told["id"] == id
        assert told["error"]["code"] == ErrorCode.UNAUTHORIZED
        assert "result" not in told


@pytest.fixture
async def stack():
    async with AsyncExitStack() as stack:
        yield stack


async def grant(node: Node, seconds: float):
    return await permission_grant(
        node.alice.signer,
        clock,
        granted_to=node.bob.did,
        date_expires=format_timestamp(clock.now() + int(seconds * 1_000_000)),
        scope={"interface": "Messages", "method": "Subscribe"},
    )


@pytest.mark.parametrize("looked_at", ["by and by", "at the next event"])
async def test_with_its_grant(tmp_path: Path, stack: AsyncExitStack, monkeypatch, looked_at):
    monkeypatch.setattr(serve, "REVIEW_SECONDS", SHORT if looked_at == "by and by" else LIMIT)
    node = await Node.start(tmp_path, stack)
    given = await grant(node, 3600)
    stored = await node.keep(given)
    subscribe = await compose.messages_subscribe(node.bob.signer, clock, permission_grant_id=stored["recordId"])
    assert await node.subscribe(subscribe) == 200
    await node.write(b"while it holds")
    assert "event" in (await node.hear())["result"]
    await node.keep(await permission_revocation(node.alice.signer, clock, grant=given))
    if looked_at == "at the next event":
        await node.write(b"after it")
    await node.is_told_of_the_end()
    assert await node.subscribe(subscribe) == 401


async def test_with_the_time_of_its_grant_though_nothing_happens(tmp_path: Path, stack: AsyncExitStack, monkeypatch):
    monkeypatch.setattr(serve, "REVIEW_SECONDS", SHORT)
    node = await Node.start(tmp_path, stack)
    stored = await node.keep(await grant(node, 2))
    subscribe = await compose.messages_subscribe(node.bob.signer, clock, permission_grant_id=stored["recordId"])
    assert await node.subscribe(subscribe) == 200
    await node.is_told_of_the_end()


async def test_with_the_role(tmp_path: Path, stack: AsyncExitStack, monkeypatch):
    monkeypatch.setattr(serve, "REVIEW_SECONDS", SHORT)
    node = await Node.start(tmp_path, stack)
    await node.send(await compose.protocols_configure(node.alice.signer, clock, definition=chat()))
    thread = await node.write(b"t", protocol=URI, protocol_path="thread")
    inside = {"protocol": URI, "parent_context_id": thread["contextId"]}
    role = await node.write(b"m", protocol_path="thread/member", recipient=node.bob.did, **inside)
    filter = {"protocol": URI, "protocolPath": "thread/post", "contextId": thread["contextId"]}
    subscribe = await compose.records_subscribe(node.bob.signer, clock, filter=filter, protocol_role="thread/member")
    assert await node.subscribe(subscribe) == 200
    await node.send(await compose.records_delete(node.alice.signer, clock, record_id=role["recordId"]))
    await node.is_told_of_the_end()
    schema = "https://example.com/schemas/post"
    await node.write(b"p", protocol_path="thread/post", schema=schema, **inside)
    assert await node.subscribe(subscribe, "again") == 401


async def test_with_the_admission_of_its_tenant(tmp_path: Path, stack: AsyncExitStack, monkeypatch):
    monkeypatch.setattr(serve, "REVIEW_SECONDS", SHORT)
    refused: set[str] = set()

    async def refusal(self, tenant: str) -> str | None:
        return "gone" if tenant in refused else None

    monkeypatch.setattr(Registrations, "refusal", refusal)
    node = await Node.start(tmp_path, stack, RegistrationSettings("Be kind."))
    own = await compose.messages_subscribe(node.alice.signer, clock)
    public = await compose.records_subscribe(None, clock, filter={"schema": "https://x.example/"})
    assert await node.subscribe(own, "own") == 200
    assert await node.subscribe(public, "public") == 200
    refused.add(node.alice.did)
    for id in ("own", "public"):
        await node.is_told_of_the_end(id)
    assert await node.subscribe(own, "own") == 401


async def strangers_subscribe(nodes: Served, count: int) -> list[int]:
    """The codes of the answers to unsigned subscriptions on one socket."""
    socket = await AsgiWebSockets(nodes.app).connect("ws://server/dwn0")
    texts, codes = aiter(socket), []
    for number in range(count):
        message = await compose.records_subscribe(None, clock, filter={"tags": {f"a{number}": 1}})
        await socket.send(rpc_socket.encode_subscribe(nodes.did, message, f"s{number}"))
        answer = json.loads(await anext(texts))
        codes.append(answer["result"]["reply"]["status"]["code"] if "result" in answer else answer["error"]["code"])
    return codes


async def test_strangers_have_only_so_many_at_one_tenant_whatever_their_sockets(tmp_path: Path):
    limits = dataclasses.replace(LIMITS, subscriptions=4, subscriptions_of_strangers=6)
    nodes = await Served.start(tmp_path, limits)
    full = ErrorCode.TOO_MANY_REQUESTS
    assert await strangers_subscribe(nodes, 5) == [200] * 4 + [full]
    assert await strangers_subscribe(nodes, 3) == [200, 200, full]
    assert nodes.dwns["/dwn0"].subscriptions == 6
    socket = await AsgiWebSockets(nodes.app).connect("ws://server/dwn0")
    own = await compose.messages_subscribe(nodes.signer, clock)
    await socket.send(rpc_socket.encode_subscribe(nodes.did, own, "own"))
    assert json.loads(await anext(aiter(socket)))["result"]["reply"]["status"]["code"] == 200


async def test_an_address_has_only_so_many(tmp_path: Path):
    nodes = await Served.start(tmp_path, dataclasses.replace(LIMITS, subscriptions_of_address=3))
    sockets = AsgiWebSockets(nodes.app)
    socket = await sockets.connect("ws://server/dwn0")
    texts = aiter(socket)

    async def code(id: str, text: str):
        await socket.send(text)
        answer = json.loads(await anext(texts))
        return answer["result"]["reply"]["status"] if "result" in answer else answer["error"]["code"]

    own = await compose.messages_subscribe(nodes.signer, clock)
    for id in "abc":
        assert (await code(id, rpc_socket.encode_subscribe(nodes.did, own, id)))["code"] == 200
    assert await code("d", rpc_socket.encode_subscribe(nodes.did, own, "d")) == ErrorCode.TOO_MANY_REQUESTS
    await code("a", rpc_socket.encode_close("a"))
    assert (await code("d", rpc_socket.encode_subscribe(nodes.did, own, "d")))["code"] == 200
    socket.break_off()
    async with asyncio.timeout(LIMIT):
        await socket.serving
    socket = await sockets.connect("ws://server/dwn0")
    texts = aiter(socket)
    assert (await code("a", rpc_socket.encode_subscribe(nodes.did, own, "a")))["code"] == 200
