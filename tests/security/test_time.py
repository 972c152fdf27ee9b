"""A question that somebody has caught is of no use later, and nobody keeps a record from being changed until 9999."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest

from tests.clocks import ManualClock
from tests.served import served
from tests.unit.dwn.chat import URI, chat
from tests.unit.dwn.persons import Person, our_dwn, person
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn import compose
from web5.dwn.time_window import SUBSCRIPTION_SECONDS, WINDOW_SECONDS
from web5.dwn.values.types import Message
from web5.dwn.wire import rpc, rpc_socket
from web5.node.server import create_app
from web5.remote.dwn import RemoteDwn

NOW = 1_714_521_600_000_000
MINUTE = 60_000_000
FILTER = {"dataFormat": "text/plain"}


class Nodes:
    """Two running nodes, at /a and /b, with one clock."""

    def __init__(self, url: str, client: httpx.AsyncClient, clock: ManualClock) -> None:
        self.url, self.client, self.clock = url, client, clock

    async def post(self, node: str, header: str, data: bytes | None = None) -> Message:
        headers = {rpc.REQUEST_HEADER: header, "content-type": "application/octet-stream"}
        response = await self.client.post(
            self.url + node, headers=headers if data is not None else {rpc.REQUEST_HEADER: header}, content=data
        )
        return rpc.parse_response(response.headers.get(rpc.RESPONSE_HEADER) or response.content)

    async def send(self, node: str, tenant: Person, message: Message, data: bytes | None = None) -> str:
        """The status, as code and error code."""
        status = (await self.post(node, rpc.encode_request(tenant.did, message), data))["status"]
        return f"{status['code']} {status['detail'].partition(':')[0]}"

    async def socket(self, node: str, text: str) -> Message:
        """The first answer to a text over a WebSocket."""
        socket = await CPythonWebSockets().connect(f"ws{self.url.removeprefix('http')}{node}")
        try:
            await socket.send(text)
            async for answer in socket:
                return rpc_socket.parse_response(answer).reply()
            raise AssertionError("it was closed without an answer")
        finally:
            await socket.close()


@pytest.fixture
async def nodes() -> AsyncIterator[Nodes]:
    clock = ManualClock(NOW, step=1000)
    dwns = {path: our_dwn(clock, window_seconds=WINDOW_SECONDS) for path in ("/a", "/b")}
    for dwn in dwns.values():
        await dwn.open()
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(served(create_app(dwns)))
        client = await stack.enter_async_context(httpx.AsyncClient())
        yield Nodes(url, client, clock)


async def test_what_a_node_was_asked_it_cannot_ask_the_tenant_s_own_node_later(nodes: Nodes) -> None:
    """`a5`, `d2`: Alice asked at /b, in another's DWN or her own; her records are at /a."""
    alice, bob = await person(), await person()
    private = await compose.records_write(alice.signer, nodes.clock, data=b"private", data_format="text/plain")
    assert await nodes.send("/a", alice, private, b"private") == "202 Accepted"
    caught: list[Any] = [
        await compose.records_query(alice.signer, nodes.clock, filter=FILTER),
        await compose.records_read(alice.signer, nodes.clock, filter={"recordId": private["recordId"]}),
        await compose.messages_query(alice.signer, nodes.clock),
        await compose.protocols_query(alice.signer, nodes.clock),
    ]
    for question in caught:
        for tenant in (alice, bob):
            assert "Timestamp" not in await nodes.send("/b", tenant, question)
    subscribe = await compose.messages_subscribe(alice.signer, nodes.clock)
    assert (await nodes.socket("/b", rpc_socket.encode_subscribe(alice.did, subscribe, "1")))["status"]["code"] == 200

    nodes.clock.us += 11 * MINUTE
    later = await compose.records_write(alice.signer, nodes.clock, data=b"later", data_format="text/plain")
    assert await nodes.send("/a", alice, later, b"later") == "202 Accepted"
    for question in caught:
        for node in ("/a", "/b"):
            assert await nodes.send(node, alice, question) == "401 TimestampOutsideWindow"
            reply = await nodes.socket(node, rpc.encode_request(alice.did, question))
            assert reply["status"]["detail"].startswith("TimestampOutsideWindow")
    for node in ("/a", "/b"):
        reply = await nodes.socket(node, rpc_socket.encode_subscribe(alice.did, subscribe, "1"))
        assert reply["status"]["detail"].startswith("TimestampOutsideWindow")
        assert "subscription" not in reply
    again = await compose.records_query(alice.signer, nodes.clock, filter=FILTER)
    assert await nodes.send("/a", alice, again) == "200 OK"


