"""The WebSocket of the server, with a real DWN behind it; through uvicorn and real sockets where nothing is said."""

import asyncio
import dataclasses
import json
import logging
from pathlib import Path

import pytest

from tests.asgi_sockets import AsgiWebSockets
from tests.served import served
from tests.unit.node.nodes import BASE, LIMITS, Served, clock
from web5.cpython.websocket import CPythonWebSockets
from web5.dwn import compose
from web5.dwn.wire import rpc, rpc_socket
from web5.dwn.wire.rpc import ErrorCode
from web5.errors import NoWebSocket, Unreachable
from web5.node.http.server import LARGEST_TEXT

SECONDS = 10


class Talk:
    """A socket on which a test says and hears JSON."""

    def __init__(self, nodes, socket) -> None:
        self.nodes, self.socket = nodes, socket
        self._texts = aiter(socket)

    async def hear(self):
        async with asyncio.timeout(SECONDS):
            return json.loads(await anext(self._texts))

    async def ask(self, text: str):
        """What comes next after saying this."""
        await self.socket.send(text)
        return await self.hear()

    async def call(self, message, id="1"):
        return await self.ask(rpc.encode_request(self.nodes.did, message, id))

    async def subscribe(self, subscription="s", id="1"):
        message = await compose.messages_subscribe(self.nodes.signer, clock)
        return await self.ask(rpc_socket.encode_subscribe(self.nodes.did, message, subscription, id))


@pytest.fixture
async def nodes(tmp_path: Path):
    return await Served.start(tmp_path)


@pytest.fixture
async def address(nodes):
    async with served(nodes.app) as url:
        yield url.replace("http", "ws")


@pytest.fixture
async def talk(nodes, address):
    socket = await CPythonWebSockets().connect(f"{address}/dwn0")
    yield Talk(nodes, socket)
    await socket.close()


async def in_memory(nodes, path="/dwn0") -> Talk:
    return Talk(nodes, await AsgiWebSockets(nodes.app).connect(f"ws://server{path}"))


def error_of(answer) -> tuple[int, str]:
    return answer["error"]["code"], answer["error"]["message"]


def event_of(answer):
    return answer["id"], answer["result"]["event"]["message"]["recordId"]


@pytest.mark.parametrize("path", ["/dwn0", "/dwn0/", "/dwn1", "/", ""])
async def test_every_mount_answers_with_and_without_a_slash(nodes, address, path):
    socket = await CPythonWebSockets().connect(address + path)
    answer = await Talk(nodes, socket).call(await compose.messages_query(nodes.signer, clock), "the id")
    await socket.close()
    assert (answer["id"], answer["result"]["reply"]["status"]["code"]) == ("the id", 200)


async def test_where_no_node_is_there_is_no_socket(address):
    with pytest.raises(NoWebSocket):
        await CPythonWebSockets().connect(f"{address}/elsewhere")


async def test_what_is_written_over_http_is_told_to_whoever_subscribed(nodes, talk):
    reply = (await talk.subscribe())["result"]["reply"]
    assert reply["status"]["code"] == 200
    assert reply["subscription"]["id"].startswith("bafyrei")
    record_ids = [(await nodes.write("/dwn0", b"text %d" % number))[0] for number in range(20)]
    assert [event_of(await talk.hear()) for _ in record_ids] == [("s", record_id) for record_id in record_ids]


async def test_events_carry_the_message_and_its_initial_write_but_no_data(nodes, talk):
    message = await nodes.message(b"text")
    await nodes.remote.process_message(f"{BASE}/dwn0", nodes.did, message, b"text")
    await talk.subscribe()
    update = await compose.records_write(nodes.signer, clock, existing=message, data=b"new")
    await nodes.remote.process_message(f"{BASE}/dwn0", nodes.did, update, b"new")
    event = (await talk.hear())["result"]["event"]
    assert event == {"message": update, "initialWrite": message}


async def test_mounts_tell_only_of_themselves(nodes, talk):
    await talk.subscribe()
    await nodes.write("/dwn1", b"elsewhere")
    record_id, _ = await nodes.write("/dwn0", b"here")
    assert event_of(await talk.hear()) == ("s", record_id)


async def test_after_the_answer_to_a_close_nothing_is_told(nodes, talk):
    await talk.subscribe("a")
    await talk.subscribe("b")
    assert (await talk.ask(rpc_socket.encode_close("a", "c")))["id"] == "c"
    record_id, _ = await nodes.write("/dwn0", b"text")
    assert event_of(await talk.hear()) == ("b", record_id)
    again = await talk.ask(rpc_socket.encode_close("a"))
    assert error_of(again) == (ErrorCode.INVALID_PARAMS, "subscription a does not exist.")


