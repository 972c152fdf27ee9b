"""Nothing that a client sends ends in a 500, over HTTP and over a WebSocket, and the node goes on.

Messages are mutated before they are signed, so that they get past the signature; envelopes as they are.
"""

import asyncio
import copy
import json
import logging
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.asgi_sockets import AsgiWebSockets
from tests.security.examples import examples
from tests.security.test_node_subscriptions import Person, clock
from tests.unit.dwn.chat import chat
from web5.dwn import compose
from web5.dwn.signatures.signing import sign_message, sign_write
from web5.dwn.wire import rpc, rpc_socket
from web5.dwn.wire.rpc import ErrorCode
from web5.errors import Web5Error
from web5.node import serve

EXAMPLES = 60
LIMIT = 60
DATA = b"some data"
TRIED: Counter[str] = Counter()

ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 1e308, -1e308, 2**53, 2**63, 10**40, "", "\x00", "\ud800", "é" * 1000, "x" * 100_000),
    *([], {}, [[]], [None] * 1000, {"": None}, {"__proto__": {"a": 1}}, {f"t{n}": n for n in range(2000)}),
    *("9999-12-31T23:59:59.999999Z", "0000-00-00T00:00:00.000000Z", "2025-02-30T00:00:00.000000Z", "1-9" + "9" * 5000),
    *("http://[", "https://" + "a" * 5000, "//", "did:x", "bafyrei" + "a" * 52, "../../etc/passwd", "(" * 5000, "%00"),
    *({"gt": 1, "lt": "x"}, {"from": "x"}, {"startsWith": "\uffff"}, {"limit": 1e308}, {"messageCid": "", "value": ""}),
]
DEEP: Any = 1
for _ in range(300):
    DEEP = [DEEP]


def places(value: Any, here: tuple = ()) -> list[tuple]:
    found = [here] if here else []
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            found += places(value[key], (*here, key))
    return found


@st.composite
def odd(draw, value: Any) -> Any:
    """A copy of JSON in which a few things are something else, missing, or more."""
    value = copy.deepcopy(value)
    for _ in range(draw(st.integers(1, 3))):
        choices = places(value)
        if not choices:
            break
        path = draw(st.sampled_from(choices))
        parent = value
        for key in path[:-1]:
            parent = parent[key]
        new = copy.deepcopy(draw(st.sampled_from([*ODD, DEEP])))
        match draw(st.integers(0, 3)):
            case 0 if isinstance(parent, dict):
                del parent[path[-1]]
            case 1 if isinstance(parent, dict):
                names = ["filter", "cursor", "pagination", "tags", "protocol", "published", "a", "\x00"]
                parent[draw(st.sampled_from(names))] = new
            case _:
                parent[path[-1]] = new
    return value