async def test_what_somebody_else_subscribed_to_in_its_time_ends_after_a_day(nodes: Nodes) -> None:
    alice = await person()
    remote, events = RemoteDwn(HttpxHttp(), CPythonWebSockets()), asyncio.Queue[Message]()
    caught = await compose.messages_subscribe(alice.signer, nodes.clock)
    subscription = await remote.subscribe(f"{nodes.url}/a", alice.did, caught, events.put_nowait)

    async def write(data: bytes) -> None:
        message = await compose.records_write(alice.signer, nodes.clock, data=data, data_format="text/plain")
        assert await nodes.send("/a", alice, message, data) == "202 Accepted"

    await write(b"today")
    assert (await asyncio.wait_for(events.get(), 10))["message"]["descriptor"]["dataSize"] == 5
    nodes.clock.us += SUBSCRIPTION_SECONDS * 1_000_000
    await write(b"tomorrow")
    await asyncio.wait_for(subscription.ended(), 10)
    assert events.empty()


async def test_a_member_freezes_nothing_until_9999(nodes: Nodes) -> None:
    """`b5`."""
    alice, bob = await person(), await person()

    async def write(by: Person, data: bytes, **options: Any) -> Message:
        if "existing" not in options:
            options |= {"data_format": "text/plain", "protocol": URI}
        return await compose.records_write(by.signer, nodes.clock, data=data, **options)

    configure = await compose.protocols_configure(alice.signer, nodes.clock, definition=chat())
    assert await nodes.send("/a", alice, configure) == "202 Accepted"
    thread = await write(alice, b"t", protocol_path="thread")
    below = {"parent_context_id": thread["contextId"]}
    member = await write(alice, b"m", protocol_path="thread/member", recipient=bob.did, **below)
    schema = "https://example.com/schemas/post"
    post = await write(alice, b"p", protocol_path="thread/post", schema=schema, **below)
    for message, data in ((thread, b"t"), (member, b"m"), (post, b"p")):
        assert await nodes.send("/a", alice, message, data) == "202 Accepted"

    far = "9999-12-31T23:59:59.999999Z"
    frozen = await write(bob, b"f", existing=post, protocol_role="thread/member", message_timestamp=far)
    assert await nodes.send("/a", alice, frozen, b"f") == "400 TimestampAhead"
    changed = await write(bob, b"b", existing=post, protocol_role="thread/member")
    assert await nodes.send("/a", alice, changed, b"b") == "202 Accepted"
    mine = await write(alice, b"a", existing=changed)
    assert await nodes.send("/a", alice, mine, b"a") == "202 Accepted"
    for record in (post, thread):
        gone = await compose.records_delete(
            alice.signer, nodes.clock, record_id=record["recordId"], prune=record is thread
        )
        assert await nodes.send("/a", alice, gone) == "202 Accepted"


async def test_nobody_gets_back_by_an_old_date_what_has_ended(nodes: Nodes) -> None:
    """A former member writes as of when he was one; what the tenant said of another message, or long ago, helps not."""
    alice, bob = await person(), await person()

    async def write(by: Person, data: bytes, **options: Any) -> Message:
        options |= {"data_format": "text/plain", "protocol": URI}
        return await compose.records_write(by.signer, nodes.clock, data=data, **options)

    configure = await compose.protocols_configure(alice.signer, nodes.clock, definition=chat())
    thread = await write(alice, b"t", protocol_path="thread")
    below = {"parent_context_id": thread["contextId"]}
    role = await write(alice, b"m", protocol_path="thread/member", recipient=bob.did, **below)
    post = {"protocol_path": "thread/post", "schema": "https://example.com/schemas/post", **below}
    old = [await write(bob, data, protocol_role="thread/member", **post) for data in (b"1", b"2")]
    end = await compose.records_delete(alice.signer, nodes.clock, record_id=role["recordId"])
    for message, data in ((configure, None), (thread, b"t"), (role, b"m"), (end, None)):
        assert await nodes.send("/a", alice, message, data) == "202 Accepted"

    refusal = "401 ProtocolAuthorizationMatchingRoleRecordNotFound"
    assert await nodes.send("/a", alice, old[0], b"1") == refusal
    his = await compose.messages_replicate(bob.signer, nodes.clock, message=old[0])
    assert await nodes.send("/a", alice, his, b"1") == "401 MessagesReplicateAuthorizationFailed"
    hers = await compose.messages_replicate(alice.signer, nodes.clock, message=old[0])
    other = await compose.messages_replicate(alice.signer, nodes.clock, message=old[1])
    assert await nodes.send("/a", alice, {**hers, "message": old[1]}, b"2") == "400 MessagesReplicateCidMismatch"
    mixed = {**hers, "descriptor": other["descriptor"], "message": old[1]}
    assert (await nodes.send("/a", alice, mixed, b"2")).startswith(("400", "401"))
    asked = await compose.messages_history(bob.signer, nodes.clock)
    assert await nodes.send("/a", alice, asked) == "401 MessagesHistoryAuthorizationFailed"

    assert await nodes.send("/a", alice, hers, b"1") == "202 Accepted"
    nodes.clock.us += 11 * MINUTE
    assert await nodes.send("/a", alice, other, b"2") == "401 TimestampOutsideWindow"
    again = await compose.messages_replicate(alice.signer, nodes.clock, message=old[1])
    assert await nodes.send("/a", alice, again, b"2") == "202 Accepted"