async def test_events_of_a_subscription_without_an_id_have_that_of_the_reply(nodes, talk):
    params = {"target": nodes.did, "message": await compose.messages_subscribe(nodes.signer, clock)}
    answer = await talk.ask(rpc.encode("1", method=rpc_socket.SUBSCRIBE, params=params, subscription={}))
    id = answer["result"]["reply"]["subscription"]["id"]
    record_id, _ = await nodes.write("/dwn0", b"text")
    assert event_of(await talk.hear()) == (id, record_id)
    assert (await talk.ask(rpc_socket.encode_close(id, "2")))["result"]["reply"]["status"] == 200


async def test_an_id_can_be_used_again_after_its_subscription_has_ended(nodes, talk):
    await talk.subscribe()
    in_use = await talk.subscribe()
    assert error_of(in_use) == (ErrorCode.INVALID_PARAMS, "the subscribe id: s is in use by an active subscription")
    await talk.ask(rpc_socket.encode_close("s"))
    assert (await talk.subscribe())["result"]["reply"]["status"]["code"] == 200


async def test_a_subscription_that_the_dwn_refuses_takes_no_id(nodes, talk):
    message = await compose.messages_subscribe(nodes.signer, clock)
    answer = await talk.ask(rpc_socket.encode_subscribe("did:x:other", message, "s"))
    assert answer["result"]["reply"]["status"]["code"] == 401
    assert (await talk.subscribe())["result"]["reply"]["status"]["code"] == 200


async def test_records_write_is_refused_in_the_words_of_the_reference(nodes, talk):
    answer = await talk.call(await nodes.message(b"text"))
    assert error_of(answer) == (ErrorCode.INVALID_PARAMS, "RecordsWrite is not supported via ws")


@pytest.mark.parametrize("method", [rpc.PROCESS_MESSAGE, rpc_socket.SUBSCRIBE])
async def test_subscribe_needs_a_subscription(nodes, talk, method):
    message = await compose.messages_subscribe(nodes.signer, clock)
    answer = await talk.ask(rpc.encode("1", method=method, params={"target": nodes.did, "message": message}))
    words = "subscribe methods must contain a subscriptionRequest context"
    assert error_of(answer) == (ErrorCode.INVALID_REQUEST, words)


async def test_data_that_a_read_would_return_are_left_out_as_with_the_reference(nodes, talk):
    record_id, _ = await nodes.write("/dwn0", b"text")
    answer = await talk.call(await compose.records_read(nodes.signer, clock, filter={"recordId": record_id}))
    assert answer["result"]["reply"]["entry"].keys() == {"recordsWrite"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", ErrorCode.BAD_REQUEST),
        ("not JSON", ErrorCode.BAD_REQUEST),
        ("[]", ErrorCode.INVALID_REQUEST),
        ('{"jsonrpc":"2.0","id":"1","method":"dwn.other"}', ErrorCode.METHOD_NOT_FOUND),
        ('{"jsonrpc":"2.0","id":"1","method":"rpc.subscribe.close"}', ErrorCode.INVALID_REQUEST),
        (rpc.encode_request("t", {"a": "x" * LIMITS.message}, "1"), ErrorCode.CONTENT_TOO_LARGE),
    ],
)
async def test_what_is_no_request_is_told_and_harms_nothing(nodes, talk, text, code):
    answer = await talk.ask(text)
    assert answer["error"]["code"] == code
    assert ('"1"' not in text) or answer["id"] == "1"
    assert (await talk.call(await compose.messages_query(nodes.signer, clock)))["result"]["reply"]["status"][
        "code"
    ] == 200


async def test_a_text_beyond_all_measure_ends_the_socket(talk):
    with pytest.raises(Unreachable, match="1009"):
        await talk.ask("x" * (LARGEST_TEXT + 1))


async def test_a_gate_answers_as_over_http(tmp_path):
    class Closed:
        async def refusal(self, tenant: str) -> str | None:
            return "Not a registered tenant."

    nodes = await Served.start(tmp_path, tenant_gate=Closed())
    status = (await (await in_memory(nodes)).subscribe())["result"]["reply"]["status"]
    assert status == {"code": 401, "detail": "Not a registered tenant."}


async def test_failure_of_ours_is_told_without_its_inside(nodes, talk, caplog):
    nodes.databases[0].connection.execute("DROP TABLE dwn_message")
    with caplog.at_level(logging.CRITICAL, "web5.node"):
        answer = await talk.call(await compose.messages_query(nodes.signer, clock))
    assert error_of(answer) == (ErrorCode.INTERNAL_ERROR, "internal error")
    assert answer["id"] == "1"


async def test_more_subscriptions_than_allowed_are_refused(tmp_path):
    nodes = await Served.start(tmp_path, dataclasses.replace(LIMITS, subscriptions=2))
    talk = await in_memory(nodes)
    for name in "ab":
        assert (await talk.subscribe(name))["result"]["reply"]["status"]["code"] == 200
    assert error_of(await talk.subscribe("c"))[0] == ErrorCode.TOO_MANY_REQUESTS
    await talk.ask(rpc_socket.encode_close("a"))
    assert (await talk.subscribe("c"))["result"]["reply"]["status"]["code"] == 200


async def test_who_reads_too_slowly_is_disconnected_and_the_engine_does_not_wait(tmp_path):
    nodes = await Served.start(tmp_path, dataclasses.replace(LIMITS, events=5))
    slow, quick = await in_memory(nodes), await in_memory(nodes)
    await slow.subscribe()
    await quick.subscribe()
    slow.socket.reads.clear()
    async with asyncio.timeout(SECONDS):
        for number in range(7):  # one is on its way out, five wait, one is too many
            assert (await nodes.write("/dwn0", b"text %d" % number))[1]["code"] == 202
            await quick.hear()
        slow.socket.reads.set()
        await slow.socket.serving
    assert slow.socket.code == 1013
    record_id, _ = await nodes.write("/dwn0", b"and on")
    assert event_of(await quick.hear()) == ("s", record_id)


async def test_events_that_wait_are_bounded_in_bytes(tmp_path):
    nodes = await Served.start(tmp_path, dataclasses.replace(LIMITS, event_bytes=20_000))
    slow = [await in_memory(nodes) for _ in range(3)]
    for talk in slow:
        for name in "ab":
            await talk.subscribe(name)
        talk.socket.reads.clear()
    tags = {"long": "x" * 15_000}
    message = await compose.records_write(nodes.signer, clock, data=b"x", data_format="text/plain", tags=tags)
    dwn = nodes.dwns["/dwn0"]
    assert (await dwn.process_message(nodes.did, message, b"x"))["status"]["code"] == 202
    again = await compose.records_write(nodes.signer, clock, data=b"y", data_format="text/plain", tags=tags)
    assert (await dwn.process_message(nodes.did, again, b"y"))["status"]["code"] == 202
    async with asyncio.timeout(SECONDS):
        for talk in slow:
            talk.socket.reads.set()
            await talk.socket.serving
            assert talk.socket.code == 1013


async def test_who_does_not_read_at_all_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr("web5.node.dwn.socket_endpoint.CLOSE_SECONDS", 0.01)
    nodes = await Served.start(tmp_path, dataclasses.replace(LIMITS, events=1))
    talk = await in_memory(nodes)
    await talk.subscribe()
    talk.socket.reads.clear()
    for number in range(3):
        await nodes.write("/dwn0", b"text %d" % number)
    async with asyncio.timeout(SECONDS):
        await talk.socket.serving


async def test_a_subscription_ends_with_its_socket(nodes):
    talk = await in_memory(nodes)
    await talk.subscribe()
    assert nodes.dwns["/dwn0"].subscriptions == 1
    talk.socket.break_off()
    async with asyncio.timeout(SECONDS):
        await talk.socket.serving
    assert nodes.dwns["/dwn0"].subscriptions == 0


async def test_a_subscription_that_is_being_made_ends_with_its_socket_too(nodes):
    talk = await in_memory(nodes)
    message = await compose.messages_subscribe(nodes.signer, clock)
    nodes.method.answers.clear()
    await talk.socket.send(rpc_socket.encode_subscribe(nodes.did, message, "s"))
    async with asyncio.timeout(SECONDS):
        await nodes.method.asked.wait()
        talk.socket.break_off()
        nodes.method.answers.set()
        await talk.socket.serving
    assert nodes.dwns["/dwn0"].subscriptions == 0


async def test_one_slow_request_holds_up_no_other(nodes):
    talk = await in_memory(nodes)
    query = await compose.messages_query(nodes.signer, clock)
    nodes.method.answers.clear()
    await talk.socket.send(rpc.encode_request(nodes.did, query, "slow"))
    assert (await talk.ask(rpc_socket.encode_close("none", "quick")))["id"] == "quick"
    nodes.method.answers.set()
    assert (await talk.hear())["id"] == "slow"
