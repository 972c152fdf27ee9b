"""The same texts to both servers' sockets, and the same answers."""

import json

import pytest
import pytest_asyncio

from tests.interop.dwn_server import ReferenceDwnServer
from tests.interop.node.serving import EmbeddedServer
from web5.cpython.crypto import CPythonCrypto
from web5.cpython.http import HttpxHttp
from web5.cpython.websocket import CPythonWebSockets
from web5.dids import dht
from web5.dids.keys import signer_for
from web5.dwn import compose
from web5.dwn.values.cid import message_cid
from web5.dwn.wire import rpc, rpc_socket
from web5.ports.clock import SystemClock
from web5.remote.dwn import RemoteDwn

pytestmark = pytest.mark.asyncio(loop_scope="session")

clock = SystemClock()
crypto = CPythonCrypto()


class Both:
    """Our node and the reference's, with an identity and a record of it at each."""

    @classmethod
    async def make(cls, ours: EmbeddedServer, theirs: ReferenceDwnServer):
        self = cls()
        http = HttpxHttp()
        portable = await dht.create(crypto)
        await dht.publish(portable, http, crypto, ours.url + "/dht")
        self.did, self.signer = portable.uri, await signer_for(portable, crypto)
        self.write = await compose.records_write(self.signer, clock, data=b"text", data_format="text/plain")
        self._sockets = []
        for url in (f"{ours.url}/dwn0", theirs.url):
            reply = await RemoteDwn(http).process_message(url, self.did, self.write, b"text")
            assert reply["status"]["code"] == 202
            socket = await CPythonWebSockets().connect(url.replace("http", "ws"))
            self._sockets.append((socket, aiter(socket)))
        await http.close()
        return self

    async def ask(self, text: str):
        """What both answer: ours, theirs."""
        answers = []
        for socket, texts in self._sockets:
            await socket.send(text)
            answers.append(json.loads(await anext(texts)))
        return answers

    async def same(self, text: str):
        """The answer, which has to be the same."""
        ours, theirs = await self.ask(text)
        assert ours == theirs
        return ours

    async def subscribe(self, subscription, id) -> str:
        return rpc_socket.encode_subscribe(
            self.did, await compose.messages_subscribe(self.signer, clock), subscription, id
        )

    async def close(self) -> None:
        for socket, _ in self._sockets:
            await socket.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def theirs(embedded: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory):
    async with ReferenceDwnServer(tmp_path_factory.mktemp("theirs"), embedded.url + "/dht") as server:
        yield server


@pytest_asyncio.fixture(loop_scope="session")
async def both(embedded: EmbeddedServer, theirs: ReferenceDwnServer):
    both = await Both.make(embedded, theirs)
    yield both
    await both.close()


async def test_subscriptions(both):
    assert (await both.same(await both.subscribe("s", "1")))["result"]["reply"]["status"]["code"] == 200
    assert "in use" in (await both.same(await both.subscribe("s", "2")))["error"]["message"]
    assert (await both.same(await both.subscribe(7, 3)))["id"] == 3
    assert (await both.same(rpc_socket.encode_close("s", "4")))["result"]["reply"]["status"] == 200
    assert "does not exist" in (await both.same(rpc_socket.encode_close("s", "5")))["error"]["message"]
    assert "does not exist" in (await both.same(rpc_socket.encode_close(8, "6")))["error"]["message"]
    assert (await both.same(await both.subscribe("s", "7")))["result"]["reply"]["status"]["code"] == 200


async def test_a_subscription_without_an_id_gets_one(both):
    message = await compose.messages_subscribe(both.signer, clock)
    params = {"target": both.did, "message": message}
    text = rpc.encode("1", method=rpc_socket.SUBSCRIBE, params=params, subscription={})
    reply = (await both.same(text))["result"]["reply"]
    assert reply["subscription"]["id"] == message_cid(message)
    assert all("in use" in answer["error"]["message"] for answer in await both.ask(text))


async def test_subscribe_without_a_subscription(both):
    message = await compose.messages_subscribe(both.signer, clock)
    params = {"target": both.did, "message": message}
    for method in (rpc.PROCESS_MESSAGE, rpc_socket.SUBSCRIBE):
        answer = await both.same(rpc.encode("1", method=method, params=params))
        assert "subscriptionRequest context" in answer["error"]["message"]
    beside = rpc.encode("1", method=rpc.PROCESS_MESSAGE, params=params, subscription={"id": "s"})
    assert "subscriptionRequest context" in (await both.same(beside))["error"]["message"]


async def test_close_without_a_subscription(both):
    answer = await both.same(rpc.encode("1", method=rpc_socket.CLOSE, params={}))
    assert "subscribe options" in answer["error"]["message"]


async def test_data_go_over_http(both):
    assert (
        "not supported via ws" in (await both.same(rpc.encode_request(both.did, both.write, "1")))["error"]["message"]
    )
    read = await compose.records_read(both.signer, clock, filter={"recordId": both.write["recordId"]})
    answer = await both.same(rpc.encode_request(both.did, read, "2"))
    assert answer["result"]["reply"]["entry"] == {"recordsWrite": both.write}


async def test_questions_and_refusals(both):
    query = await compose.records_query(both.signer, clock, filter={"dataFormat": "text/plain"})
    [entry] = (await both.same(rpc.encode_request(both.did, query, "1")))["result"]["reply"]["entries"]
    assert entry["encodedData"] == "dGV4dA"
    as_subscription = rpc_socket.encode_subscribe(both.did, query, "s", "2")
    assert len((await both.same(as_subscription))["result"]["reply"]["entries"]) == 1
    subscribe = await compose.messages_subscribe(both.signer, clock)
    refused = await both.same(rpc_socket.encode_subscribe("did:dht:other", subscribe, "s", "3"))
    assert refused["result"]["reply"]["status"]["code"] == 401


@pytest.mark.parametrize("text", ["", "{", "not JSON"])
async def test_what_is_no_json(both, text):
    ours, theirs = await both.ask(text)
    assert ours["error"]["code"] == theirs["error"]["code"] == rpc.ErrorCode.BAD_REQUEST