class Node:
    """The embedded default, Alice, and one message of each kind."""

    async def start(self, folder: Path, stack: AsyncExitStack) -> None:
        app = await stack.enter_async_context(serve.embedded(folder, None))
        self.alice = await Person.make()
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=True), timeout=LIMIT)
        self.sockets = AsgiWebSockets(app)
        self.socket = await self.sockets.connect("ws://node/dwn0")
        self.texts = aiter(self.socket)
        signer = self.alice.signer
        given = {"data": DATA, "data_format": "text/plain"}
        write = await compose.records_write(signer, clock, **given, tags={"a": 1}, schema="https://x.example/")
        since = {"from": "2020-01-01T00:00:00.000000Z"}
        filter = {"tags": {"a": {"gt": 0}}, "schema": "https://x.example/", "dateCreated": since}
        pages = {"pagination": {"limit": 5}, "date_sort": "createdAscending"}
        self.messages = [
            write,
            await compose.records_write(signer, clock, existing=write, data=DATA),
            await compose.records_query(signer, clock, filter=filter, **pages),
            await compose.records_read(signer, clock, filter=filter),
            await compose.records_subscribe(signer, clock, filter=filter),
            await compose.records_delete(signer, clock, record_id=write["recordId"]),
            await compose.protocols_configure(signer, clock, definition=chat()),
            await compose.protocols_query(signer, clock, protocol="https://x.example/"),
            await compose.messages_query(
                signer, clock, filters=[{"interface": "Records"}], cursor={"messageCid": "a", "value": "b-1"}
            ),
            await compose.messages_subscribe(signer, clock),
            await compose.messages_read(signer, clock, message_cid="bafyrei" + "a" * 52),
        ]
        assert await self.post(self.text(write), DATA) == (200, 202)

    async def signed(self, message: Any, descriptor: Any) -> Any:
        """The message with another descriptor, signed if such a thing can be."""
        try:
            if "recordId" in message:
                return await sign_write(self.alice.signer, descriptor, {})
            return await sign_message(self.alice.signer, descriptor)
        except (Web5Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return {**message, "descriptor": descriptor}

    def text(self, message: Any) -> str:
        return rpc.encode_request(self.alice.did, message, "1")

    async def post(self, text: str, data: bytes | None = None) -> tuple[int, int]:
        headers = {"dwn-request": text.encode()}
        answer = await self.client.post("http://node/dwn0", headers=headers, content=data)
        header = answer.headers.get("dwn-response")
        return answer.status_code, rpc.parse_response(header or answer.content)["status"]["code"]

    async def say(self, text: str) -> int:
        """Send a text over the socket; the code of its answer."""
        await self.socket.send(text)
        async with asyncio.timeout(LIMIT):
            while True:
                answer = json.loads(await anext(self.texts))
                if "event" not in answer.get("result", {}):
                    break
        if "error" in answer:
            assert answer["error"]["code"] != ErrorCode.INTERNAL_ERROR, text[:500]
            return rpc.status_of(answer["error"]["code"])
        status = answer["result"]["reply"]["status"]
        return status if isinstance(status, int) else status["code"]

    async def check(self, text: str, data: bytes | None) -> None:
        for code in (*await self.post(text, data), await self.say(text)):
            assert code < 500 or code == 501, text[:500]
            TRIED[str(code)] += 1


def run(strategy, check) -> None:
    with asyncio.Runner() as runner, tempfile.TemporaryDirectory() as folder:
        stack, node = AsyncExitStack(), Node()
        runner.run(node.start(Path(folder), stack))

        @examples(EXAMPLES)
        @given(st.data())
        def one(data) -> None:
            runner.run(check(node, data.draw(strategy(node)), data.draw(st.sampled_from([None, b"", DATA]))))

        try:
            one()
        finally:
            runner.run(stack.aclose())


def encoded(value: Any) -> str:
    """JSON as a stranger writes it: what it holds need not be good JSON."""
    return json.dumps(value, ensure_ascii=True)


def test_no_descriptor_makes_it_fail(caplog: pytest.LogCaptureFixture):
    def changed(node: Node):
        return st.sampled_from(node.messages).flatmap(
            lambda message: st.tuples(st.just(message), odd(message["descriptor"]))
        )

    async def check(node: Node, drawn, data) -> None:
        message = await node.signed(*drawn)
        params = {"target": node.alice.did, "message": message}
        text = encoded({"jsonrpc": "2.0", "id": "1", "method": rpc.PROCESS_MESSAGE, "params": params})
        await node.check(text, data)
        if isinstance(drawn[1].get("method"), str) and "Subscribe" in drawn[1]["method"]:
            await node.say(text.replace(rpc.PROCESS_MESSAGE, rpc_socket.SUBSCRIBE))

    run(changed, check)
    print(dict(TRIED))
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_no_envelope_makes_it_fail(caplog: pytest.LogCaptureFixture):
    def changed(node: Node):
        def envelope(message: Any, method: str) -> Any:
            params = {"target": node.alice.did, "message": message}
            return {"jsonrpc": "2.0", "id": "1", "method": method, "params": params, "subscription": {"id": "s"}}

        methods = [rpc.PROCESS_MESSAGE, rpc_socket.SUBSCRIBE, rpc_socket.CLOSE]
        return st.builds(envelope, st.sampled_from(node.messages), st.sampled_from(methods)).flatmap(odd)

    async def check(node: Node, drawn, data) -> None:
        await node.check(encoded(drawn), data)

    run(changed, check)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


TEXTS = {
    "nothing": "",
    "a bracket": "[",
    "many brackets": "[" * 200_000,
    "NaN": '{"jsonrpc":"2.0","id":NaN}',
    "many digits": '{"jsonrpc":"2.0","id":' + "9" * 200_000 + "}",
    "a large float": '{"jsonrpc":"2.0","id":1e999}',
    "half a pair": '{"jsonrpc":"2.0","id":"\\ud800"}',
    "an id of many characters": '{"jsonrpc":"2.0","id":"' + "x" * 200_000 + '"}',
    "an id that is none": '{"jsonrpc":"2.0","id":{},"method":[]}',
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
async def test_no_text_makes_it_fail(text, tmp_path: Path, caplog: pytest.LogCaptureFixture):
    async with AsyncExitStack() as stack:
        node = Node()
        await node.start(tmp_path, stack)
        await node.check(text, None)
        assert await node.post(node.text(node.messages[2])) == (200, 200)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []
