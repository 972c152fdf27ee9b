"""RemoteDwn with WebSockets: against a real node, and against wires whose other end is the test."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.asgi_sockets import AsgiWebSockets
from tests.unit.node.nodes import BASE, Served, clock
from tests.unit.sync.wires import OK, SECONDS, Wires
from web5.cpython.http import HttpxHttp
from web5.dwn import compose
from web5.dwn.wire.rpc import encode_reply, method_of
from web5.errors import NoWebSocket, TimedOut, Unreachable
from web5.remote.dwn import LARGEST_SOCKET_TEXT, RemoteDwn

ENDPOINT = "http://dwn.example/node"
SUBSCRIBE = {"descriptor": {"interface": "Messages", "method": "Subscribe"}}
QUERY = {"descriptor": {"interface": "Records", "method": "Query"}}
DELETE = {"descriptor": {"interface": "Records", "method": "Delete"}}


class Posts(httpx.ASGITransport):
    """Counts the messages that go over HTTP by their kind."""

    def __init__(self, app) -> None:
        super().__init__(app)
        self.counts: Counter[str] = Counter()

    async def handle_async_request(self, request):
        if "dwn-request" in request.headers:
            self.counts[method_of(json.loads(request.headers["dwn-request"])["params"]["message"])] += 1
        return await super().handle_async_request(request)


# -- a real node -------------------------------------------------------------------------------------------------------


@pytest.fixture
async def nodes(tmp_path: Path):
    return await Served.start(tmp_path)


class Live:
    """A remote with a subscription at a node; `events` are those that it brought."""

    @classmethod
    async def make(cls, nodes):
        self = cls()
        self._nodes = nodes
        self.posts, self.sockets = Posts(nodes.app), AsgiWebSockets(nodes.app)
        self.remote = RemoteDwn(HttpxHttp(self.posts), self.sockets, timeout=SECONDS)
        self.events = asyncio.Queue()
        message = await compose.messages_subscribe(nodes.signer, clock)
        self.subscription = await self.remote.subscribe(f"{BASE}/dwn0", nodes.did, message, self.events.put_nowait)
        return self

    async def ask(self, message, data=None):
        return await self.remote.process_message(f"{BASE}/dwn0", self._nodes.did, message, data)


@pytest.fixture
async def live(nodes):
    return await Live.make(nodes)


async def test_a_write_over_http_is_told_over_the_socket(nodes, live):
    assert live.subscription.reply["status"]["code"] == 200
    message = await nodes.message(b"text")
    await live.ask(message, b"text")
    async with asyncio.timeout(SECONDS):
        assert await live.events.get() == {"message": message}


async def test_what_needs_no_data_goes_over_the_open_socket_and_the_rest_over_http(nodes, live):
    message = await nodes.message(b"text")
    record_id = message["recordId"]
    assert (await live.ask(message, b"text"))["status"]["code"] == 202
    [cid] = (await live.ask(await compose.messages_query(nodes.signer, clock)))["entries"]
    read = await live.ask(await compose.messages_read(nodes.signer, clock, message_cid=cid))
    assert await read["entry"]["data"].read() == b"text"
    read = await live.ask(await compose.records_read(nodes.signer, clock, filter={"recordId": record_id}))
    assert await read["entry"]["data"].read() == b"text"
    found = await live.ask(await compose.records_query(nodes.signer, clock, filter={"recordId": record_id}))
    assert [entry["recordId"] for entry in found["entries"]] == [record_id]
    deleted = await live.ask(await compose.records_delete(nodes.signer, clock, record_id=record_id))
    assert deleted["status"]["code"] == 202
    assert live.posts.counts == {"Records.Write": 1, "Messages.Read": 1, "Records.Read": 1}


async def test_when_nothing_is_subscribed_any_more_everything_goes_over_http(nodes, live):
    await live.subscription.close()
    assert (await live.ask(await compose.messages_query(nodes.signer, clock)))["status"]["code"] == 200
    assert live.posts.counts == {"Messages.Query": 1}
    async with asyncio.timeout(SECONDS):
        await live.sockets.made[0].serving


async def test_a_refused_subscription_is_a_reply(nodes, live):
    message = await compose.messages_subscribe(nodes.signer, clock)
    refused = await live.remote.subscribe(f"{BASE}/dwn1", "did:x:other", message, live.events.put_nowait)
    assert refused.reply["status"]["code"] == 401
    await refused.ended()


async def test_a_socket_that_breaks_ends_the_subscription(live):
    live.sockets.made[0].break_off()
    async with asyncio.timeout(SECONDS):
        await live.subscription.ended()


# -- wires -------------------------------------------------------------------------------------------------------------


class Wired:
    """A remote whose sockets are wires, and whose HTTP answers everything with 200."""

    def __init__(self, info=None) -> None:
        async def answer(request: Request) -> Response:
            return Response(encode_reply("1", {"status": {"code": 200, "detail": "over HTTP"}}))

        async def inform(request: Request) -> Response:
            return Response(status_code=404) if info is None else JSONResponse(info)

        self.posts = Posts(Starlette(routes=[Route("/node/info", inform), Route("/node", answer, methods=["POST"])]))
        self.wires = Wires()
        self.remote = RemoteDwn(HttpxHttp(self.posts), self.wires, timeout=SECONDS)

    async def subscribe(self):
        subscribing = asyncio.ensure_future(self.remote.subscribe(ENDPOINT, "did:x:y", SUBSCRIBE, lambda event: None))
        wire = await self.wires.wire()
        wire.reply(await wire.heard())
        return await subscribing, wire

    def ask(self, message):
        return asyncio.ensure_future(self.remote.process_message(ENDPOINT, "did:x:y", message))


async def test_a_query_under_which_the_socket_breaks_is_asked_once_over_http():
    wired = Wired()
    _, wire = await wired.subscribe()
    asking = wired.ask(QUERY)
    await wire.heard()
    wire.break_off()
    assert (await asking)["status"]["detail"] == "over HTTP"
    assert wired.posts.counts == {"Records.Query": 1}


async def test_what_changes_something_is_not_sent_a_second_time():
    wired = Wired()
    _, wire = await wired.subscribe()
    asking = wired.ask(DELETE)
    await wire.heard()
    wire.break_off()
    with pytest.raises(Unreachable):
        await asking
    assert not wired.posts.counts
    assert (await wired.ask(DELETE))["status"]["detail"] == "over HTTP", "the next one finds no socket any more"


async def test_a_message_that_might_be_too_large_for_a_socket_goes_over_http():
    wired = Wired()
    _, wire = await wired.subscribe()
    large = {"descriptor": {**QUERY["descriptor"], "filler": "x" * LARGEST_SOCKET_TEXT}}
    assert (await wired.ask(large))["status"]["detail"] == "over HTTP"
    small = wired.ask(QUERY)
    wire.reply(await wire.heard(), OK)
    assert await small == OK


@pytest.mark.parametrize(
    ("endpoint", "url"),
    [
        ("http://dwn.example", "ws://dwn.example"),
        ("https://dwn.example/a/dwn0/?x=http", "wss://dwn.example/a/dwn0/?x=http"),
    ],
)
async def test_the_socket_is_at_the_endpoint(endpoint, url):
    wired = Wired()
    subscribing = asyncio.ensure_future(wired.remote.subscribe(endpoint, "did:x:y", SUBSCRIBE, lambda event: None))
    wire = await wired.wires.wire()
    wire.reply(await wire.heard())
    await subscribing
    assert wired.wires.urls == [url]


async def test_without_a_port_there_is_no_websocket():
    with pytest.raises(NoWebSocket):
        await RemoteDwn(HttpxHttp()).subscribe(ENDPOINT, "did:x:y", SUBSCRIBE, lambda event: None)


@pytest.mark.parametrize(
    ("failure", "info", "told"),
    [
        (Unreachable("closed"), {"registrationRequirements": [], "webSocketSupport": False}, NoWebSocket),
        (Unreachable("closed"), {"registrationRequirements": [], "webSocketSupport": True}, Unreachable),
        (Unreachable("closed"), None, Unreachable),
        (NoWebSocket("it answered 404"), {"webSocketSupport": True}, NoWebSocket),
        (TimedOut("silence"), {"webSocketSupport": False}, TimedOut),
    ],
)
async def test_a_failed_connection_is_told_from_an_endpoint_without_websockets(failure, info, told):
    wired = Wired(info)
    wired.wires.failure = failure
    with pytest.raises(told):
        await wired.remote.subscribe(ENDPOINT, "did:x:y", SUBSCRIBE, lambda event: None)
